"""Label matchers, as plainly as can be."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model import Matcher
from bridge.native import Pattern


def matches(labels: dict[str, str], matchers: Sequence[Matcher]) -> bool:
    """The labels meet all conditions."""
    return all(meets(labels.get(matcher.name, ""), matcher) for matcher in matchers)


def meets(value: str, matcher: Matcher) -> bool:
    if matcher.op in {"=", "!="}:
        return (value == matcher.value) == (matcher.op == "=")
    return Pattern(matcher.value).matches(value) == (matcher.op == "=~")
