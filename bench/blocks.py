"""Blocks full of a workload, for the benchmarks that read or compact them."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from bench.workload import STEP, Specs, batch, rows
from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.files import Files
from bridge.clock import SystemClock
from bridge.native import Block, BlockBuilder, Head

__all__ = ["RANGE", "START", "Shop", "fill"]

RANGE = 2 * 3600 * 1000
START = 1_699_992_000_000 // (3 * RANGE) * 3 * RANGE  # where a block of six hours begins


class Shop:
    """A directory of blocks and what makes them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        files, clock, metrics = Files(), SystemClock(), BlockMetrics(CollectorRegistry())
        self.blocks: Blocks[Block] = Blocks(files, directory, Block, metrics)
        self.blocks.reload()
        self.compactor = Compactor(self.blocks, BlockBuilder, files=files, clock=clock, metrics=metrics)


def fill(directory: Path, of: Specs, blocks: int) -> Head:
    """So many blocks of two hours, and a head with the two minutes after them."""
    shop = Shop(directory)
    turns = rows(of, blocks * RANGE // STEP + 8, START)
    for number in range(blocks):
        head = Head()
        for _ in range(RANGE // STEP):
            head.stage(batch(next(turns))).commit()
        mint = START + number * RANGE
        shop.compactor.cut(BlockBuilder([head], mint, mint + RANGE), mint, mint + RANGE)
    head = Head()
    for turn in turns:
        head.stage(batch(turn)).commit()
    return head
