"""Text that is markup where it is not taken for text."""

__all__ = ["HOSTILE"]

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
