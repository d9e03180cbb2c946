"""Points as both sides count them: by measurement, field and stretch of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Counts", "Difference", "Place", "differences", "spans_of"]


class Place(NamedTuple):
    """Where points are counted together.

    `measurement` is what the sink calls it: a metric name where the sink is a remote-write receiver, whose `field` is
    "" then. `start` is the first millisecond of the stretch.
    """

    measurement: str
    field: str
    start: int


Counts = Mapping[Place, int]
"""Points at each place; none where a place is missing."""

_NONE: Counts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Difference:
    """A place that the two sides count differently.

    Attributes:
        place: which.
        stored: points that the store has for the sink.
        found: points that the sink counts.
        refused: those of `stored` that wait as dead letters.
        unchanged: those that the sink need not have, as it shows their values all the same.
    """

    place: Place
    stored: int
    found: int
    refused: int
    unchanged: int = 0

    @property
    def missing(self) -> int:
        """Points that the sink should have and has not; below 0 when it has more, which others may have written."""
        return self.stored - self.refused - self.unchanged - self.found


def differences(stored: Counts, found: Counts, refused: Counts, unchanged: Counts = _NONE) -> list[Difference]:
    """Places at which the sink does not have what it should, by time and name."""
    places = sorted(stored.keys() | found.keys(), key=lambda place: (place.start, place))
    counts = (stored, found, refused, unchanged)
    pairs = (Difference(place, *(count.get(place, 0) for count in counts)) for place in places)
    return [pair for pair in pairs if pair.missing]


def spans_of(differing: Iterable[Difference], width: int, span: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The stretches, within `span`, in which the sink lacks points; neighbours as one."""
    first, last = span
    spans: list[tuple[int, int]] = []
    for start in sorted({one.place.start for one in differing if one.missing > 0}):
        begin, end = max(start, first), min(start + width - 1, last)
        if spans and spans[-1][1] + 1 == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return tuple(spans)
