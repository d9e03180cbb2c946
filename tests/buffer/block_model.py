"""Blocks as the simplest thing that has all their behaviour: a set of (series, time), kept as JSON in a block's files.

What the core does with bytes is tested with the core; what is tested with this is that no order of files, crashes and
failures loses or revives a sample.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.block_writer import EMPTY_TOMBSTONES
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.files import Files
from bridge.buffer.inspect import Bytes
from bridge.buffer.matchers import Matchers
from bridge.clock import SystemClock

__all__ = ["Building", "Model", "Sample", "Workshop", "merge", "samples_in"]

Sample = tuple[str, int]


class Model:
    """An open block."""

    def __init__(self, index: Bytes, chunks: Sequence[Bytes], tombstones: Bytes | None, _held: Bytes | None) -> None:
        self.names: list[str] = json.loads(index[:])
        self._chunks = [data[:] for data in chunks]
        stones = (tombstones or EMPTY_TOMBSTONES)[:]
        self.stones: list[tuple[str, int, int]] = [] if stones == EMPTY_TOMBSTONES else json.loads(stones)

    @property
    def tombstones(self) -> int:
        return len(self.stones)

    def samples(self) -> Iterator[Sample]:
        """Those not deleted. Raises ValueError when the chunks are damaged."""
        for data in self._chunks:
            for name, t in json.loads(data):
                if not any(name == stone and mint <= t <= maxt for stone, mint, maxt in self.stones):
                    yield name, t

    def delete(self, matchers: Matchers, mint: int, maxt: int) -> tuple[bytes, int] | None:
        """Of the series that the one matcher names."""
        ((_, op, name),) = matchers
        if op != "=":
            raise ValueError(f"unknown operator {op}")
        times = sorted(t for series, t in self.samples() if series == name and mint <= t <= maxt)
        if not times:
            return None
        stones = [*self.stones, (name, max(mint, times[0]), min(maxt, times[-1]))]
        return json.dumps(stones).encode(), len(stones)


class Building:
    """A block on its way: one step a series, one for the index."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._given = samples
        self._by_name: dict[str, list[int]] = {}
        self._steps: Iterator[list[tuple[int, bytes]]] = self._build()
        self.held = None
        self.series = self.chunks = self.float_samples = self.histogram_samples = 0

    @property
    def stats(self) -> Building:
        return self

    def step(self, _max_bytes: int) -> list[tuple[int, bytes]] | None:
        return next(self._steps, None)

    def _build(self) -> Iterator[list[tuple[int, bytes]]]:
        by_name = defaultdict(set)
        for name, t in self._given:
            by_name[name].add(t)
        for number, (name, times) in enumerate(sorted(by_name.items()), start=1):
            self.series, self.chunks = number, number
            self.float_samples += len(times)
            text = json.dumps([(name, t) for t in sorted(times)]).encode()
            yield [(number, text[:7]), (number, text[7:])]
        if by_name:
            yield [(0, json.dumps(sorted(by_name)).encode())]


def merge(readers: Sequence[Model], mint: int, maxt: int) -> Building:
    """One of several."""
    return Building((name, t) for reader in readers for name, t in reader.samples() if mint <= t < maxt)


class Workshop:
    """A directory of such blocks with all that looks after them."""

    def __init__(self, directory: Path, files: Files | None = None) -> None:
        self.files = files or Files()
        self.registry = CollectorRegistry()
        self.metrics = BlockMetrics(self.registry)
        self.blocks = Blocks(self.files, directory, Model, self.metrics)
        self.blocks.sweep()
        self.blocks.reload()
        self.compactor = Compactor(self.blocks, merge, files=self.files, clock=SystemClock(), metrics=self.metrics)

    def metric(self, name: str, **labels: str) -> float | None:
        """A value of `pushbridge_tsdb_*`."""
        return self.registry.get_sample_value(f"pushbridge_tsdb_{name}", labels)

    def samples(self) -> set[Sample]:
        """All that readers see."""
        return samples_in(self.blocks)

    def cut(self, mint: int, maxt: int, *names: str, step: int = 5) -> None:
        """A block with samples of these series."""
        self.compactor.cut(Building((name, t) for name in names for t in range(mint, maxt, step)), mint, maxt)


def samples_in(blocks: Blocks[Model]) -> set[Sample]:
    """All that readers see."""
    with blocks.reading() as loaded:
        return {sample for block in loaded for sample in block.reader.samples()}
