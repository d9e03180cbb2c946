"""The write-ahead log's file side: one segment open for writing, finished when full, given up when it fails.

Called from one thread at a time (the log's lane). It knows bytes and offsets, not batches.

Invariants:
- `position` is the end of what was accepted. What lies beyond it in the segment is zeros, or was refused.
- Refused bytes never become readable: they are cut off, or the segment's end is marked, before another segment exists.
- A number is used again only for a segment in which nothing was ever accepted.
"""

import errno
from collections.abc import Mapping

from bridge.buffer.files import File
from bridge.buffer.metrics import WalMetrics
from bridge.buffer.position import Position
from bridge.buffer.segments import PAGE_SIZE, LogDir
from bridge.clock import Clock
from bridge.config import Wal as WalSettings

__all__ = ["Wal"]

_RESERVE = 1 << 20  # bytes; a sync into reserved blocks takes 0.10 ms here, one that also lengthens the file 0.14


class Wal:
    """The end of the log, on disk. Starts without a file: the first write must cut."""

    def __init__(
        self,
        directory: LogDir,
        settings: WalSettings,
        *,
        first: int,
        ends: Mapping[int, int],
        clock: Clock,
        metrics: WalMetrics,
    ) -> None:
        self._dir = directory
        self._files = directory.files
        self._clock = clock
        self._metrics = metrics
        self._step = min(_RESERVE, settings.segment_size)
        self._sync_each_write = settings.sync == "batch"
        self._file: File | None = None
        self._number = first
        self._offset = 0
        self._allocated = 0
        self._unsettled: Position | None = None
        self.ends = dict(ends)  # of segments that could not be cut off behind their last accepted byte

    @property
    def position(self) -> Position:
        """Up to where the log has been accepted."""
        return Position(self._number, self._offset)

    def write(self, data: bytes, *, cut: bool) -> Position:
        """Append `data`, as the start of a new segment if `cut`, and return where it ends.

        With `sync: batch` it is durable then. When it raises nothing of it was accepted: the segment is given up at
        its last accepted byte, and writes that don't cut are refused.
        """
        try:
            file = self._cut() if cut else self._current()
            self._reserve(file, self._offset + len(data))
            self._files.write_at(file, data, self._offset)
            if self._sync_each_write:
                self._sync(file)
        except BaseException:
            self._give_up()
            raise
        self._offset += len(data)
        return self.position

    def sync(self) -> Position:
        """Make durable all that was accepted and return where it ends.

        On an OSError the segment is given up, but nothing is cut off: it was acknowledged and may yet be read back.
        """
        if self._file is not None:
            try:
                self._sync(self._file)
            except OSError:
                self._let_go()
                raise
        return self.position

    def close(self) -> None:
        """Finish the segment."""
        if self._file is not None:
            self._finish(self._file)

    def _current(self) -> File:
        if self._file is None:  # what is to be written was framed for a segment that has been given up since
            raise OSError(errno.EIO, "an earlier write to the segment failed")
        return self._file

    def _cut(self) -> File:
        """Finish this segment and create the next, or this one afresh if nothing has been accepted in it."""
        if self._file is not None:
            self._finish(self._file)
        if self._unsettled is not None:
            self._settle(self._unsettled)
        number = self._number + 1 if self._offset or self._number in self.ends else self._number
        self._file = self._files.create(self._dir.segment(number))
        self._number, self._offset, self._allocated = number, 0, 0
        self._files.sync_dir(self._dir.path)
        return self._file

    def _finish(self, file: File) -> None:
        """Zero-fill to the end of the page and no further, as Prometheus leaves a segment that it has closed."""
        self._files.resize(file, -(-self._offset // PAGE_SIZE) * PAGE_SIZE)
        self._sync(file)
        self._let_go()

    def _reserve(self, file: File, end: int) -> None:
        """Keep zeros ahead of what is about to be written: a sync need not write the file's new length then."""
        if end <= self._allocated:
            return
        target = -(-end // self._step) * self._step
        try:
            self._files.allocate(file, self._allocated, target - self._allocated)
        except OSError:
            return  # only speed was asked for; if there is no room for the data itself, the write will say so
        self._allocated = target

    def _sync(self, file: File) -> None:
        started = self._clock.monotonic()
        self._files.sync(file)
        self._metrics.fsync_seconds.observe(self._clock.monotonic() - started)

    def _give_up(self) -> None:
        """After a failed write: let go of the file and cut off what was refused, now or before the next segment."""
        self._let_go()
        if self._unsettled is None:
            self._unsettled = self.position
        try:
            self._settle(self._unsettled)
        except OSError:
            return  # kept: no segment is created before this has succeeded

    def _settle(self, end: Position) -> None:
        """See to it that no replay reads beyond `end` in its segment."""
        try:
            self._dir.cut(*end)
        except FileNotFoundError:
            pass  # creating it was what failed
        except OSError:
            self._dir.mark_end(*end)
            self.ends[end.segment] = end.offset
        self._unsettled = None

    def _let_go(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            self._files.close(file)
