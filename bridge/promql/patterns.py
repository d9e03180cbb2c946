"""Matchers of labels, as far as the language cares what they match."""

from bridge.model import Matcher
from bridge.native import pattern_matches_empty

__all__ = ["matches_empty"]


def matches_empty(matcher: Matcher) -> bool:
    """True when a series without the label is wanted. Raises ValueError, in Go's words, for a bad pattern."""
    match matcher.op:
        case "=":
            return not matcher.value
        case "!=":
            return bool(matcher.value)
        case "=~":
            return pattern_matches_empty(matcher.value)
        case _:
            return not pattern_matches_empty(matcher.value)
