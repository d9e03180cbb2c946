"""Stored history sent again: all of the time asked for and nothing else, however often it is stopped."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import Response

from bridge.clock import SystemClock
from bridge.config import InfluxSink, RelabelConfig, RemoteWriteSink
from bridge.forward import History, Replay, ReplayState, SinkSettings, StoredHistory
from bridge.forward.history import Columns
from bridge.forward.payload import Encoder, Payload
from tests.edge.serving import serving, until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux, Write
from tests.forward.fake_receiver import FakeReceiver
from tests.forward.fake_receiver import Write as ReceivedWrite
from tests.forward.rig import FAST, Rig, rig

pytestmark = pytest.mark.anyio


class Target:
    """A second sink, to which what the first one got is sent again."""

    def __init__(self, fake: FakeInflux, port: int) -> None:
        self.fake = fake
        self.settings: SinkSettings = InfluxSink(
            name="second", url=f"http://127.0.0.1:{port}", bucket="b", batch_samples="5", in_flight="2", timeout="30s"
        )
        self.saved: list[ReplayState] = []

    def replay(self, history: History, state: ReplayState) -> Replay:
        return Replay(self.settings, history, state, save=self.save, clock=SystemClock(), pace=FAST)

    async def save(self, state: ReplayState) -> None:
        self.saved.append(ReplayState.from_json(state.to_json()))


@asynccontextmanager
async def filled(folder: Path, fake: FakeInflux | None = None) -> AsyncIterator[tuple[Rig, Target]]:
    """A store with batches at 0, 20,000, 40,000... ms, and a second sink."""
    fake = fake or FakeInflux(version=2)
    async with rig(folder) as r, serving(fake) as port:
        for t in range(30):
            await r.push(10, time=20_000 * t)
        yield r, Target(fake, port)


def points(r: Rig, mint: int, maxt: int) -> set[tuple[str, int]]:
    return {key for key in r.accepted if mint <= key[1] <= maxt}


async def test_the_time_asked_for_and_nothing_else(tmp_path: Path) -> None:
    async with filled(tmp_path) as (r, target):
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(40_000, 379_999))
        assert await replay.run()
        assert set(target.fake.points) == points(r, 40_000, 379_999)
        assert (replay.state.sent, replay.state.share, replay.state.left) == (170, 1.0, ())
        assert len(target.saved) > 1
        assert max(len(write.lines) for write in target.fake.writes) == 5


async def test_only_the_series_asked_for(tmp_path: Path) -> None:
    async with filled(tmp_path) as (r, target):
        history = StoredHistory(r.store.querier, [("n", "=~", "3|4")])
        replay = target.replay(history, ReplayState.of(0, 1 << 40))
        assert await replay.run()
        assert set(target.fake.points) == {key for key in r.accepted if key[0] in {"m,n=3", "m,n=4"}}


async def test_nothing_there(tmp_path: Path) -> None:
    async with filled(tmp_path) as (r, target):
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(-(1 << 50), -1))
        assert await replay.run()
        assert (replay.sent, target.fake.writes) == (0, [])


async def test_held_values_are_not_sent(tmp_path: Path) -> None:
    async with filled(tmp_path) as (r, target):
        await r.store.tick(10_000)
        assert await target.replay(StoredHistory(r.store.querier), ReplayState.of(0, 1 << 40)).run()
        assert set(target.fake.points) == set(r.accepted)


async def test_what_is_refused_and_what_no_line_can_carry_is_told(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "conflict" if line.startswith("m,n=7 ") else None)
    async with filled(tmp_path, fake) as (r, target):
        await r.push(3, metric="odd", time=5, value=lambda n: [math.inf, math.nan, 1.0][n])
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(0, 1 << 40))
        assert await replay.run()
        state = replay.state
        assert state.unrepresentable == {"inf": 1, "nan": 1}
        assert sum(state.refused.values()) == replay.refused == 30
        assert all("conflict" in reason and reason.startswith("422 ") for reason in state.refused)
        assert state.sent == len(fake.points) == 271


@pytest.mark.parametrize("stops", range(6))
async def test_stops_and_crashes_repeat_a_window_and_count_nothing_twice(tmp_path: Path, stops: int) -> None:
    async with filled(tmp_path) as (r, target):
        state, rounds = ReplayState.of(0, 600_000), 0
        while True:
            replay = target.replay(StoredHistory(r.store.querier), state)
            task = asyncio.create_task(replay.run())
            for _ in range(20 + stops * 13 + rounds * 7):
                await asyncio.sleep(0)
            if task.done():
                break
            if (rounds + stops) % 2:
                replay.stop()
                with anyio.fail_after(60):
                    await task
            else:
                task.cancel()
                await asyncio.wait({task})
            state = target.saved[-1] if target.saved else state
            rounds += 1
            assert rounds < 200
        assert await task
        assert replay.state.sent == len(target.fake.points) == 300
        assert set(target.fake.points) == set(r.accepted)
        assert rounds > 1


async def test_a_sink_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, always=faults.answers(503, "starting"))
    async with filled(tmp_path, fake) as (r, target):
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(0, 600_000))
        task = asyncio.create_task(replay.run())
        await until(lambda: len(fake.writes) > 5)
        assert replay.problem == "503: starting"
        assert replay.state.left == ((0, 600_000),)
        fake.always = None
        assert await task
        assert (replay.problem, len(fake.points)) == ("", 300)


async def test_requests_at_a_time_are_bounded(tmp_path: Path) -> None:
    at_a_time = most = 0

    async def counting(sink: FakeInflux, write: Write) -> Response:
        nonlocal at_a_time, most
        at_a_time += 1
        most = max(most, at_a_time)
        await asyncio.sleep(0.002)
        at_a_time -= 1
        return sink.serve(write)

    async with filled(tmp_path, FakeInflux(version=2, always=counting)) as (r, target):
        assert await target.replay(StoredHistory(r.store.querier), ReplayState.of(0, 600_000)).run()
        assert most == 2


async def test_pieces_set_out_in_order_however_long_they_take_to_be_made(tmp_path: Path) -> None:
    others_first = threading.Event()

    async def arrive(sink: FakeReceiver, write: ReceivedWrite) -> Response:
        others_first.set()
        return sink.serve(write)

    class Slow:
        """The first piece of a window waits for a moment whether others are sent before it."""

        def __init__(self, columns: Columns) -> None:
            self._columns = columns

        def __len__(self) -> int:
            return len(self._columns)

        def encode(self, start: int, stop: int, encoder: Encoder) -> Payload:
            if start == 0:
                others_first.wait(0.2)
            return self._columns.encode(start, stop, encoder)

    receiver = FakeReceiver(always=arrive)
    async with filled(tmp_path) as (r, target), serving(receiver) as port:
        url = f"http://127.0.0.1:{port}/api/v1/write"
        target.settings = RemoteWriteSink(
            name="second", url=url, queue_config={"max_samples_per_send": "20", "max_shards": "4"}
        ).with_external_labels({})
        history = StoredHistory(r.store.querier)
        replay = target.replay(lambda *span: Slow(history(*span)), ReplayState.of(0, 1 << 40))
        assert await replay.run()
        assert (replay.state.sent, replay.refused, len(receiver.rows)) == (300, 0, 300)


ROUTES: dict[str, tuple[dict[str, Any], Callable[[int], str | None]]] = {
    "match": ({"match": ('{n=~"3|4"}', '{n="7"}')}, lambda n: f"m,n={n}" if n in {3, 4, 7} else None),
    "rules": (
        {
            "write_relabel_configs": (
                RelabelConfig(source_labels=("n",), regex="[0-4]", action="drop"),
                RelabelConfig(source_labels=("__name__", "n"), separator="_", target_label="__name__"),
                RelabelConfig(regex="n", action="labeldrop"),
            )
        },
        lambda n: f"m_{n}" if n > 4 else None,
    ),
}


@pytest.mark.parametrize("route", ROUTES)
async def test_the_sinks_own_route_is_gone_too(tmp_path: Path, route: str) -> None:
    """What the sink filters and renames is filtered and renamed again, and counted."""
    settings, name = ROUTES[route]
    async with filled(tmp_path) as (r, target):
        target.settings = target.settings.model_copy(update=settings)
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(0, 1 << 40))
        assert await replay.run()
        kept = [name(n) for n in range(10) if name(n)]
        assert set(target.fake.points) == {(series, 20_000 * t) for series in kept for t in range(30)}
        assert replay.state.sent == 30 * len(kept)
        assert replay.state.unrepresentable == {"filtered": 30 * (10 - len(kept))}


async def test_a_receivers_own_route_is_gone_too(tmp_path: Path) -> None:
    receiver = FakeReceiver()
    rules = (
        RelabelConfig(source_labels=("n",), regex="[0-4]", action="drop"),
        RelabelConfig(source_labels=("dc",), target_label="where"),
    )
    async with filled(tmp_path) as (r, target), serving(receiver) as port:
        url = f"http://127.0.0.1:{port}/api/v1/write"
        sink = RemoteWriteSink(name="second", url=url, write_relabel_configs=rules)
        target.settings = sink.with_external_labels({"dc": "one"})
        replay = target.replay(StoredHistory(r.store.querier), ReplayState.of(100_000, 199_999))
        assert await replay.run()
        wanted = {
            ((("__name__", "m"), ("dc", "one"), ("n", str(n)), ("where", "one")), 20_000 * t)
            for n in range(5, 10)
            for t in range(5, 10)
        }
        assert set(receiver.rows) == wanted
        assert (replay.state.sent, replay.state.unrepresentable) == (25, {"filtered": 25})
