"""Checkpoints, holes and head chunks that we wrote, and what a killed bridge leaves, read by a real Prometheus."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.buffer import Directory, Files
from bridge.buffer.plan import BLOCK_RANGE
from bridge.clock import SystemClock
from bridge.config import Storage, Wal
from bridge.native import Batch
from tests.bridge_process import BridgeProcess, wait_until
from tests.buffer.samples import SMALL, batch, dump, open_store
from tests.interop.blocks import run
from tests.interop.peers import Prometheus

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

STEP = 15_000
SERIES = 4
FULL = 120
"""Samples in a full chunk."""


def theirs(promtool: Path, tsdb: Path) -> list[str]:
    return sorted(run(promtool, "tsdb", "dump", tsdb).splitlines())


def served(prometheus: Path, folder: Path, tsdb: Path, selector: str, time: int) -> int:
    """Samples in the day before `time` (ms) that a real Prometheus finds after its start on a copy of the directory,
    of which it must not complain."""
    copy = folder / "copy"
    shutil.copytree(tsdb, copy)
    (copy / "lock").unlink(missing_ok=True)
    with Prometheus(prometheus, folder / "peer", copy) as running:
        found = running.samples(selector, 86_400, time)
        assert running.complaints() == []
        return sum(map(len, found.values()))


async def test_head_chunks_are_read_where_a_checkpoint_has_only_the_series(
    peer: Callable[[str], Path], tmp_path: Path
) -> None:
    prometheus, promtool = peer("prometheus"), peer("promtool")
    begin = (SystemClock().now_ms() // BLOCK_RANGE - 1) * BLOCK_RANGE  # so that every chunk is cut when it is full
    store = open_store(tmp_path / "data", settings=Storage(wal=SMALL))
    for n in range(2 * FULL + 30):
        noise = random.Random(n).randbytes(3_000)  # so that there are segments to be condensed
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "m", "n": str(k)}, begin + n * STEP, n / 8 + k) for k in range(SERIES)
        ]
        await store.append(Batch.from_rows(rows, 0, event=noise))
    await store.maintain()
    wanted = sorted(dump(store).splitlines())
    assert await store.truncate_log(begin + 2 * FULL * STEP, readers=[], owners=[], keep=1 << 62) is not None
    tsdb = tmp_path / "data" / "tsdb"
    assert len(list((tsdb / "wal").glob("checkpoint.*"))) == 1
    mine = theirs(promtool, tsdb)
    bare = tmp_path / "bare"
    shutil.copytree(tsdb / "wal", bare / "wal")
    assert len(theirs(promtool, bare)) < SERIES * FULL, "the log had it all without head chunks"
    assert mine == wanted
    assert served(prometheus, tmp_path, tsdb, "m", SystemClock().now_ms()) == len(wanted)
    await store.close()
    store = open_store(tmp_path / "data")
    assert sorted(dump(store).splitlines()) == wanted
    await store.close()


async def test_a_hole_in_the_log_is_passed_over(peer: Callable[[str], Path], tmp_path: Path) -> None:
    prometheus, promtool = peer("prometheus"), peer("promtool")
    store = open_store(tmp_path / "data")
    places = [(await store.append(batch(number, padding=10_000))).position for number in range(30)]
    whole = dump(store).splitlines()
    await store.close()
    tsdb = tmp_path / "data" / "tsdb"
    victim = tsdb / "wal" / "00000002"
    end = next(place.offset for place in places if place.segment == 2)
    data = bytearray(victim.read_bytes())
    data[end - 10] ^= 0x55  # samples: the series record before them is whole
    victim.write_bytes(data)
    store = open_store(tmp_path / "data")
    left = sorted(dump(store).splitlines())
    assert len(whole) - 10 < len(left) < len(whole)
    assert victim.with_suffix(".corrupt").exists()
    assert theirs(promtool, tsdb) == left, "beside the running store"
    await store.close()
    assert theirs(promtool, tsdb) == left
    assert served(prometheus, tmp_path, tsdb, '{__name__=~"own|shared"}', 2_000_000) == len(left)


async def test_zstd_is_read_by_us_and_refused_by_an_old_promtool(peer: Callable[[str], Path], tmp_path: Path) -> None:
    promtool = peer("promtool")
    store = open_store(tmp_path / "data", settings=Wal(compression="zstd"))
    rows: list[tuple[dict[str, str], int | None, float]] = [
        ({"__name__": "m", "n": str(n), "same": "s" * 50}, 1_000, n / 8) for n in range(500)
    ]
    await store.append(Batch.from_rows(rows, 0))
    wanted = dump(store)
    await store.close()
    assert wanted.count("\n") == 500
    assert dump(Directory(Files(), tmp_path / "data" / "tsdb", SystemClock())) == wanted
    done = subprocess.run(
        [promtool, "tsdb", "dump", tmp_path / "data" / "tsdb"], capture_output=True, text=True, check=False
    )
    known = [int(part) for part in run(promtool, "--version").split()[2].split("+")[0].split(".")[:2]] >= [2, 46]
    assert (sorted(done.stdout.splitlines()) == sorted(wanted.splitlines())) is known


async def test_the_directory_of_a_bridge_killed_under_load(peer: Callable[[str], Path], tmp_path: Path) -> None:
    prometheus, promtool = peer("prometheus"), peer("promtool")
    with BridgeProcess(tmp_path, "storage: {wal: {segment_size: 64KiB}}\n") as bridge:
        accepted: list[int] = []

        def push(worker: int) -> None:
            number = 0
            while True:
                body = f'm {number}\nk{{n="{number % 50}"}} {number}\n'
                try:
                    if bridge.request("PUT", f"/metrics/job/j{worker}", body).status != 200:
                        return
                except OSError:
                    return
                number += 1
                accepted.append(number)

        workers = [threading.Thread(target=push, args=(n,)) for n in range(3)]
        for worker in workers:
            worker.start()
        try:
            wait_until("it has taken pushes", lambda: len(accepted) >= 600, 40)
        finally:
            bridge.kill()
            for worker in workers:
                worker.join()
    tsdb = bridge.data / "tsdb"
    found = theirs(promtool, tsdb)
    mine = dump(Directory(Files(), tsdb, SystemClock())).splitlines()
    assert found == sorted(mine)
    values = [line for line in found if '__name__="m"' in line]
    assert len(values) >= len(accepted)
    assert served(prometheus, tmp_path, tsdb, "m", SystemClock().now_ms()) == len(values)
