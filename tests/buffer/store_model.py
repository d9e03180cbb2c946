"""Blocks of the real core beside a head, for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.files import Files
from bridge.buffer.meta import BlockMeta
from bridge.buffer.querier import Querier
from bridge.clock import SystemClock
from bridge.native import Batch, Block, BlockBuilder, Head

__all__ = ["Shop", "head_of"]

Rows = Iterable[tuple[Mapping[str, str], int, float]]


def head_of(rows: Rows, *, held: bool = False) -> Head:
    """Samples in memory, in order of time."""
    head = Head()
    for labels, t, value in sorted(rows, key=lambda row: row[1]):
        head.stage(Batch.from_rows([(labels, t, value)], t, held=held)).commit()
    return head


class Shop:
    """A directory of blocks and what makes them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        files, clock, metrics = Files(), SystemClock(), BlockMetrics(CollectorRegistry())
        self.blocks: Blocks[Block] = Blocks(files, directory, Block, metrics)
        self.blocks.sweep()
        self.blocks.reload()
        self.compactor = Compactor(self.blocks, BlockBuilder, files=files, clock=clock, metrics=metrics)

    def cut(self, head: Head, mint: int, maxt: int) -> BlockMeta:
        """A block of what memory has in [mint, maxt)."""
        meta = self.compactor.cut(BlockBuilder([head], mint, maxt), mint, maxt)
        assert meta is not None
        return meta

    def querier(self, head: Head | None = None) -> Querier:
        """Reads its blocks, and memory."""
        return Querier(head, self.blocks)
