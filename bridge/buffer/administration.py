"""What an administrator may ask of the store: deletions, their end, a copy. Each waits for the upkeep to pause."""

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Generic

from bridge.buffer.blocks import Blocks
from bridge.buffer.deletions import Deletions, R
from bridge.buffer.files import Files
from bridge.buffer.maintenance import Maintenance, Memory
from bridge.buffer.matchers import Matchers
from bridge.buffer.snapshot import link_blocks
from bridge.buffer.ulid import Entropy
from bridge.clock import Clock

__all__ = ["Administration"]


class Administration(Generic[R]):
    """Rare and heavy work on memory and blocks alike. `snapshots` is the directory that copies are made in."""

    def __init__(
        self,
        blocks: Blocks[R],
        memory: Memory,
        maintenance: Maintenance[R],
        deletions: Deletions[R],
        *,
        files: Files,
        snapshots: Path,
        clock: Clock,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._blocks = blocks
        self._memory = memory
        self._maintenance = maintenance
        self._deletions = deletions
        self._files = files
        self._snapshots = snapshots
        self._clock = clock
        self._entropy = entropy

    async def delete_series(self, matchers: Matchers, mint: int, maxt: int) -> None:
        """Leave out the samples in [mint, maxt] ms of the series that match, durably, from now on.

        Raises ValueError when a matcher cannot be one, and OSError; then a part may be left out already.
        """
        async with self._maintenance.exclusive():  # or else a block could be cut between the two
            await self._maintenance.in_thread(partial(self._deletions.delete_series, matchers, mint, maxt))
            await self._memory.delete(matchers, mint, maxt)

    async def clean_tombstones(self) -> None:
        """Rewrite all blocks without what has been deleted from them. Raises OSError."""
        async with self._maintenance.exclusive():
            await self._maintenance.in_thread(self._deletions.clean_tombstones)

    async def snapshot(self, *, skip_head: bool = False) -> str:
        """Copy all blocks, and a block of what is in memory unless it is to be skipped, into a new directory below
        `snapshots`; its name. Raises OSError; then nothing of it is left, if it can be removed."""
        time = datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC)
        name = f"{time:%Y%m%dT%H%M%SZ}-{self._entropy(8).hex()}"
        target = self._snapshots / name
        async with self._maintenance.exclusive():
            try:
                await self._maintenance.in_thread(partial(link_blocks, self._files, self._blocks, target))
                if not skip_head:
                    await self._copy_memory(target)
            except BaseException:
                await self._maintenance.in_thread(partial(self._remove, target))
                raise
        return name

    async def _copy_memory(self, target: Path) -> None:
        span = self._memory.everything()
        if span is not None:
            building = await self._memory.building(span)
            copy = self._maintenance.compactor.copy
            await self._maintenance.in_thread(partial(copy, building, *span, target))

    def _remove(self, target: Path) -> None:
        if self._files.exists(target):
            self._files.remove_tree(target)
