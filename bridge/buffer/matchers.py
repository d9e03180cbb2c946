"""Which series are meant."""

from collections.abc import Sequence

__all__ = ["Matchers"]

Matchers = Sequence[tuple[str, str, str]]
"""(label name, one of `=` `!=` `=~` `!~`, value), all of which a series must meet."""
