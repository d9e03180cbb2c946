"""One directory, two programs: Debian's Prometheus and promtool read what we wrote, and we what they wrote."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer import Directory, Files, Store, View
from bridge.buffer.plan import BLOCK_RANGE
from bridge.clock import SystemClock
from bridge.config import Storage
from bridge.native import Batch
from tests.bridge_process import wait_until
from tests.buffer.samples import dump
from tests.buffer.told_clock import ToldClock
from tests.interop.peers import Prometheus

pytestmark = [pytest.mark.interop, pytest.mark.anyio, pytest.mark.timeout(300)]

HOUR = 3_600_000
STEP = 30_000
SERIES = 12

Samples = dict[frozenset[tuple[str, str]], list[tuple[int, str]]]


def open_store(data: Path, clock: ToldClock, **settings: object) -> Store:
    return Store.open(data, settings=Storage.model_validate(settings), clock=clock, registry=CollectorRegistry())


async def live(store: Store, clock: ToldClock, hours: float) -> None:
    """A sample of each series every 30 seconds, ten of each in a batch, and upkeep every quarter of an hour."""
    begin, end = clock.now, clock.now + int(hours * HOUR)
    for t in range(begin, end, 10 * STEP):
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "m", "n": str(n), "path": 'a "b"\\\n'}, at, (at // STEP) * (n + 1) / 8)
            for at in range(t + STEP, t + 11 * STEP, STEP)
            for n in range(SERIES)
            if n < 9 or (at // HOUR) % 2
        ]
        clock.now = t + 10 * STEP
        await store.append(Batch.from_rows(rows, clock.now))
        if (t - begin) // STEP % 30 == 20:
            await store.maintain()


def samples_of(view: View, mint: int, maxt: int) -> Samples:
    """What we say, in the form of the peer."""
    return {
        frozenset(series.labels.items()): [
            (t, number(value)) for t, value in zip(series.timestamps, series.values, strict=True)
        ]
        for series in view.select([("__name__", "=", "m")], mint, maxt)
    }


def number(value: float) -> str:
    """As Go prints it, for the values used here."""
    return str(int(value)) if value == int(value) else repr(value)


def lines(*command: object) -> list[str]:
    """The sorted lines that a program prints."""
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return sorted(done.stdout.splitlines())


async def test_prometheus_serves_our_directory_and_goes_on_writing_to_it(
    peer: Callable[[str], Path], tmp_path: Path
) -> None:
    prometheus, promtool = peer("prometheus"), peer("promtool")
    data, copy = tmp_path / "data", tmp_path / "copy"
    begin = (SystemClock().now_ms() - 20 * HOUR) // BLOCK_RANGE * BLOCK_RANGE
    clock = ToldClock(begin)
    store = open_store(data, clock)
    await live(store, clock, 10)
    assert len(store.blocks.loaded) >= 2, "no block has been cut"
    gone = {"3": (begin + HOUR, begin + 2 * HOUR), "4": (clock.now - HOUR, clock.now - HOUR // 2)}
    for n, (mint, maxt) in gone.items():  # in a block, and in memory
        await store.admin.delete_series([("n", "=", n)], mint, maxt)
    for turn in range(2):
        wanted = samples_of(store, clock.now - 12 * HOUR, clock.now)
        assert len(wanted) == SERIES
        for labels, samples in wanted.items():
            mint, maxt = gone.get(dict(labels)["n"], (0, 0))
            assert not any(mint <= t <= maxt for t, _ in samples)
        assert list((data / "tsdb" / "wal").glob("checkpoint.*")), "the log has not been cut"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(data / "tsdb", copy)
        (copy / "lock").unlink(missing_ok=True)
        assert lines(promtool, "tsdb", "dump", copy) == sorted(dump(store).splitlines())
        with Prometheus(prometheus, tmp_path / f"peer{turn}", copy) as running:
            assert running.samples('{__name__="m"}', 12 * 3600, clock.now) == wanted
            wait_until("it writes", lambda: bool(running.samples("up", 3600, SystemClock().now_ms())), 30)
            assert running.complaints() == []
            running.stop()
        if turn == 0:
            await live(store, clock, 10)
            assert any(block.meta.compaction.level > 1 for block in store.blocks.loaded), "nothing was compacted"
    await store.close()

    clock.now = SystemClock().now_ms()
    again = tmp_path / "again"
    shutil.copytree(copy, again / "tsdb")
    store = open_store(again, clock)
    assert samples_of(store, clock.now - 40 * HOUR, clock.now) == samples_of_directory(data, clock)
    assert store.select([("__name__", "=", "up")], clock.now - HOUR, clock.now)
    await store.close()


def samples_of_directory(data: Path, clock: ToldClock) -> Samples:
    return samples_of(Directory(Files(), data / "tsdb", clock), clock.now - 40 * HOUR, clock.now)


async def test_we_serve_the_directory_of_a_prometheus_that_was_killed(
    peer: Callable[[str], Path], tmp_path: Path
) -> None:
    prometheus, promtool = peer("prometheus"), peer("promtool")
    data = tmp_path / "data"
    with Prometheus(prometheus, tmp_path / "peer", data / "tsdb", block="10s") as running:
        wait_until("it has blocks", lambda: len(list((data / "tsdb").glob("*/meta.json"))) >= 2, 180)
        stop = SystemClock().now_ms() - 2_000
        wanted = running.samples("{job='self'}", 3600, stop)
    assert len(wanted) > 100
    clock = ToldClock(SystemClock().now_ms())
    before = lines(promtool, "tsdb", "dump", data / "tsdb")
    store = open_store(data, clock)
    found = {
        frozenset(series.labels.items()): list(series.timestamps)
        for series in store.select([("job", "=", "self")], stop - HOUR + 1, stop)
    }
    assert found == {labels: [t for t, _ in samples] for labels, samples in wanted.items()}
    assert sorted(dump(store).splitlines()) == before
    theirs = {block.meta.ulid for block in store.blocks.loaded}
    for _ in range(6):  # nothing more can join its blocks when later ones fill the next range of six hours
        clock.now += 3 * HOUR
        await store.append(Batch.from_rows([({"__name__": "late"}, clock.now, 1.0)], clock.now))
        await store.maintain()
    assert theirs.isdisjoint(block.meta.ulid for block in store.blocks.loaded), "not all were compacted"
    await store.close()
    after = [line for line in lines(promtool, "tsdb", "dump", data / "tsdb") if '"late"' not in line]
    assert after == before
