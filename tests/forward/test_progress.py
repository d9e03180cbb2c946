"""The cursor: what survives stops, kills, full disks and lost logs, and that it never runs ahead of an answer."""

from __future__ import annotations

import asyncio
import itertools
import math
import shutil
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import Response

from bridge.buffer import Cursor, Position
from bridge.errors import Unavailable
from bridge.forward import Pace
from bridge.native import Batch
from tests.buffer.faults import FaultyFiles
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux, Write
from tests.forward.rig import FAST, rig

pytestmark = pytest.mark.anyio


class Valve:
    """A fault that lets nothing through until it is opened, and then everything."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.waiting = 0

    async def __call__(self, sink: FakeInflux, write: Write) -> Response:
        self.waiting += 1
        await self.opened.wait()
        return sink.serve(write)


async def test_a_stop_and_a_start_send_nothing_twice(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        for _ in range(3):
            await r.push(30)
            await r.drained()
            await r.stop_sink()
            sent = len(r.fake.writes)
            r.start_sink()
            await r.push(5)
            await r.check()
            assert len(r.fake.writes) == sent + 1


async def test_a_whole_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.push(30)
        await r.drained()
        await r.close()
        r.open()
        assert r.sink.status().pending == 0
        await r.push(30)
        await r.check()
        assert r.sink.status().account.sent == 60


@pytest.mark.parametrize("kills", range(12))
async def test_kills_at_any_moment_lose_nothing(tmp_path: Path, kills: int) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "bad" if line.startswith("m,n=7 ") else None)
    async with rig(tmp_path, fake, in_flight="3", batch_samples="20") as r:
        for n in range(6):
            await r.push(20)
            for _ in range((kills * 7 + n * 5) % 40):
                await asyncio.sleep(0)
            await r.kill_sink()
            r.start_sink()
        await r.check()
        assert [letter.line.split(" ", 1)[0] for letter in r.letters.letters()] == ["m,n=7"] * 6


async def test_the_cursor_never_passes_what_is_not_answered(tmp_path: Path) -> None:
    valve = Valve()
    fake = FakeInflux(always=faults.answers(503))
    async with rig(tmp_path, fake, in_flight="4", batch_samples="10", timeout="30s") as r:
        await r.push(10)
        await until(lambda: len(fake.writes) > 3)
        fake.always = None
        fake.faults.append(valve)  # the first batch hangs, the others pass
        await until(lambda: valve.waiting == 1)
        for _ in range(3):
            await r.push(10)
        await until(lambda: len(fake.points) == 30)
        assert r.sink.status().account.seq == 0
        await r.kill_sink()
        saved = r.cursors.load("main")
        assert saved is not None
        assert saved.seq == 0
        valve.opened.set()
        r.start_sink()
        await r.check()


async def test_requests_side_by_side_are_bounded(tmp_path: Path) -> None:
    valve = Valve()
    fake = FakeInflux()
    async with rig(tmp_path, fake, in_flight="3", batch_samples="10", timeout="30s") as r:
        await r.widened(3, 10)
        fake.always = valve
        for _ in range(20):
            await r.push(10)
        await until(lambda: valve.waiting >= 3)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert valve.waiting == 3
        valve.opened.set()
        await r.check()


async def test_a_sink_in_trouble_gets_one_request_at_a_time(tmp_path: Path) -> None:
    """From when each that is under way has been refused for the first time, and one of them asks alone."""
    at_a_time = asked = most = 0
    refused: set[str] = set()

    async def fault(_sink: FakeInflux, write: Write) -> Response:
        nonlocal at_a_time, asked, most
        at_a_time += 1
        if asked or (len(refused) == 4 and write.lines[0] in refused and at_a_time == 1):
            asked += 1
            most = max(most, at_a_time)
        await asyncio.sleep(0.003)
        at_a_time -= 1
        refused.add(write.lines[0])
        return Response(status_code=503)

    fake = FakeInflux(always=fault)
    async with rig(tmp_path, fake, in_flight="4", batch_samples="10") as r:
        for _ in range(10):
            await r.push(10)
        await until(lambda: asked > 20)
        assert most == 1
        fake.always = None
        await r.check()


async def test_a_sink_in_trouble_is_given_time(tmp_path: Path) -> None:
    fake, clock = FakeInflux(faults=deque([faults.answers(503)] * 5)), ToldClock()
    async with rig(tmp_path, fake, Pace(first=0.04, cap=0.16), clock=clock) as r:
        await r.push(10)
        for most in [40, 80, 160, 160, 160]:
            assert most / 2 <= await clock.wait() <= most
        await r.check()
        assert len(fake.writes) == 6


async def test_small_batches_gather_while_a_request_is_under_way(tmp_path: Path) -> None:
    valve = Valve()
    fake = FakeInflux()
    fake.faults.append(valve)
    async with rig(tmp_path, fake, timeout="30s") as r:
        await r.push(1)
        await until(lambda: valve.waiting == 1)
        for _ in range(50):
            await r.push(1)
        valve.opened.set()
        await r.check()
        assert len(fake.writes) <= 3


async def test_a_stop_waits_for_the_answer_under_way(tmp_path: Path) -> None:
    valve = Valve()
    fake = FakeInflux(always=valve)
    async with rig(tmp_path, fake, replace(FAST, stop=60.0), timeout="30s") as r:
        await r.push(10)
        await until(lambda: valve.waiting == 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(r.stop_sink())
            await asyncio.sleep(0.02)
            valve.opened.set()
        saved = r.cursors.load("main")
        assert saved is not None
        assert saved.seq == 10


async def test_nothing_new_is_sent_after_a_stop(tmp_path: Path) -> None:
    valve = Valve()
    async with rig(tmp_path, FakeInflux(always=valve), batch_samples="10", timeout="30s") as r:
        await r.push(30)  # one batch, three requests
        await until(lambda: valve.waiting == 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(r.stop_sink())
            await asyncio.sleep(0.02)
            valve.opened.set()
        assert valve.waiting == 1
        r.start_sink()
        await r.check()


@pytest.mark.parametrize("trouble", [faults.not_stored, faults.answers(401, "no")])
async def test_a_stop_does_not_wait_for_a_sink_in_trouble(tmp_path: Path, trouble: Any) -> None:
    pace = Pace(first=100.0, cap=100.0, probe=100.0, stop=100.0)
    async with rig(tmp_path, FakeInflux(always=trouble), pace) as r:
        await r.push(10)
        await until(lambda: r.sink.status().state != "up")
        with anyio.fail_after(60):
            await r.stop_sink()
        assert (r.sink.status().state, r.sink.status().pending) == ("stopped", 10)


async def test_a_stop_gives_up_on_an_answer_that_does_not_come(tmp_path: Path) -> None:
    valve = Valve()
    async with rig(tmp_path, FakeInflux(always=valve), Pace(stop=0.05), timeout="30s") as r:
        await r.push(10)
        await until(lambda: valve.waiting == 1)
        with anyio.fail_after(20):
            await r.stop_sink()
        assert (r.sink.status().state, r.sink.status().pending) == ("stopped", 10)
        valve.opened.set()


async def test_full_disks_are_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "bad" if line.startswith("m,n=7 ") else None)
    async with rig(tmp_path, fake) as r:
        await r.drained()
        await r.stop_sink()
        files = FaultyFiles()
        r.files = files
        r.start_sink()
        await until((tmp_path / "rejected" / "main").exists)
        files.break_down("write_at")
        await r.push(10)
        await until(lambda: files.calls.count("write_at") > 0)
        assert r.sink.status().account.seq == 0, "no letter, no progress"
        files.mend()
        save, failures = r.cursors.save, itertools.count()

        async def fails_first(name: str, cursor: Cursor) -> None:
            if next(failures) < 2:
                raise Unavailable("disk full")
            await save(name, cursor)

        monkeypatch.setattr(r.cursors, "save", fails_first)
        await r.check()
        await until(lambda: next(failures) > 3)
        assert r.sink.status().account.dead_lettered == 1


async def test_what_no_line_can_carry_is_counted(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        stale = math.nan
        await r.store.append(Batch.from_rows([({"__name__": "old"}, -(1 << 62), 1.0)], 0))
        await r.push(3, value=lambda n: [math.inf, -math.inf, 1.0][n])
        await r.push(2, metric="n", value=lambda n: [stale, 1.0][n])
        await r.drained()
        account = r.sink.status().account
        assert account.unrepresentable == {"inf": 2, "nan": 1, "time_range": 1}
        assert (account.sent, account.seq, account.holds) == (2, 6, True)
        assert len(r.fake.points) == 2


async def test_samples_that_left_the_log_are_counted_as_expired(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.fake.always = faults.answers(503)
        for n in range(60):
            await r.push(300, metric=f"m{n}")  # each with series of its own, whose names go with the segment
        await r.close()
        segments = sorted((tmp_path / "tsdb" / "wal").iterdir())
        assert len(segments) > 1
        segments[0].unlink()
        r.fake.always = None
        r.open()
        await r.drained()
        status = r.sink.status()
        assert status.identity_holds
        assert status.account.expired > 0
        assert status.account.expired + status.account.sent == 18_000
        assert len(r.fake.points) == status.account.sent


async def test_a_new_log_under_an_old_cursor_is_sent_whole(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        for _ in range(5):
            await r.push(20)
        await r.drained()
        await r.close()
        shutil.rmtree(tmp_path / "tsdb")
        r.accepted, r.fake.points = {}, {}
        r.open()
        await r.push(3)
        await r.check()


async def test_one_sinks_own_fault_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path) as r:
        await r.push(5)
        await r.drained()
        read, failures = r.store.read, itertools.count()

        def fails_first(position: Position, max_samples: int, **more: int) -> Any:
            if next(failures) == 0:
                raise RuntimeError("a bug")
            return read(position, max_samples, **more)

        monkeypatch.setattr(r.store, "read", fails_first)
        await r.push(5)
        await r.check()


async def test_memory_does_not_grow_with_the_backlog(tmp_path: Path) -> None:
    valve = Valve()
    async with rig(tmp_path, FakeInflux(always=valve), in_flight="2", batch_samples="10", timeout="30s") as r:
        read = 0
        original = r.store.read

        def counting(position: Position, max_samples: int, **more: int) -> Any:
            nonlocal read
            piece, end = original(position, max_samples, **more)
            read += piece.samples
            return piece, end

        r.store.read = counting  # type: ignore[method-assign]
        for _ in range(50):
            await r.push(10)
        await until(lambda: valve.waiting == 2)
        await asyncio.sleep(0.05)
        assert read <= 40, "two under way, one read ahead"
        valve.opened.set()
        await r.check()


async def test_status_tells_how_the_sink_is(tmp_path: Path) -> None:
    async with rig(tmp_path, FakeInflux(always=faults.answers(401, "unauthorized access"))) as r:
        await r.push(10)
        await until(lambda: r.sink.status().state == "held")
        status = r.sink.status()
        assert status.problem == "401: unauthorized access"
        assert (status.accepted, status.pending, status.identity_holds) == (10, 10, True)
        assert status.target.endswith(" db=d")
        r.fake.always = None
        await r.check()
        status = r.sink.status()
        assert (status.state, status.problem, status.lag_seconds) == ("up", "", 0.0)
