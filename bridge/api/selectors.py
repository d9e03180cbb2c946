"""`match[]`: the series that a request is about."""

from collections.abc import Sequence

from bridge.errors import BadInput
from bridge.model import Matcher, parse_selector
from bridge.native import Pattern

__all__ = ["Selectors", "selectors"]

Selectors = Sequence[Sequence[Matcher]]


def selectors(texts: Sequence[str]) -> Selectors:
    """The matchers of each selector, none of which may select all series. Raises BadInput."""
    parsed = [parse_selector(text) for text in texts]
    try:
        for matchers in parsed:
            if all(matches_empty(matcher) for matcher in matchers):
                raise BadInput("match[] must contain at least one non-empty matcher")
    except ValueError as error:  # a regular expression that is none
        raise BadInput(str(error)) from None
    return parsed


def matches_empty(matcher: Matcher) -> bool:
    """Whether a series without that label meets it. Raises ValueError for a bad regular expression."""
    match matcher.op:
        case "=":
            return not matcher.value
        case "!=":
            return bool(matcher.value)
        case "=~":
            return Pattern(matcher.value).matches("")
        case _:
            return not Pattern(matcher.value).matches("")
