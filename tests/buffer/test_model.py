"""The store against a model of it in a few lines, over any life: appends, ticks, clean restarts, power cuts."""

from __future__ import annotations

import asyncio
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import uvloop
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.native import AppendRefused, Batch
from tests.buffer.samples import open_store
from tests.crash.recording import CRASHES, Crash, Disk, RecordingFiles

STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

Row = tuple[str, int | None, float]

NAMES = strategies.sampled_from(["a", "b", "c"])
TIMES = strategies.none() | strategies.integers(0, 60)
VALUES = strategies.sampled_from([0.0, 1.0, 2.0]) | strategies.just(STALE)
ROWS = strategies.lists(strategies.tuples(NAMES, TIMES, VALUES), max_size=4)
BATCHES = strategies.tuples(ROWS, strategies.integers(0, 60), strategies.booleans())


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


class Model:
    """What the store should hold."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[int, float]] = {}
        self.held: set[str] = set()  # series that have ever had a held sample
        self.ticks: set[int] = set()
        self.seq = 0

    def append(self, rows: list[Row], time: int, *, held: bool) -> bool:
        """False, and nothing changed, if the batch breaks a rule."""
        for name, t, _ in rows:
            if t is None and self.samples.get(name):
                time = max(time, max(self.samples[name]) + 1)
        new: dict[str, dict[int, float]] = {name: dict(samples) for name, samples in self.samples.items()}
        stored = []
        for name, at, value in rows:
            t = time if at is None else at
            series = new.setdefault(name, {})
            newest = max(series, default=-1)
            if t < newest or (t == newest and bits(series[t]) != bits(value)):
                return False
            if t > newest:
                series[t] = value
                stored.append(name)
        self.samples = {name: series for name, series in new.items() if series}
        self.held |= set(stored) if held else set()
        self.seq += len(stored)
        return True

    def select(self, *, held: bool) -> dict[str, list[tuple[int, bytes]]]:
        """Samples by series, in order of time."""
        return {
            name: sorted((t, bits(v)) for t, v in (self._holding(name) if held else self.samples[name]).items())
            for name in self.samples
        }

    def _holding(self, name: str) -> dict[int, float]:
        samples = self.samples[name]
        if name not in self.held:
            return samples
        result = dict(samples)
        for tick in self.ticks - samples.keys():
            before = [t for t in samples if t < tick]
            if before and bits(samples[max(before)]) != bits(STALE):
                result[tick] = samples[max(before)]
        return result


class StoreLife(RuleBasedStateMachine):
    """Every operation waits for its acknowledgement, so a crash may take nothing away."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.model = Model()
        self.lives = 0

    @initialize()
    def begin(self) -> None:
        folder = self.root / "0"
        folder.mkdir()
        self.open(folder)

    def open(self, folder: Path) -> None:
        self.folder = folder
        self.files = RecordingFiles(folder)
        self.store = open_store(folder / "data", files=self.files)

    def run(self, *work: Any) -> list[Any]:
        async def together() -> list[Any]:
            return await asyncio.gather(*(make() for make in work), return_exceptions=True)

        return self.runner.run(together())

    @rule(batches=strategies.lists(BATCHES, min_size=1, max_size=4))
    def append_together(self, batches: list[tuple[list[Row], int, bool]]) -> None:
        made = [
            Batch.from_rows([({"__name__": name}, t, value) for name, t, value in rows], time, held=held)
            for rows, time, held in batches
        ]
        results = self.run(*(lambda batch=batch: self.store.append(batch) for batch in made))
        for (rows, time, held), result in zip(batches, results, strict=True):
            seq = self.model.seq
            accepted = self.model.append(rows, time, held=held)
            assert isinstance(result, AppendRefused) is not accepted, result
            if accepted:
                assert (result.seq, result.samples) == (seq, self.model.seq - seq)

    @rule(t=strategies.integers(0, 80))
    def tick(self, t: int) -> None:
        assert self.run(lambda: self.store.tick(t)) == [None]
        self.model.ticks.add(t)

    @rule()
    def reopen(self) -> None:
        assert self.run(self.store.close) == [None]
        self.open(self.folder)

    @rule(kind=strategies.sampled_from(CRASHES), seed=strategies.integers(0, 1000))
    def crash(self, kind: Crash, seed: int) -> None:
        disk = Disk()
        for operation in self.files.record:
            disk.apply(operation)
        assert self.run(self.store.close) == [None]
        self.lives += 1
        folder = self.root / str(self.lives)
        folder.mkdir()
        disk.crash(kind, seed, folder)
        self.open(folder)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert self.store.seq == self.model.seq
        for held in (False, True):
            found = {
                series.labels["__name__"]: list(zip(series.timestamps, map(bits, series.values), strict=True))
                for series in self.store.select([], held=held)
            }
            assert found == self.model.select(held=held)

    @invariant()
    def gives_a_sink_every_sample_once(self) -> None:
        position, samples = self.store.oldest(), 0
        while position < self.store.durable():
            piece, position = self.store.read(position, 3)
            samples += piece.samples
            assert piece.samples == 0 or piece.seq == samples
        assert samples == self.model.seq

    def teardown(self) -> None:
        self.run(self.store.close)
        self.runner.close()
        shutil.rmtree(self.root)


TestStoreLife = StoreLife.TestCase
TestStoreLife.settings = settings(stateful_step_count=25)
