"""What the store has for a sink, counted as the sink counts."""

from collections import Counter
from collections.abc import Iterable, Iterator

from bridge.forward.history import History, Windows
from bridge.forward.letters import DeadLetters
from bridge.forward.outlet import Outlet
from bridge.forward.payload import Payload
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["count_letters", "count_stored", "lines_of_letters"]

_MAX_WINDOW = 500_000
_PIECE = 50_000


def count_stored(history: History, outlet: Outlet, span: tuple[int, int], width: int) -> Counts:
    """Points of `span` (ms, inclusive) by stretches of `width` ms: those of the samples as the sink is sent them.

    Blocks; memory is bounded by a window of history, whatever the span. Raises OSError and Unreadable.
    """
    tally = outlet.new_tally(width)
    windows = Windows(history, (span,), _MAX_WINDOW)
    while (window := windows.next()) is not None:
        for start in range(0, len(window.columns), _PIECE):
            stop = min(start + _PIECE, len(window.columns))
            tally.add(window.columns.encode(start, stop, outlet.encoder))
        tally.forget_points()
    return _counts(tally.counts)


def count_letters(letters: DeadLetters, outlet: Outlet, span: tuple[int, int], width: int) -> Counts:
    """Dead letters of samples in the stretches that `span` touches: the sink has refused them, and does not have them.

    Only those that nobody has settled: what was sent again is there, and what was dropped is a difference that stays.
    Blocks. Raises OSError.
    """
    tally = outlet.new_tally(width)
    for payload in lines_of_letters(letters, outlet):
        tally.add(payload)
    first, last = span
    return {place: n for place, n in _counts(tally.counts).items() if first - width < place.start <= last}


def lines_of_letters(letters: DeadLetters, outlet: Outlet) -> Iterator[Payload]:
    """The dead letters that nobody has settled, some at a time. Blocks. Raises OSError."""
    lines = [letter.line for letter in letters.letters() if letter.state != "settled"]
    for start in range(0, len(lines), _PIECE):
        yield outlet.encoder.read(lines[start : start + _PIECE])


def _counts(rows: Iterable[tuple[str, str, int, int]]) -> Counts:
    counts: Counter[Place] = Counter()
    for measurement, field, start, points in rows:
        counts[Place(measurement, field, start)] += points
    return counts
