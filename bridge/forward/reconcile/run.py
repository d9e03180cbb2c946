"""A stretch of time compared with a sink, and what it lacks sent again."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import anyio.to_thread

from bridge.forward.history import History
from bridge.forward.letters import DeadLetters
from bridge.forward.outlet import Outlet
from bridge.forward.reconcile.census import Census, Register
from bridge.forward.reconcile.points import Counts, Difference, Place, differences
from bridge.forward.reconcile.stored import count_letters, count_stored
from bridge.forward.reconcile.unchanged import count_unchanged

__all__ = ["HOUR", "Report", "compare"]

HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Report:
    """What one hour came to.

    Attributes:
        span: of which time, ms, inclusive.
        stored: points that the store has for the sink.
        found: points that the sink counts of the same measurements.
        differences: where the two are not the same.
        unchanged: points that the sink need not have, as it shows their values all the same.
    """

    span: tuple[int, int]
    stored: int
    found: int
    differences: tuple[Difference, ...]
    unchanged: int = 0

    @property
    def missing(self) -> int:
        """Points that the sink should have and has not."""
        return sum(one.missing for one in self.differences if one.missing > 0)

    @property
    def surplus(self) -> int:
        """Points that the sink has and the store has not: others write there, or the store's retention is shorter."""
        return -sum(one.missing for one in self.differences if one.missing < 0)


async def compare(
    outlet: Outlet, census: Census, history: History, letters: DeadLetters, span: tuple[int, int]
) -> AsyncIterator[Report]:
    """Go through the hours of `span` (ms, inclusive), oldest first, from the beginning of the first one on.

    Raises SinkSilent, OSError and Unreadable.
    """
    first, last = span[0] - span[0] % HOUR, span[1]
    refused = await anyio.to_thread.run_sync(count_letters, letters, outlet, (first, last), HOUR)
    for begin in range(first, last + 1, HOUR):
        hour = (begin, min(begin + HOUR - 1, last))
        stored = await anyio.to_thread.run_sync(count_stored, history, outlet, hour, HOUR)
        answer = await census.count(_fields(stored), begin, hour[1] + 1, HOUR) if stored else {}
        found = {place: count for place, count in answer.items() if place in stored}
        differing = differences(stored, found, refused)
        lacking = _fields(one.place for one in differing if one.missing > 0)
        unchanged: Counts = {}
        if lacking and outlet.encoder.reach and isinstance(census, Register):
            unchanged = await count_unchanged(outlet, census, history, letters, span=hour, width=HOUR, fields=lacking)
            differing = differences(stored, found, refused, unchanged)
        yield Report(
            hour, sum(stored.values()), sum(found.values()), tuple(differing), unchanged=sum(unchanged.values())
        )


def _fields(places: Iterable[Place]) -> dict[str, list[str]]:
    """The fields of each measurement."""
    fields: dict[str, list[str]] = {}
    for measurement, field in sorted({(place.measurement, place.field) for place in places}):
        fields.setdefault(measurement, []).append(field)
    return fields
