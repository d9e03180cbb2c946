"""The store's upkeep, once a minute: memory becomes blocks, blocks become larger ones, old ones go, the log is cut.

Each phase looks at what there is and does what is due, so one that fails is simply tried again a minute later, and none
of them waits for another: a full disk that stops compaction does not stop the retention that would free it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Building, Compactor, Stopped
from bridge.buffer.files import Files
from bridge.buffer.lane import Lane
from bridge.buffer.matchers import Matchers
from bridge.buffer.meta import BlockMeta
from bridge.buffer.plan import block_ranges
from bridge.buffer.retention import Limits, expired, kept_for
from bridge.config import Storage
from bridge.errors import BridgeError

__all__ = ["INTERVAL", "Maintenance", "Memory", "Span"]

logger = structlog.get_logger(__name__)

INTERVAL = 60.0
"""Seconds between two rounds, as in Prometheus."""

R = TypeVar("R")
T = TypeVar("T")


class Span(NamedTuple):
    """[mint, maxt), ms: what a block of memory will cover."""

    mint: int
    maxt: int


class Memory(Protocol):
    """What upkeep needs of the head and its log. Everything is called on the event loop, and may raise OSError."""

    async def map_chunks(self) -> None:
        """Write full chunks to their files, and let memory use those."""

    def next_block(self) -> Span | None:
        """The oldest range that is ready to become a block; None when none is."""

    async def building(self, span: Span) -> Building:
        """Begin a block of that range, once nobody appends there any more."""

    async def truncate(self, maxt: int) -> None:
        """Forget what lies before `maxt`: blocks have it."""

    def late_blocks(self) -> Iterable[Span]:
        """The ranges of samples that came out of order and are not yet in blocks."""

    async def late_building(self, span: Span) -> Building:
        """Begin a block of those in that range."""

    async def truncate_late(self) -> None:
        """Forget those that `late_blocks` named: blocks have them."""

    async def truncate_log(self) -> None:
        """Drop the part of the log that neither memory nor a reader needs any more."""

    def disk_bytes(self) -> int:
        """What the log and the mapped chunks take."""

    def everything(self) -> Span | None:
        """All that is in memory; None when nothing is."""

    async def delete(self, matchers: Matchers, mint: int, maxt: int) -> None:
        """Leave out the samples in [mint, maxt] of the series that match, durably."""


class Maintenance(Generic[R]):
    """Upkeep of one store. All work on blocks, also that of the admin API, runs in its thread, one piece at a time."""

    def __init__(
        self,
        blocks: Blocks[R],
        memory: Memory,
        compactor: Compactor[R],
        settings: Storage,
        *,
        files: Files,
        metrics: BlockMetrics,
    ) -> None:
        self._blocks = blocks
        self._memory = memory
        self.compactor = compactor
        self._files = files
        self._metrics = metrics
        self._lane = Lane("blocks")
        self._busy = asyncio.Lock()
        self._due = asyncio.Event()
        self.configure(settings)
        self._phases: dict[str, Callable[[], Awaitable[object]]] = {
            "reload": lambda: self.in_thread(blocks.reload),
            "chunks": memory.map_chunks,
            "head": self._cut_head,
            "out_of_order": self._cut_late,
            "log": memory.truncate_log,
            "compact": self._compact,
            "retention": self._retain,
            "remove": lambda: self.in_thread(blocks.bury),
        }
        metrics.show("retention_limit_seconds", "Age at which blocks go; 0 for none.", lambda: self._limits.time / 1000)
        metrics.show("retention_limit_bytes", "Size at which blocks go; 0 for none.", lambda: self._limits.size)
        metrics.show(
            "retention_limit_percentage", "Share of the disk at which blocks go.", lambda: self._limits.percentage
        )

    def configure(self, settings: Storage) -> None:
        """Take new limits; they count from the next round."""
        self._limits = Limits.of(settings.retention)
        self._ranges = block_ranges(self._limits.time, settings.max_block_duration)

    async def run(self) -> None:
        """A round a minute, or sooner when asked, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), INTERVAL)
            self._due.clear()
            await self.tick()

    def kept_for(self, newest: int | None) -> int | None:
        """How old samples become before retention deletes them, ms, when the newest is of the time `newest`; None for
        ever."""
        others, blocks = self._memory.disk_bytes(), self._blocks
        disk = self._files.disk_size(blocks.directory) if self._limits.percentage else 0
        return kept_for(blocks.sized(), self._limits, newest=newest, other_bytes=others, disk=disk)

    def hurry(self) -> None:
        """Do not wait for the minute: memory is ready to become a block."""
        self._due.set()

    async def tick(self) -> None:
        """One round. A phase that fails is logged and counted, and the others are done all the same."""
        for name, phase in self._phases.items():
            if self.compactor.stopped:
                return
            try:
                async with self._busy:
                    await phase()
            except Stopped:
                return
            except (BridgeError, OSError, ValueError) as error:
                self._metrics.phase_failures.labels(name).inc()
                logger.warning("upkeep failed, trying again", phase=name, reason=str(error))
            except Exception:  # a fault of ours in one phase must not end the others
                self._metrics.phase_failures.labels(name).inc()
                logger.exception("upkeep failed, trying again", phase=name)

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Between two phases, and no phase begins before the end of the `async with`: for the admin API."""
        return self._busy

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run a piece of work on blocks in their thread, within a phase or `exclusive`. Raises what it raises."""
        return (await self._lane.call(lambda: (work(),)))[0]

    def close(self) -> None:
        """Give up what is being written and end the thread; `run` has been cancelled before."""
        self.compactor.stop()
        self._lane.stop()

    # -- the phases ---------------------------------------------------------------------------------------------------

    async def _cut_head(self) -> None:
        while (span := self._memory.next_block()) is not None:
            building = await self._memory.building(span)
            await self.in_thread(partial(self.compactor.cut, building, *span))
            await self._memory.truncate(span.maxt)

    async def _cut_late(self) -> None:
        written: list[BlockMeta] = []
        try:
            for span in self._memory.late_blocks():
                building = await self._memory.late_building(span)
                block = await self.in_thread(partial(self.compactor.cut, building, *span, out_of_order=True))
                written += [block] if block else []
        except BaseException:  # memory keeps all of them then, and the next round would write these once more
            await self.in_thread(partial(self._blocks.drop, {block.ulid for block in written}))
            raise
        if written:
            await self._memory.truncate_late()

    async def _compact(self) -> None:
        """One plan at a time, as long as memory has nothing more urgent."""
        while self._memory.next_block() is None:
            if not await self.in_thread(partial(self.compactor.compact, self._ranges)):
                return

    async def _retain(self) -> None:
        await self.in_thread(partial(self._expire, self._memory.disk_bytes()))

    def _expire(self, other_bytes: int) -> None:
        disk = self._files.disk_size(self._blocks.directory) if self._limits.percentage else 0
        gone = expired(self._blocks.sized(), self._limits, other_bytes=other_bytes, disk=disk)
        for ulid, cause in gone.items():
            logger.info("block has to go", block=ulid, cause=cause)
            if cause in self._metrics.retentions:
                self._metrics.retentions[cause].inc()
        if gone:
            self._blocks.drop(gone)
