"""PromQL: from the text of an expression to its value."""

__all__: list[str] = []
