"""What a data directory holds, for reading: memory and blocks as one."""

from collections.abc import Iterator
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.files import Files
from bridge.buffer.matchers import Matchers
from bridge.buffer.querier import MAX_TIME, MIN_TIME, Querier
from bridge.buffer.replay import replay
from bridge.buffer.segments import LogDir
from bridge.clock import Clock
from bridge.errors import Unavailable
from bridge.native import Block, Head, Series

__all__ = ["View", "open_read_only", "reach"]

logger = structlog.get_logger(__name__)

_ATTEMPTS = 5


class View:
    """Samples in memory and in blocks."""

    def __init__(self, head: Head, blocks: Blocks[Block]) -> None:
        self._head = head
        self.blocks = blocks
        self.querier = Querier(head, blocks)

    @property
    def head(self) -> Head:
        """Whose series the references in the log name: for whoever encodes what `read` gives."""
        return self._head

    @property
    def seq(self) -> int:
        """Samples accepted over the life of the store."""
        return self._head.seq

    def select(
        self, matchers: Matchers, mint: int = MIN_TIME, maxt: int = MAX_TIME, *, held: bool = False
    ) -> list[Series]:
        """Series with samples in [mint, maxt] ms, one object each: `querier` has columns; `held` adds pushed values as
        held by ticks."""
        return self.querier.select(matchers, mint, maxt, held=held).series()

    def dump(
        self, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME, *, held: bool = False
    ) -> Iterator[bytes]:
        """Lines as `promtool tsdb dump` prints them, in bounded pieces, series sorted by their labels."""
        return self.querier.dump(matchers, mint, maxt, held=held)


def reach(blocks: Blocks[Block]) -> int | None:
    """Up to where blocks have all samples that came in order, ms; None without blocks."""
    whole = [block.meta.maxt for block in blocks.loaded if not block.meta.compaction.hints]
    return max(whole, default=None)


def open_read_only(path: Path, clock: Clock) -> View:
    """What the store at `path` holds, also while another process runs on it. Takes no lock and changes nothing.

    Raises DamagedBlocks, OSError, and Unavailable when that process never leaves the blocks alone.
    """
    files = Files()
    blocks = Blocks(files, path / "tsdb", Block, BlockMetrics(CollectorRegistry()))
    blocks.look()
    log = LogDir(files, path / "tsdb" / "wal")
    for _ in range(_ATTEMPTS):
        before = blocks.loaded, log.checkpoint_number()
        head = Head()
        if (end := reach(blocks)) is not None:
            head.set_min_valid(end)
        found = replay(log, head, clock)
        blocks.look()
        if before == (blocks.loaded, log.checkpoint_number()):  # else something may have gone before it was read
            logger.debug("store read", path=str(path), **found.summary())
            return View(head, blocks)
    raise Unavailable(f"{path}: its blocks change all the time, try again")
