"""Group commit: the order in which batches become durable, visible and acknowledged.

    stage (head) ─> append (here) ─> frame all that wait ─> one write, one fsync (lane) ─> commit, acknowledge
                                     while the lane is busy, the next group gathers

Rules, each shown by a crash test:
- Batches enter the log in the order in which they were appended, which must be the order in which they were staged.
- A batch is committed to the head, in that order, once its group is durable; only then is its caller told.
- A failed write refuses its group and all that was staged behind it: one rollback, before anything new is staged.
- A caller that goes away changes nothing: its batch goes its way.

`wal.sync` decides what "durable" means. `batch`: on the disk; nothing acknowledged is ever lost. `interval`: written,
and on the disk `sync_interval` later at most; `kill -9` loses nothing, a power cut what was acknowledged since the last
sync. `off`: written; the system decides when it reaches the disk. In the last mode sinks are fed what a power cut may
still take back, in the first two they are not.

All state lives on the event loop; the lane's thread is given bytes and gives back a position.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

import structlog

from bridge.buffer.files import is_full
from bridge.buffer.framing import new_framer
from bridge.buffer.lane import Lane
from bridge.buffer.metrics import WalMetrics
from bridge.buffer.position import Position
from bridge.buffer.wal import Wal
from bridge.config import Wal as WalSettings
from bridge.errors import Unavailable
from bridge.native import Batch, Deletion, Framer, Head, Staged

__all__ = ["Log"]

P = ParamSpec("P")

logger = structlog.get_logger(__name__)


class _Entry:
    """A staged batch on its way through the log."""

    __slots__ = ("batch", "end", "future", "staged")

    def __init__(self, staged: Staged, batch: Batch, future: "asyncio.Future[Position]") -> None:
        self.staged = staged
        self.batch = batch
        self.future = future
        self.end = 0

    def frame(self, framer: Framer) -> bool:
        fits = framer.add(self.staged)
        self.end = framer.offset
        return fits

    def commit(self, log: "Log") -> None:
        self.staged.commit()
        _tell(log.on_commit, self.batch)


class _Tick:
    """A hold tick on its way through the log, between the batches before and after which it was asked for."""

    __slots__ = ("end", "future", "t")

    def __init__(self, t: int, future: "asyncio.Future[Position]") -> None:
        self.t = t
        self.future = future
        self.end = 0

    def frame(self, framer: Framer) -> bool:
        fits = framer.add_tick(self.t)
        self.end = framer.offset
        return fits

    def commit(self, log: "Log") -> None:
        log.head.commit_tick(self.t)


class _Deletion:
    """A deletion on its way through the log."""

    __slots__ = ("deletion", "end", "future")

    def __init__(self, deletion: Deletion, future: "asyncio.Future[Position]") -> None:
        self.deletion = deletion
        self.future = future
        self.end = 0

    def frame(self, framer: Framer) -> bool:
        fits = framer.add_deletion(self.deletion)
        self.end = framer.offset
        return fits

    def commit(self, _log: "Log") -> None:
        self.deletion.commit()


_Waiting = _Entry | _Tick | _Deletion
_Group = list[_Waiting]


class Log:
    """The way of staged batches into the log."""

    def __init__(self, head: Head, wal: Wal, settings: WalSettings, metrics: WalMetrics) -> None:
        self.head = head
        self.durable = wal.position  # sinks read up to here
        self.on_commit: list[Callable[[Batch], None]] = []
        self.on_rollback: list[Callable[[], None]] = []
        self._wal = wal
        self._settings = settings
        self._metrics = metrics
        self._lane = Lane("wal")
        self._waiting: _Group = []
        self._newest: asyncio.Future[Position] | None = None  # of what was queued last
        self._framer: Framer | None = None  # None: the next group begins a segment
        self._busy = False
        self._closed = False
        self.problem: str | None = None  # why the last group was refused, until one is taken again
        self.fatal: str | None = None  # why nothing is taken any more before a restart
        self._sync_timer: asyncio.TimerHandle | None = None
        self._progress: set[asyncio.Future[None]] = set()

    def check_open(self) -> None:
        """Raise Unavailable when nothing can be appended any more: to be asked before a batch is staged."""
        if self._closed:
            raise Unavailable(self.fatal or "the bridge is shutting down")

    def append(self, staged: Staged, batch: Batch) -> "asyncio.Future[Position]":
        """Queue a staged batch. The future gives the position behind it, once it is durable and visible.

        It fails with Unavailable when the batch was refused and rolled back.
        """
        loop = asyncio.get_running_loop()
        return self._enqueue(loop, _Entry(staged, batch, loop.create_future()))

    @property
    def segment(self) -> int:
        """Number of the segment that is being written."""
        return self._wal.position.segment

    def begin_segment(self) -> None:
        """Let the next group begin a segment, so that this one can become a part of a checkpoint."""
        if self._wal.position.offset:
            self._framer = None

    async def settled(self) -> None:
        """Return when all that has been appended so far is visible or refused."""
        if self._newest is not None and not self._newest.done():
            await asyncio.wait([self._newest])

    def tick(self, t: int) -> "asyncio.Future[Position]":
        """Queue a hold tick at `t` ms."""
        loop = asyncio.get_running_loop()
        return self._enqueue(loop, _Tick(t, loop.create_future()))

    def delete(self, deletion: Deletion) -> "asyncio.Future[Position]":
        """Queue a deletion of what was visible when it was staged."""
        loop = asyncio.get_running_loop()
        return self._enqueue(loop, _Deletion(deletion, loop.create_future()))

    async def wait_beyond(self, position: Position) -> None:
        """Return when something beyond `position` is durable."""
        while self.durable <= position:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._progress.add(future)
            try:
                await future
            finally:
                self._progress.discard(future)

    async def close(self) -> None:
        """Refuse what comes, finish what waits, finish the segment. Raises OSError when that last step fails."""
        self._closed = True
        while self._busy:
            await self._lane.call(lambda: None)
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        try:
            await self._lane.call(self._wal.close)
        finally:
            self._lane.stop()

    # -- one group ----------------------------------------------------------------------------------------------------

    def _enqueue(self, loop: asyncio.AbstractEventLoop, entry: _Waiting) -> "asyncio.Future[Position]":
        self._waiting.append(entry)
        self._newest = entry.future
        if not self._busy:
            self._busy = True
            loop.call_soon(self._write)  # soon, not now: whoever is ready in this turn of the loop shares the fsync
        return entry.future

    def _write(self) -> None:
        """Frame what waits, as far as one segment takes it, and send it to the lane."""
        group, cut = self._waiting, self._framer is None
        framer = self._framer or new_framer(self._settings)
        for taken, entry in enumerate(group):
            if entry.frame(framer):
                continue
            if taken:  # the segment is full: the rest is the next group, in the next segment
                group, self._waiting = group[:taken], group[taken:]
                break
            framer, cut = new_framer(self._settings), True
            entry.frame(framer)  # an empty segment takes anything
        else:
            self._waiting = []
        self._framer = framer
        data = framer.take()
        self._lane.run(partial(self._wal.write, data, cut=cut), partial(self._written, group, len(data)))

    def _written(self, group: _Group, size: int, end: Position | None, error: BaseException | None) -> None:
        """Acknowledge a group or refuse it, then write what has gathered meanwhile."""
        if end is None:
            self._refuse(group, error)
        else:
            self._metrics.bytes.inc(size)
            try:
                self._accept(group, end)
            except Exception as broken:  # noqa: BLE001 - whatever it is, nobody may be left waiting
                self._give_up(group, broken)
        self._busy = bool(self._waiting)
        if self._busy:
            self._write()

    def _accept(self, group: _Group, end: Position) -> None:
        for entry in group:
            entry.commit(self)
            if not entry.future.done():
                entry.future.set_result(Position(end.segment, entry.end))
        self._metrics.batches.inc(len(group))
        self._metrics.group_size.observe(len(group))
        if self.problem is not None:
            self.problem = None
            logger.info("the log accepts batches again", position=str(end))
        if self._settings.sync != "interval":
            self._advance(end)
        elif self._sync_timer is None:
            loop = asyncio.get_running_loop()
            self._sync_timer = loop.call_later(self._settings.sync_interval.seconds, self._sync)

    def _refuse(self, group: _Group, error: BaseException | None) -> None:
        refused, self._waiting = group + self._waiting, []
        self._framer = None
        self._metrics.failures.inc()
        if self.problem is None:
            logger.error("the log refuses batches", error=str(error))
        self.problem = _reason(error)
        self.head.rollback()
        _tell(self.on_rollback)
        _fail(refused, _reason(error))

    def _give_up(self, group: _Group, error: Exception) -> None:
        """The log holds what the head could not show: a state that must not be, and that only a replay can mend."""
        logger.critical("head and log disagree, nothing is accepted before a restart", error=str(error), exc_info=True)
        refused, self._waiting = group + self._waiting, []
        self._closed = True
        self.problem = self.fatal = f"the store needs a restart: {error}"
        _fail(refused, self.fatal)

    # -- durability ---------------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        self._sync_timer = None
        self._lane.run(self._wal.sync, self._synced)

    def _synced(self, end: Position | None, error: BaseException | None) -> None:
        if end is not None:
            self._advance(end)
            return
        self._framer = None
        self._metrics.failures.inc()
        logger.error("acknowledged batches may not have reached the disk", since=str(self.durable), error=str(error))

    def _advance(self, end: Position) -> None:
        self.durable = end
        for future in self._progress:
            if not future.done():
                future.set_result(None)


def _tell(callbacks: list[Callable[P, None]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call each; one that fails has broken its own promise, not that of the log."""
    for callback in callbacks:
        try:
            callback(*args, **kwargs)
        except Exception:
            logger.exception("a callback of the log failed")


def _fail(entries: _Group, reason: str) -> None:
    for entry in entries:
        if not entry.future.done():
            entry.future.set_exception(Unavailable(reason))


def _reason(error: BaseException | None) -> str:
    if isinstance(error, OSError) and is_full(error):
        return (
            f"disk full: nothing of this was stored ({error}). Free some space and send it again; no restart is needed"
        )
    return f"the log could not be written, nothing of this was stored: {error}"
