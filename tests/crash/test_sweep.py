"""Power cuts: after every operation on the disk, with what was not yet synced kept, dropped, torn or reordered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from bridge.config import Wal
from tests.buffer.samples import SMALL, batch, batches_in, open_store, size_of
from tests.crash.recording import CRASHES, Crash, Disk, Operation, RecordingFiles, remains

pytestmark = pytest.mark.anyio


def padding(number: int) -> int:
    """Mostly small batches, some that fill pages, a few longer than what is left of a segment."""
    return {0: 20_000, 3: 5_000, 6: 70_000}.get(number % 13, 64)


async def record_life(root: Path, batches: int, settings: Wal) -> list[Operation]:
    """Append batches from three callers at a time, with ticks between them, and close."""
    root.mkdir()
    files = RecordingFiles(root)
    store = open_store(root / "data", files=files, settings=settings)

    async def append(number: int) -> None:
        await store.append(batch(number, padding=padding(number), event=number % 3 == 0))
        files.acknowledge(number)

    for first in range(0, batches, 3):
        await asyncio.gather(*(append(number) for number in range(first, min(first + 3, batches))))
        await store.tick(1_000 + first)
    await store.close()
    return files.record


async def check(data: Path, disk: Disk, *, complete: bool) -> set[int]:
    """Open what a crash has left: whole batches, in order, with all acknowledged ones; and it goes on from there."""
    before = batches_in(Directory(Files(), data / "tsdb", SystemClock()))
    events: list[bytes] = []
    store = open_store(data, on_event=lambda _, event: events.append(event))
    found = batches_in(store)
    assert found == before == set(range(len(found)))
    if complete:
        assert disk.acknowledged <= found
    assert store.seq == sum(size_of(number) for number in found)
    assert events == [f"event {number}".encode() for number in sorted(found) if number % 3 == 0]
    await store.append(batch(len(found)))
    await store.close()
    store = open_store(data)
    assert batches_in(store) == set(range(len(found) + 1))
    await store.close()
    return found


async def sweep(tmp_path: Path, *, batches: int, seed: int, settings: Wal, every: int = 1) -> None:
    record = await record_life(tmp_path / "life", batches, settings)
    for disk, kind, data in remains(record, seed, tmp_path / "remains", every):
        # `batch` promises that what was acknowledged outlives a power cut; the others, that it outlives `kill -9`.
        await check(data, disk, complete=settings.sync == "batch" or kind == "kept")


async def test_no_acknowledged_batch_is_lost_and_no_half_one_is_seen(tmp_path: Path) -> None:
    await sweep(tmp_path, batches=20, seed=1, settings=SMALL)


@pytest.mark.parametrize("sync", ["interval", "off"])
async def test_without_a_sync_a_batch_is_there_or_not(tmp_path: Path, sync: str) -> None:
    settings = Wal(sync=sync, sync_interval="1ms", segment_size="64KiB")
    await sweep(tmp_path, batches=20, seed=2, settings=settings, every=3)


async def test_a_crash_during_recovery_loses_nothing_more(tmp_path: Path) -> None:
    record = await record_life(tmp_path / "life", 12, SMALL)
    for disk, kind, data in remains(record, 3, tmp_path / "remains", every=7):
        if kind in ("dropped", "zeroed"):
            continue
        files = RecordingFiles(data.parent)
        adopted = len(files.record)
        found = batches_in(Directory(Files(), data / "tsdb", SystemClock()))
        await open_store(data, files=files).close()
        again = Disk()
        for operation in files.record[:adopted]:
            again.apply(operation)
        for at, operation in enumerate(files.record[adopted:]):
            again.apply(operation)
            for second in CRASHES:
                target = tmp_path / "again" / f"{data.parent.name}-{at}-{second}"
                target.mkdir(parents=True)
                again.crash(second, at, target)
                assert await check(target / "data", disk, complete=True) == found


async def test_what_a_start_has_shown_no_power_cut_takes_away(tmp_path: Path) -> None:
    """After `kill -9` there may be batches that were written and never synced. Once shown, and sent on, they stay."""
    record = await record_life(tmp_path / "life", 12, SMALL)
    shown_unsynced = 0
    for disk, kind, data in remains(record, 4, tmp_path / "remains"):
        if kind != "kept":
            continue
        files = RecordingFiles(data.parent, unsynced=disk.unsynced())
        store = open_store(data, files=files)
        found = batches_in(store)
        after = Disk()
        for operation in files.record:
            after.apply(operation)
        await store.close()
        target = tmp_path / "after" / data.parent.name
        target.mkdir(parents=True)
        after.crash("dropped", 0, target)
        shown_unsynced += len(found - disk.acknowledged)
        assert batches_in(Directory(Files(), target / "data" / "tsdb", SystemClock())) == found
    assert shown_unsynced > 0


async def test_a_crash_during_repair_loses_no_unreadable_byte(tmp_path: Path) -> None:
    root = tmp_path / "life"
    await record_life(root, 12, SMALL)
    segment = max((root / "data/tsdb/wal").glob("0???????")).relative_to(root)
    whole = (root / segment).read_bytes().rstrip(b"\0")
    damaged = whole[:-50] + b"\xff" + whole[-49:]
    (root / segment).write_bytes(damaged)
    (root / "data/tsdb/lock").touch()  # what a crash leaves: the damage is the end
    files = RecordingFiles(root)
    adopted = len(files.record)
    store = open_store(root / "data", files=files)
    end = (root / segment).stat().st_size
    assert 0 < end < len(damaged)
    disk = Disk()
    for at, operation in enumerate(files.record):
        disk.apply(operation)
        for kind in CRASHES if at >= adopted else ():
            target = tmp_path / f"{at}-{kind}"
            target.mkdir()
            disk.crash(kind, at, target)
            left = (target / segment).read_bytes()
            aside = target / segment.with_suffix(".corrupt")
            assert left == damaged or (left == damaged[:end] and aside.read_bytes() == damaged[end:])
    await store.close()


async def test_a_crash_while_damage_is_taken_out_loses_no_unreadable_byte(tmp_path: Path) -> None:
    """A hole is written over damaged bytes only when their copy is durable; half a hole is damage like any other."""
    root = tmp_path / "life"
    await record_life(root, 12, SMALL)
    segment = Path("data/tsdb/wal/00000000")
    whole = (root / segment).read_bytes()
    used = len(whole.rstrip(b"\0"))
    damaged = whole[: used - 50] + b"\xff" + whole[used - 49 :]
    (root / segment).write_bytes(damaged)
    files = RecordingFiles(root)
    adopted = len(files.record)
    store = open_store(root / "data", files=files)
    found = batches_in(store)
    aside = (root / segment).with_suffix(".corrupt").read_bytes()
    start = damaged.index(aside)
    assert 0 < len(aside) < 1000
    disk = Disk()
    for at, operation in enumerate(files.record):
        disk.apply(operation)
        for kind in CRASHES if at >= adopted else ():
            target = tmp_path / f"{at}-{kind}"
            target.mkdir()
            disk.crash(kind, at, target)
            left = (target / segment).read_bytes()
            assert left[:start] == damaged[:start]
            assert left[start + len(aside) : used] == damaged[start + len(aside) : used]
            if left[start : start + len(aside)] != aside:
                assert (target / segment.with_suffix(".corrupt")).read_bytes() == aside
            assert batches_in(Directory(Files(), target / "data" / "tsdb", SystemClock())) == found
    await store.close()


@pytest.mark.parametrize("kind", CRASHES)
def test_a_file_replaced_as_a_whole_is_the_old_or_the_new_one(tmp_path: Path, kind: Crash) -> None:
    root = tmp_path / "life"
    root.mkdir()
    files = RecordingFiles(root)
    files.make_dir(root / "a" / "b")
    path = Path("a/b/file")
    contents = [bytes([number]) * 2_000 for number in range(3)]
    written = []
    for content in contents:
        files.write_whole(root / path, content)
        written.append(len(files.record))
    disk = Disk()
    for at, operation in enumerate(files.record, 1):
        disk.apply(operation)
        target = tmp_path / str(at)
        target.mkdir()
        disk.crash(kind, at, target)
        found = (target / path).read_bytes() if (target / path).exists() else None
        done = sum(at >= end for end in written)
        assert found in [None, *contents][done : done + 2]


@pytest.mark.crash
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(8))
async def test_many_crashes(tmp_path: Path, seed: int) -> None:
    await sweep(tmp_path, batches=60, seed=seed, settings=SMALL)
