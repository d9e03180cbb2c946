"""How much a real sink is sent at a time, as its answers go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from prometheus_client import generate_latest
from starlette.responses import PlainTextResponse, Response

from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.forward import fake_receiver
from tests.forward.fake_influx import FakeInflux, Write, error
from tests.forward.fake_receiver import FakeReceiver
from tests.forward.faults import answers, slow
from tests.forward.remote_rig import remote_rig
from tests.forward.rig import Rig, rig, rig_of

pytestmark = pytest.mark.anyio


class Busy:
    """An InfluxDB that works on so many requests at a time and refuses all others. It takes its time over each: until
    it is sent as many as it may be, or a moment, for those that come alone."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.working = self.refused = self.widest = 0
        self.may_be_sent: Callable[[], int] = lambda: 1

    async def __call__(self, sink: FakeInflux, write: Write) -> Response:
        self.widest = max(self.widest, self.may_be_sent())
        if self.working == self.capacity:
            self.refused += 1
            return error(sink.version, 429, "too many requests")
        self.working += 1
        before = self.refused
        for _ in range(20):
            if self.refused > before or self.working >= self.may_be_sent():
                break
            await asyncio.sleep(0.001)
        self.working -= 1
        return sink.serve(write)


class BusyReceiver:
    """A receiver like that."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.working = self.refused = 0

    async def __call__(self, sink: FakeReceiver, write: fake_receiver.Write) -> Response:
        if self.working == self.capacity:
            self.refused += 1
            return PlainTextResponse("too many requests", 429)
        self.working += 1
        await asyncio.sleep(0.002)
        self.working -= 1
        return sink.serve(write)


async def refused_something(r: Rig, busy: Busy | BusyReceiver, batches: int, count: int = 20) -> None:
    """Fill the sink until it has sent more at a time than its capacity: how soon it does is up to the machine."""
    with anyio.fail_after(60):
        while not busy.refused:
            await r.fill(batches, count)
            await r.check()


async def test_a_sink_that_takes_all_is_sent_as_much_as_is_configured(tmp_path: Path) -> None:
    async with rig(tmp_path, FakeInflux(always=slow(0.02)), in_flight="6", batch_samples="20") as r:
        assert r.sink.status().concurrency == 2
        await r.widened(6)
        await r.check()
        status = r.sink.status()
        assert (status.concurrency, status.batch_samples) == (6, 20)
        told = generate_latest(r.sink_registry).decode()
        assert 'pushbridge_sink_concurrency{sink="main"} 6.0' in told
        assert 'pushbridge_sink_batch_samples{sink="main"} 20.0' in told
        assert 'pushbridge_sink_batch_bytes{sink="main"} 8.388608e+06' in told


async def test_a_sink_with_a_capacity_is_sent_little_more(tmp_path: Path) -> None:
    busy = Busy(3)
    async with rig(tmp_path, FakeInflux(always=busy), in_flight="16", batch_samples="20") as r:
        busy.may_be_sent = lambda: r.sink.status().concurrency
        await refused_something(r, busy, 150)
        assert busy.widest <= 5


async def test_a_receiver_with_a_capacity_gets_each_series_in_order(tmp_path: Path) -> None:
    busy = BusyReceiver(3)
    queue = {"max_samples_per_send": "10", "max_shards": "12"}
    async with remote_rig(tmp_path, FakeReceiver(always=busy), queue_config=queue) as r:
        assert r.sink.status().concurrency == 1
        await refused_something(r, busy, 60, 40)
        assert list(r.letters.letters()) == [], "disorder was refused"


async def test_a_limit_of_the_body_is_met_once_and_not_by_each_request(tmp_path: Path) -> None:
    fake = FakeInflux(max_body=6000)
    async with rig(tmp_path, fake, gzip="false", batch_samples="1000") as r:
        await r.fill(30, 1000)
        await r.check()
        refused = r.sink_registry.get_sample_value("pushbridge_sink_requests_total", {"sink": "main", "class": "split"})
        assert refused is not None
        assert 0 < refused < len(fake.writes) / 8
        assert 3000 < r.sink.status().batch_bytes < 12_000


async def test_timeouts_make_requests_smaller_until_they_are_answered(tmp_path: Path) -> None:
    async def slow_by_lines(sink: FakeInflux, write: Write) -> Response:
        await asyncio.sleep(0 if len(write.lines) <= 30 else 10)
        return sink.serve(write)

    async with rig(tmp_path, FakeInflux(always=slow_by_lines), timeout="300ms", in_flight="1") as r:
        await r.push(100)
        await r.check()
        assert any(len(write.lines) <= 30 for write in r.fake.writes)


async def test_an_outage_is_followed_by_a_careful_return(tmp_path: Path) -> None:
    fake = FakeInflux(always=slow(0.02))
    async with rig(tmp_path, fake, in_flight="8", batch_samples="20") as r:
        await r.widened(8)
        fake.always = answers(503)
        for _ in range(40):
            await r.push(20)
        await until(lambda: r.sink.status().concurrency == 2)
        seen = len(fake.writes)
        await until(lambda: len(fake.writes) > seen + 10)
        assert r.sink.status().concurrency == 2
        fake.always = slow(0.02)
        with anyio.fail_after(60):
            while r.sink.status().concurrency == 2:
                await r.push(20)
        await r.check()


async def test_a_sink_that_becomes_slow_is_sent_less(tmp_path: Path) -> None:
    """By the sink's clock, which goes on by as much as each answer takes."""
    clock, seconds = ToldClock(), 0.001

    async def work(sink: FakeInflux, write: Write) -> Response:
        await asyncio.sleep(0.02)
        clock.tell(clock.now + round(seconds * 1000))
        return sink.serve(write)

    async with rig_of(Rig, tmp_path, FakeInflux(always=work), clock=clock, in_flight="6", batch_samples="20") as r:
        await r.widened(6)
        seconds = 1.0
        for _ in range(40):
            await r.push(20)
        await until(lambda: r.sink.status().concurrency <= 4)
        await r.check()
