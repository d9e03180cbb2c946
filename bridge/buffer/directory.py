"""A TSDB directory as one store to read: its blocks, and what only its log holds. Ours, or a Prometheus'.

Takes no lock and changes nothing, so it works beside whoever writes there: when blocks or checkpoints have come or gone
while they were read, all is read again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from bridge.buffer.blocks import DamagedBlocks, OpenBlock
from bridge.buffer.files import Files
from bridge.buffer.inspect import FoundBlock, FoundBlocks, find_blocks, open_block
from bridge.buffer.matchers import Matchers
from bridge.buffer.querier import MAX_TIME, MIN_TIME
from bridge.buffer.replay import replay
from bridge.buffer.segments import LogDir
from bridge.buffer.view import View, reach
from bridge.clock import Clock
from bridge.errors import ConfigError, Unavailable
from bridge.native import Block, BlockBuilder, Head

__all__ = ["Directory"]

logger = structlog.get_logger(__name__)

_ATTEMPTS = 5


class Directory(View):
    """Read when it is made; blocks that appear later are left out, and those that go stay mapped."""

    def __init__(self, files: Files, path: Path, clock: Clock) -> None:
        """Read the log and map the blocks below `path`, which need not exist.

        Raises DamagedBlocks, ConfigError for a checkpoint that cannot be read, OSError, and Unavailable when its owner
        never leaves it alone.
        """
        self._files = files
        self._path = path
        self.problems: Sequence[str] = ()
        """What is wrong with the blocks that are left out: those without a meta.json that can be read."""
        head, self._blocks = self._read(clock)
        super().__init__(head, self)

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

    # -- reading beside a writer --------------------------------------------------------------------------------------

    def _read(self, clock: Clock) -> tuple[Head, Sequence[OpenBlock[Block]]]:
        log = LogDir(self._files, self._path / "wal")
        for _ in range(_ATTEMPTS):
            found, checkpoint = find_blocks(self._files, self._path), log.checkpoint_number()
            try:
                read = self._replay(log, found.blocks, clock), self._open(found.blocks)
            except (OSError, ConfigError):
                if not self._changed(log, found, checkpoint):
                    raise
            else:
                if not self._changed(log, found, checkpoint):
                    self.problems = found.problems
                    return read
        raise Unavailable(f"{self._path}: its blocks change all the time, try again")

    def _changed(self, log: LogDir, found: FoundBlocks, checkpoint: int | None) -> bool:
        """Whether something may have gone before it was read."""
        return (found, checkpoint) != (find_blocks(self._files, self._path), log.checkpoint_number())

    def _replay(self, log: LogDir, blocks: Sequence[FoundBlock], clock: Clock) -> Head:
        """What no block holds: the log may still have the rest, also what was deleted from a block."""
        head = Head()
        if (end := reach(block.meta for block in blocks)) is not None:
            head.set_min_valid(end)
        found = replay(log, head, clock)
        logger.debug("log read", path=str(self._path), **found.summary())
        return head

    def _open(self, blocks: Sequence[FoundBlock]) -> Sequence[OpenBlock[Block]]:
        opened: list[OpenBlock[Block]] = []
        problems: list[str] = []
        for block in blocks:
            try:
                reader = open_block(self._files, block.path)
            except (ValueError, OSError) as error:
                problems.append(f"{block.path}: {error}")
            else:
                opened.append(OpenBlock(block.meta, block.path, block.size, reader))
        if problems:
            raise DamagedBlocks(problems)
        return opened


def _overlapping(blocks: Sequence[OpenBlock[Block]]) -> Iterator[list[OpenBlock[Block]]]:
    run: list[OpenBlock[Block]] = []
    for block in blocks:
        if run and block.meta.mint >= max(other.meta.maxt for other in run):
            yield run
            run = []
        run.append(block)
    if run:
        yield run
