"""What a directory holds, for reading: memory and blocks as one."""

from collections.abc import Iterable, Iterator

from bridge.buffer.matchers import Matchers
from bridge.buffer.meta import BlockMeta
from bridge.buffer.querier import MAX_TIME, MIN_TIME, BlockSource, Querier
from bridge.native import Head, Series

__all__ = ["View", "reach"]


class View:
    """Samples in memory and in blocks."""

    def __init__(self, head: Head, blocks: BlockSource) -> None:
        self._head = head
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


def reach(blocks: Iterable[BlockMeta]) -> int | None:
    """Up to where blocks have all samples that came in order, ms; None without such blocks."""
    return max((meta.maxt for meta in blocks if meta.whole), default=None)
