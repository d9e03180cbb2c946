"""Reading the log again: what a sink is fed from.

Bounded pieces through `pread`, never a map: a bad disk is an OSError then, not the end of the process.
"""

from typing import NamedTuple

import structlog

from bridge.buffer.files import File
from bridge.buffer.log import Log
from bridge.buffer.metrics import WalMetrics
from bridge.buffer.position import Position
from bridge.buffer.segments import PAGE_SIZE, LogDir
from bridge.buffer.wal import Wal
from bridge.native import Head, LogDamaged, LogSlice, resume_log

__all__ = ["LogReader", "Truncated"]

logger = structlog.get_logger(__name__)

_WINDOW = 256 << 10  # bytes read at a time, a multiple of the page size


class Truncated(Exception):
    """A position that the log no longer reaches back to: what is missing up to `oldest` is in blocks."""

    def __init__(self, position: Position, oldest: Position) -> None:
        super().__init__(f"the log begins at {oldest}, behind {position}")
        self.position = position
        self.oldest = oldest


class _Wanted(NamedTuple):
    """What a slice is asked to have; see `LogReader.read`."""

    max_samples: int
    least: int
    seq: int


class LogReader:
    """Decodes batches from any position on, up to what is durable. Holds no state: any thread may call it."""

    def __init__(self, directory: LogDir, head: Head, wal: Wal, log: Log, metrics: WalMetrics) -> None:
        self._dir = directory
        self._files = directory.files
        self._head = head
        self._wal = wal
        self._log = log
        self._skipped = metrics.skipped_bytes

    def oldest(self) -> Position:
        """The beginning of the log."""
        return Position(min(self._dir.segments(), default=self._log.durable.segment), 0)

    def read(self, position: Position, max_samples: int, seq: int, least: int = 1) -> tuple[LogSlice, Position]:
        """Whole batches from `position` on of `max_samples` at most, and the position behind them. More only until
        there are `least`, and fewer where a segment ends.

        `seq` is what the cursor at `position` remembers, for batches that don't say it themselves. The slice is empty
        when nothing more is durable; the position may have moved to a later segment even then. What cannot be read is
        logged, counted and left out. Raises Truncated when the segment has become a part of a checkpoint.
        """
        durable = self._log.durable
        if position > durable:
            logger.error("position ahead of the log, reading it from its beginning", position=str(position))
            position = self.oldest()
        wanted = _Wanted(max_samples, least, seq)
        while position < durable:
            piece, end = self._read_segment(position, durable, wanted)
            if piece is not None:
                return piece, Position(position.segment, end)
            if end > position.offset:  # behind damage
                position = Position(position.segment, end)
                continue
            position = durable if position.segment == durable.segment else Position(position.segment + 1, 0)
        return self._head.read_log(b"", 0, 0, 1, seq=seq), position

    def _read_segment(self, position: Position, durable: Position, wanted: _Wanted) -> tuple[LogSlice | None, int]:
        """Whole batches of one segment and the offset behind them; None when it has no more, or damage ends at the
        offset."""
        try:
            file = self._files.open(self._dir.segment(position.segment))
        except FileNotFoundError:
            oldest = self.oldest()
            if position.segment < oldest.segment:
                raise Truncated(position, oldest) from None
            logger.warning("log segment missing, reading on behind it", segment=position.segment)
            return None, 0
        try:
            last = position.segment == durable.segment
            stop = durable.offset if last else self._wal.ends.get(position.segment, self._files.size(file))
            return self._read_window(file, position.offset, stop, wanted)
        except LogDamaged as error:
            resumed = self._resume(file, position.offset, stop)
            lost = (resumed or stop) - position.offset
            text = "log damaged, reading on behind it"
            logger.error(text, position=str(position), bytes=lost, reason=str(error))  # noqa: TRY400 - it says all
            self._skipped.inc(lost)
            return None, resumed or 0
        finally:
            self._files.close(file)

    def _resume(self, file: File, start: int, stop: int) -> int | None:
        base = start // PAGE_SIZE * PAGE_SIZE
        rest = self._files.read_at(file, stop - base, base)
        resumed = resume_log(rest, start - base, len(rest))
        return None if resumed is None else base + resumed

    def _read_window(self, file: File, start: int, stop: int, wanted: _Wanted) -> tuple[LogSlice | None, int]:
        """Decode from `start` to `stop`, in a window that grows until the batches that are to be read fit in."""
        base = start // PAGE_SIZE * PAGE_SIZE
        size, reached = _WINDOW, start
        while start < stop:
            window = self._files.read_at(file, min(size, stop - base), base)
            try:
                piece = self._head.read_log(window, start - base, len(window), *wanted)
            except LogDamaged:
                if size >= stop - base:
                    raise
            else:
                before, reached = reached, base + piece.end
                # What reaches no further with more of the log before it ends at damage, or at a very long batch.
                if reached > start and (piece.samples >= wanted.least or reached == before or size >= stop - base):
                    return piece, reached
                if size >= stop - base:
                    break
            size *= 4
        return None, start
