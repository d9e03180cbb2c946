"""A store, a sink that is fed from it, and the account that a test keeps of what went in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import anyio
from prometheus_client import CollectorRegistry

from bridge.buffer import CURSORS, Cursors, Files, Position, State, Store
from bridge.clock import Clock, SystemClock
from bridge.config import InfluxSink
from bridge.forward import DeadLetters, ForwardMetrics, History, Pace, Sink, SinkSettings, StoredHistory
from bridge.native import Batch
from tests.buffer.samples import SMALL, dump, open_store
from tests.edge.serving import serving, until
from tests.forward.fake_influx import FakeInflux

__all__ = ["FAST", "Counting", "Rig", "line_of", "rig", "rig_of"]

FAST = Pace(first=0.002, cap=0.02, retry_after_cap=0.3, probe=0.005, probe_cap=0.02, doubts=3, letters=0.01, stop=2.0)


def line_of(labels: Mapping[str, str]) -> str:
    """The series of a line for labels that need no escaping."""
    tags = "".join(f",{name}={value}" for name, value in sorted(labels.items()) if name != "__name__")
    return labels["__name__"] + tags


class Counting(SystemClock):
    """Time for durations goes on by a microsecond at each look: no answer is slow because the machine is."""

    def __init__(self) -> None:
        self._looks = itertools.count()

    def monotonic(self) -> float:
        """Seconds; never the same twice."""
        return next(self._looks) / 1_000_000


class Rig:
    """Everything between `push` and the fake's `points`."""

    def __init__(
        self, folder: Path, fake: FakeInflux, port: int, settings: dict[str, Any], pace: Pace | None, clock: Clock
    ) -> None:
        self.folder = folder
        self.fake = fake
        self.pace = pace
        self.clock = clock
        self.storage = settings.pop("storage", SMALL)
        self.settings = self.sink_settings(port, settings)
        self.accepted: dict[tuple[str, int], float] = {}
        self.registry = CollectorRegistry()
        self.files = Files()
        self.store: Store
        self.state: State
        self.cursors: Cursors
        self.history: History
        self.sink: Sink
        self.sink_registry: CollectorRegistry
        self._task: asyncio.Task[None]
        self.now = 1_000

    def sink_settings(self, port: int, settings: dict[str, Any]) -> SinkSettings:
        """The sink's, for a fake at `port`."""
        destination = {"bucket": "b", "org": "o"} if self.fake.version == 2 else {"db": "d"}
        return InfluxSink(
            **{"name": "main", "url": f"http://127.0.0.1:{port}", "batch_samples": 100} | destination | settings
        )

    def open(self) -> None:
        """Open the data directory and start the sink."""
        self.registry = CollectorRegistry()
        self.store = open_store(self.folder, registry=self.registry, clock=self.clock, settings=self.storage)
        self.history = self.new_history()
        self.open_state()
        self.store.add_readers(self.cursors)
        self.start_sink()

    def open_state(self) -> None:
        """Open the state database."""
        self.state = State.open(self.folder / "state.db", [CURSORS], self.files)
        self.cursors = Cursors(self.state)

    def new_history(self) -> History:
        """What the sink is given."""
        return StoredHistory(self.store.querier)

    def start_sink(self) -> None:
        """A sink at the saved cursor."""
        self.sink_registry = CollectorRegistry()
        self.sink = Sink(
            self.settings,
            log=self.store,
            history=self.history,
            cursors=self.cursors,
            files=self.files,
            rejected=self.folder / "rejected",
            clock=self.clock,
            metrics=ForwardMetrics(self.sink_registry),
            pace=self.pace,
        )
        self._task = asyncio.create_task(self.sink.run())

    async def restart(self) -> None:
        """A graceful end of all of it, and a start with what is on the disk."""
        await self.close()
        self.open()

    async def stop_sink(self) -> None:
        """A graceful stop."""
        self.sink.stop()
        with anyio.fail_after(60):
            await self._task

    async def kill_sink(self) -> None:
        """An end without a goodbye: what is not saved yet is not saved any more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def close(self) -> None:
        """Stop all of it."""
        await self.stop_sink()
        await self.store.close()
        await self.state.close()

    async def push(
        self,
        count: int = 1,
        *,
        metric: str = "m",
        value: Callable[[int], float] = float,
        time: int | None = None,
        padding: str = "",
    ) -> None:
        """Append one batch of `count` series, at a time of its own unless `time` says when."""
        self.now += time is None
        t = self.now if time is None else time
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": metric, "n": str(n)} | ({"pad": padding} if padding else {}), t, value(n))
            for n in range(count)
        ]
        await self.store.append(Batch.from_rows(rows, t))
        self.accepted |= {(line_of(labels), t): v for labels, _, v in rows}

    async def cut(self) -> None:
        """Push until the log is in its next segment."""
        segment = self.store.durable().segment
        while self.store.durable().segment == segment:
            await self.push(metric="filler", padding=secrets.token_hex(10_000))

    async def truncate(self) -> list[str]:
        """Let all segments go but the one that is written, as the store does when a sink is too far behind."""
        oldest = Position(self.store.durable().segment, 0)
        behind = await self.store.note_gaps(self.cursors, oldest)
        for path in (self.folder / "tsdb" / "wal").iterdir():
            if int(path.name) < oldest.segment:
                path.unlink()
        return behind

    @property
    def letters(self) -> DeadLetters:
        """The sink's dead letters."""
        return DeadLetters(self.files, self.folder / "rejected" / self.settings.name)

    def held(self) -> dict[Any, float]:
        """What the sink has, by series and time."""
        return {key: float(fields.removeprefix("value=")) for key, fields in self.fake.points.items()}

    def stored(self) -> dict[Any, float]:
        """What the store has, likewise."""
        found = {}
        for line in dump(self.store).splitlines():
            series, value, t = line.rsplit(" ", 2)
            labels = dict(pair.split("=", 1) for pair in series[1:-1].split(", "))
            found[self.key_of({name: text.strip('"') for name, text in labels.items()}, int(t))] = float(value)
        return found

    @staticmethod
    def key_of(labels: Mapping[str, str], t: int) -> Any:
        """How a sample is told from others."""
        return line_of(labels), t

    async def fill(self, batches: int, count: int = 20) -> None:
        """A backlog of so many batches of `count` samples, that the sink begins with when it starts again."""
        await self.stop_sink()
        for _ in range(batches):
            await self.push(count)
        self.start_sink()

    async def widened(self, concurrency: int, count: int = 20) -> None:
        """Fill the sink until it is sent so many requests at a time: it is when enough of them have waited for others
        to be answered, and whether they do is up to the machine."""
        with anyio.fail_after(60):
            while self.sink.status().concurrency < concurrency:
                await self.fill(40, count)
                await self.drained()

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        await until(lambda: self.sink.status().pending == 0)

    async def check(self) -> None:
        """Everything accepted is at the sink or a dead letter, once and unchanged, and the account says the same."""
        await self.drained()
        await until(lambda: self.sink.status().account.catching_up is None)
        status = self.sink.status()
        assert status.identity_holds, status
        assert self.store.seq == len(self.accepted)
        dead = {self._key(letter.line): letter.line for letter in self.letters.letters() if letter.state != "settled"}
        assert self.held() == {key: value for key, value in self.accepted.items() if key not in dead}
        assert self.fake.conflicts == []
        assert status.account.sent + status.account.dead_lettered == len(self.accepted)

    @staticmethod
    def _key(line: str) -> tuple[str, int]:
        series, _, time = line.rsplit(" ", 2)
        return series, int(time)


R = TypeVar("R", bound=Rig)


@contextlib.asynccontextmanager
async def rig_of(
    kind: type[R],
    folder: Path,
    fake: Any = None,
    pace: Pace | None = FAST,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[R]:
    """A running rig of some kind. Without a `pace` the sink has that of its kind, by `clock`; without a clock the time
    is the machine's, but for what the sink measures."""
    fake = fake or FakeInflux()
    async with serving(fake) as port:
        found = kind(folder, fake, port, settings, pace, clock or Counting())
        found.open()
        try:
            yield found
        finally:
            await found.close()


@contextlib.asynccontextmanager
async def rig(folder: Path, fake: FakeInflux | None = None, pace: Pace = FAST, **settings: Any) -> AsyncIterator[Rig]:
    """A running rig."""
    async with rig_of(Rig, folder, fake, pace, **settings) as found:
        yield found
