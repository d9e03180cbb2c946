"""Blocks full of a workload, for the benchmarks that read or compact them."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from bench.history import histories, write_requests
from bench.workload import PER_HOST, STEP, Specs
from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.files import Files
from bridge.clock import SystemClock
from bridge.native import Block, BlockBuilder, Head, WriteMessage, WriteRules

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


def fill(directory: Path, of: Specs, blocks: int, points: int = RANGE // STEP) -> Head:
    """So many blocks of two hours with `points` samples a series, and a head with the two minutes after them."""
    shop = Shop(directory)
    for number in range(blocks):
        mint, maxt = START + number * RANGE, START + (number + 1) * RANGE
        shop.compactor.cut(BlockBuilder([head_of(of, mint, points, RANGE // points)], mint, maxt), mint, maxt)
    return head_of(of, START + blocks * RANGE, 8, STEP)


def head_of(of: Specs, start: int, points: int, step: int) -> Head:
    """A head with `points` samples of each series, `step` ms apart. Filled host by host, half of the points at a time:
    the head takes nothing that is an hour older than what it has."""
    head, rules = Head(), WriteRules()
    newest, half = start + points * step, points // 2
    for part in (slice(half), slice(half, points)):
        for first in range(0, len(of), PER_HOST):
            host = of[first : first + PER_HOST]
            values = histories(host, points, seed=start + first)[:, part]
            for body in write_requests(host, values, start + part.indices(points)[0] * step, step):
                decoded = WriteMessage.open(body, 1, 1 << 30).decode(head, rules, newest=newest)
                head.stage(decoded.batch).commit()
    return head
