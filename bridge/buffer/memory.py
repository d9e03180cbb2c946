"""Memory as upkeep sees it: chunks leave it for files, ranges of time for blocks, and the log behind it is cut.

open chunk ─> full chunk ─> chunks_head/ ─> block
                                │             └── from then on the head forgets it, and the log need not tell it
                                └── memory reads it from there
"""

import asyncio
from collections.abc import Iterable
from functools import partial

import anyio.to_thread

from bridge.buffer.head_chunks import HeadChunks
from bridge.buffer.log import Log
from bridge.buffer.log_upkeep import LogUpkeep
from bridge.buffer.maintenance import Span
from bridge.buffer.matchers import Matchers
from bridge.buffer.plan import BLOCK_RANGE
from bridge.native import BlockBuilder, Head, LateCut, cut_late, stage_deletion

__all__ = ["HeadMemory"]

_TRUNCATED_AT_ONCE = 2_000  # series or postings between two turns of the loop: about a millisecond


class HeadMemory:
    """Implements `bridge.buffer.maintenance.Memory`. All methods belong to the event loop."""

    def __init__(self, head: Head, log: Log, chunks: HeadChunks, log_upkeep: LogUpkeep) -> None:
        self._head = head
        self._log = log
        self._chunks = chunks
        self._log_upkeep = log_upkeep
        self._late: LateCut | None = None

    async def map_chunks(self) -> None:
        """Write full chunks to their files, and let memory use those."""
        await anyio.to_thread.run_sync(self._chunks.write)

    def next_block(self) -> Span | None:
        """The oldest range that is ready to become a block: there is half a range behind it that late samples may still
        reach, so nobody appends to it any more."""
        found = self._head.next_block()
        return None if found is None else Span(*found)

    async def building(self, span: Span) -> BlockBuilder:
        """Begin a block of that range."""
        await self._log.settled()
        return await anyio.to_thread.run_sync(partial(BlockBuilder, [self._head], span.mint, span.maxt))

    async def truncate(self, maxt: int) -> None:
        """Forget what lies before `maxt`: blocks have it."""
        self._head.truncate(maxt, self._log.segment)
        while self._head.truncate_step(_TRUNCATED_AT_ONCE):  # noqa: ASYNC110 - turns for the others, not a wait
            await asyncio.sleep(0)
        await anyio.to_thread.run_sync(self._chunks.truncate)
        self._log_upkeep.blocks_reach(maxt)

    def late_blocks(self) -> Iterable[Span]:
        """The aligned ranges of samples that came out of order and are not yet in blocks."""
        self._late = cut_late(self._head)
        found = self._late.range
        if found is None:
            return []
        first = found[0] // BLOCK_RANGE * BLOCK_RANGE
        return [Span(mint, mint + BLOCK_RANGE) for mint in range(first, found[1] + 1, BLOCK_RANGE)]

    async def late_building(self, span: Span) -> BlockBuilder:
        """Begin a block of those in that range."""
        assert self._late is not None  # noqa: S101 - upkeep has asked for the ranges
        return await anyio.to_thread.run_sync(partial(BlockBuilder, [self._late], span.mint, span.maxt))

    async def truncate_late(self) -> None:
        """Forget those that `late_blocks` named: blocks have them."""
        if self._late is not None:
            late, self._late = self._late, None
            await anyio.to_thread.run_sync(late.forget)
            await anyio.to_thread.run_sync(self._chunks.truncate)

    async def truncate_log(self) -> None:
        """Drop the part of the log that neither memory nor a reader needs any more."""
        await self._log_upkeep.truncate()

    def disk_bytes(self) -> int:
        """What the log and the mapped chunks take."""
        return self._chunks.size() + self._log_upkeep.total_bytes()

    def everything(self) -> Span | None:
        """All that is in memory; None when nothing is."""
        found = self._head.extent()
        return None if found is None else Span(found[0], found[1] + 1)

    async def delete(self, matchers: Matchers, mint: int, maxt: int) -> None:
        """Leave out the samples in [mint, maxt] of the series that match, durably."""
        await self._log.settled()
        deletion = stage_deletion(self._head, matchers, mint, maxt)
        if len(deletion):
            self._log.check_open()
            await self._log.delete(deletion)
