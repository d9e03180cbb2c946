"""Deleting series from blocks: noted at once in tombstones, carried out when a block is rewritten.

A tombstone is an interval of a series that readers leave out. A block's tombstones are one file that is replaced whole,
so a deletion is there for a block or not; several blocks take it one after the other, and a crash between them leaves
it for the rest undone: the client has had no answer then, and asks again.
"""

from typing import Generic, Protocol, TypeVar

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks, OpenBlock
from bridge.buffer.compact import Compactor
from bridge.buffer.matchers import Matchers
from bridge.clock import Clock

__all__ = ["Deletable", "Deletions"]


class Deletable(Protocol):
    """What a reader of a block offers for deletions."""

    @property
    def tombstones(self) -> int:
        """Intervals that readers leave out."""

    def delete(self, matchers: Matchers, mint: int, maxt: int) -> tuple[bytes, int] | None:
        """The tombstones file with [mint, maxt] added for each matching series that has chunks there, clamped to the
        times of its samples, and its number of intervals; None when no series has. Raises ValueError for a matcher
        that cannot be one, or when the index is damaged."""


R = TypeVar("R", bound=Deletable)


class Deletions(Generic[R]):
    """Deletions in the blocks of one directory, in the thread that looks after them."""

    def __init__(self, blocks: Blocks[R], compactor: Compactor[R], *, clock: Clock, metrics: BlockMetrics) -> None:
        self._blocks = blocks
        self._compactor = compactor
        self._clock = clock
        self._metrics = metrics

    def delete_series(self, matchers: Matchers, mint: int, maxt: int) -> int:
        """Leave out the samples in [mint, maxt] ms of the series that match, durably, from now on; the number of blocks
        that have some. Raises OSError and ValueError; then some blocks may have taken it and others not."""
        changed = 0
        for block in self._blocks.loaded:
            if not block.meta.overlaps(mint, maxt):
                continue
            noted = block.reader.delete(matchers, mint, maxt)
            if noted is not None:
                self._blocks.rewrite_tombstones(block.meta.ulid, *noted)
                changed += 1
        return changed

    def clean_tombstones(self) -> int:
        """Rewrite every block that has tombstones; how many there were. Raises OSError, ValueError, Stopped; the blocks
        that were done by then stay done."""
        began = self._clock.monotonic()
        cleaned = 0
        while (block := self._next()) is not None:
            self._compactor.clean(block)
            cleaned += 1
        self._metrics.cleanup_seconds.observe(self._clock.monotonic() - began)
        return cleaned

    def _next(self) -> OpenBlock[R] | None:
        return next((block for block in self._blocks.loaded if block.reader.tombstones), None)
