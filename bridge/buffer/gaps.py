"""What readers of the log miss when a part of it goes before they have come to it.

The log keeps what its slowest reader needs, within bounds. Beyond them segments go, and before they do, it is noted for
each reader that is not done with them when the samples were that it misses and where it goes on: what is in no segment
any more is in the head or in blocks, where times are what one asks by.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import anyio.to_thread
import structlog

from bridge.buffer.position import Position
from bridge.buffer.reader import Truncated
from bridge.native import Extent, LogSlice

__all__ = ["Gap", "GapBook", "MissedExemplars", "Spans", "note_gaps"]

logger = structlog.get_logger(__name__)

Spans = tuple[tuple[int, int], ...]
"""Disjoint (first, last) times in ms, inclusive, ascending."""

_SAMPLES_AT_ONCE = 100_000


class MissedExemplars(NamedTuple):
    """Exemplars of a part of the log, which are nowhere else: how many, and when the first and the last were, ms."""

    total: int
    mint: int
    maxt: int

    @classmethod
    def of(cls, parts: Iterable[tuple[int, int, int] | None]) -> "MissedExemplars | None":
        """Those of several parts together; None when there are none."""
        known = [part for part in parts if part is not None]
        if not known:
            return None
        totals, mints, maxts = zip(*known, strict=True)
        return cls(sum(totals), min(mints), max(maxts))


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the log that a reader has not read.

    Attributes:
        end: where it reads on.
        seq: samples accepted by the store up to there.
        spans: when the samples of the part were: all of them, and rarely much more.
        exemplars: those of the part, which no block has.
    """

    end: Position
    seq: int
    spans: Spans
    exemplars: MissedExemplars | None = None


class GapBook(Protocol):
    """Who reads the log, and what they miss: implemented by `bridge.buffer.Cursors`."""

    def names(self) -> list[str]:
        """All readers."""

    def reached(self, name: str) -> tuple[Position, int] | None:
        """Where what a reader still needs begins, and the samples before there."""

    async def note_gap(self, name: str, gap: Gap) -> None:
        """Return once it is durable that the reader misses this too."""


Read = Callable[[Position, int, int], tuple[LogSlice, Position]]
"""`LogReader.read`: (position, max_samples, seq) to a slice and the position behind it."""


async def note_gaps(read: Read, book: GapBook, oldest: Position) -> list[str]:
    """Note durably what each reader misses once the log begins at `oldest`, the start of a segment.

    To be called while all of it is still there. Returns the readers concerned. Raises OSError and Unavailable; then the
    log must stay as it is.
    """
    behind = []
    for name in book.names():
        reached = book.reached(name)
        if reached is None or reached[0] >= oldest:
            continue
        gap = await anyio.to_thread.run_sync(partial(_survey, read, *reached, oldest))
        await book.note_gap(name, gap)
        text = "a reader of the log is too far behind, it goes on from history"
        logger.warning(text, reader=name, samples=gap.seq - reached[1], log_from=str(oldest))
        behind.append(name)
    return behind


def _survey(read: Read, position: Position, seq: int, oldest: Position) -> Gap:
    """Read the log from `position` to `oldest`. What has gone already is left out: nobody knows when it was."""
    extent = Extent()
    exemplars: MissedExemplars | None = None
    while position < oldest:
        try:
            piece, end = read(position, _SAMPLES_AT_ONCE, seq)
        except Truncated as truncated:
            position = max(truncated.oldest, position)
            continue
        if end >= oldest:  # no slice crosses segments, so this one begins there too, or is empty
            seq = max(seq, piece.seq - piece.samples)
            break
        if end == position:
            break
        extent.add(piece)
        exemplars = MissedExemplars.of((exemplars, piece.exemplars))
        position, seq = end, piece.seq
    return Gap(oldest, seq, tuple(extent.spans), exemplars)
