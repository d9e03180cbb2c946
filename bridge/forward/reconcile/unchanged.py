"""Stored points that a sink need not have: it shows their values all the same.

A sink that is not sent what stays the same has fewer points than the store, and how many fewer, nobody knows: what may
be left out depends on what had been answered for at the time. What can be told is whether the sink *shows* each stored
value: by a point of that value less than a heartbeat before it, and none in between. Only what it does not show is
missing. For that the points themselves are looked at, window by window.
"""

from collections.abc import Mapping, Sequence

import anyio.to_thread

from bridge.forward.history import History, Window, Windows
from bridge.forward.letters import DeadLetters
from bridge.forward.outlet import Outlet
from bridge.forward.reconcile.census import Register
from bridge.forward.reconcile.points import Counts, Place
from bridge.forward.reconcile.stored import lines_of_letters
from bridge.native import Lines, SinkView

__all__ = ["count_unchanged"]

_MAX_WINDOW = 50_000  # samples; the sink's points of a window are in memory as Python has them


async def count_unchanged(
    outlet: Outlet,
    register: Register,
    history: History,
    letters: DeadLetters,
    *,
    span: tuple[int, int],
    width: int,
    fields: Mapping[str, Sequence[str]],
) -> Counts:
    """Points of `span` (ms, inclusive) that the sink shows and has not, of these fields by measurement.

    They are counted by stretches of `width` ms. Raises SinkSilent, OSError and Unreadable.
    """
    view = SinkView(outlet.encoder.reach, width)
    await anyio.to_thread.run_sync(_refuse, view, letters, outlet)
    first = span[0] - outlet.encoder.reach
    windows = Windows(history, ((first, span[1]),), _MAX_WINDOW)
    while (window := await anyio.to_thread.run_sync(windows.next)) is not None:
        for points in await register.points(fields, first, window.maxt + 1):
            view.hold(*points)
        first = window.maxt + 1
        await anyio.to_thread.run_sync(_count, view, window, outlet)
    counts = ((Place(measurement, field, start), count) for measurement, field, start, count in view.unchanged)
    return {place: count for place, count in counts if place.start >= span[0]}


def _refuse(view: SinkView, letters: DeadLetters, outlet: Outlet) -> None:
    for lines in lines_of_letters(letters, outlet):
        assert isinstance(lines, Lines)  # noqa: S101 - an encoder that leaves samples out makes lines
        view.refuse(lines)


def _count(view: SinkView, window: Window, outlet: Outlet) -> None:
    lines = window.columns.encode(0, len(window.columns), outlet.encoder)
    assert isinstance(lines, Lines)  # noqa: S101 - see above
    view.count_unchanged(lines)
    view.move_on()
