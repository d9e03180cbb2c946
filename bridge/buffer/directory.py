"""A TSDB directory as one store to read: its blocks, and what only its log holds. Ours, or a Prometheus'.

Takes no lock and changes nothing, so it works beside whoever writes there.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bridge.buffer.blocks import OpenBlock
from bridge.buffer.files import Files
from bridge.buffer.inspect import find_blocks, open_block
from bridge.buffer.matchers import Matchers
from bridge.buffer.querier import MAX_TIME, MIN_TIME, Querier
from bridge.buffer.replay import replay
from bridge.buffer.segments import LogDir
from bridge.clock import Clock
from bridge.native import Block, BlockBuilder, Head

__all__ = ["Directory"]


class Directory:
    """Read when it is made; blocks that appear later are left out, and those that go stay mapped."""

    def __init__(self, files: Files, path: Path, clock: Clock) -> None:
        """Read the log and map the blocks below `path`. Raises BlockDamaged and OSError."""
        self.head = Head()
        # What blocks hold is read from them: the log may still have it, also where it was deleted from a block.
        self._in_blocks = max(
            (block.meta.maxt for block in find_blocks(files, path).blocks if block.meta.whole), default=None
        )
        if self._in_blocks is not None:
            self.head.set_min_valid(self._in_blocks)
        replay(LogDir(files, path / "wal"), self.head, clock)
        self._blocks = tuple(self._open(files, path))
        self.querier = Querier(self.head, self)

    @staticmethod
    def _open(files: Files, path: Path) -> Iterator[OpenBlock[Block]]:
        # Looked for once more: what has left the log meanwhile is in a block.
        for found in find_blocks(files, path).blocks:
            with contextlib.suppress(FileNotFoundError):  # its owner has deleted it
                yield OpenBlock(found.meta, found.path, found.size, open_block(files, found.path))

    @property
    def blocks(self) -> Sequence[OpenBlock[Block]]:
        """The blocks, by their beginning."""
        return self._blocks

    @contextmanager
    def reading(self) -> Iterator[Sequence[OpenBlock[Block]]]:
        """The blocks; they don't change."""
        yield self._blocks

    def copies(
        self, matchers: Matchers, mint: int = MIN_TIME, maxt: int = MAX_TIME, *, block_range: int
    ) -> Iterator[BlockBuilder]:
        """New blocks of all samples in [mint, maxt] of the series that match: one for each run of blocks that overlap,
        and of `block_range` ms each for what only the log holds. Raises CompactionFailed, ValueError."""
        for run in _overlapping([block for block in self._blocks if block.meta.overlaps(mint, maxt)]):
            first = max(mint, min(block.meta.mint for block in run))
            end = min(maxt + 1, max(block.meta.maxt for block in run))
            yield BlockBuilder([block.reader for block in run], first, end, matchers=matchers)
        if self.head.min_time is None or self.head.max_time is None:
            return
        start = self.head.min_time // block_range * block_range
        while start <= min(self.head.max_time, maxt):
            first, end = max(start, mint), min(start + block_range, maxt + 1)
            if first < end:
                yield BlockBuilder([self.head], first, end, matchers=matchers)
            start += block_range


def _overlapping(blocks: Sequence[OpenBlock[Block]]) -> Iterator[list[OpenBlock[Block]]]:
    run: list[OpenBlock[Block]] = []
    for block in blocks:
        if run and block.meta.mint >= max(other.meta.maxt for other in run):
            yield run
            run = []
        run.append(block)
    if run:
        yield run
