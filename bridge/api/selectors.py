"""`match[]`: the series that a request is about."""

from collections.abc import Sequence

from bridge.errors import BadInput
from bridge.model import Matcher
from bridge.promql import matches_empty, parse_selector

__all__ = ["selectors"]

LONGEST = 64 << 10
"""Characters of all selectors together: some tens of milliseconds."""


def selectors(texts: Sequence[str]) -> list[tuple[Matcher, ...]]:
    """The matchers of each selector, none of which may select all series. Raises BadInput."""
    if sum(map(len, texts)) > LONGEST:
        raise BadInput(f"match[] of more than {LONGEST} characters")
    parsed = [parse_selector(text).matchers for text in texts]
    if any(all(map(matches_empty, matchers)) for matchers in parsed):
        raise BadInput("match[] must contain at least one non-empty matcher")
    return parsed
