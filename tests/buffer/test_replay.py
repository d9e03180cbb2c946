"""Damaged logs: what comes before the damage is there, what comes after it is kept and named."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer import Directory, Files, Position
from bridge.buffer.replay import recover
from bridge.buffer.segments import LogDir
from bridge.clock import SystemClock
from bridge.native import Batch, Head
from tests.buffer.faults import FaultyFiles
from tests.buffer.samples import batch, batches_in, open_store

pytestmark = pytest.mark.anyio


async def log_of(path: Path, groups: int, *, padding: int = 0) -> list[tuple[int, int]]:
    """A closed store of one batch a group; (segment, offset behind it) of each."""
    store = open_store(path)
    positions = [tuple((await store.append(batch(number, padding=padding))).position) for number in range(groups)]
    await store.close()
    return positions  # type: ignore[return-value]


def wal(path: Path, name: str = "") -> Path:
    return path / "tsdb" / "wal" / name


def flip(offset: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:offset] + bytes([data[offset] ^ 0x40]) + data[offset + 1 :]


async def test_every_flip_and_every_cut_of_the_last_segment(tmp_path: Path) -> None:
    """After a crash all whole batches before the damage are there, none behind it, and the next open finds nothing
    amiss."""
    positions = await log_of(tmp_path / "whole", 12)
    data = wal(tmp_path / "whole", "00000000").read_bytes().rstrip(b"\0")
    damages = {f"flip-{at}": flip(at)(data) for at in range(0, len(data), 7)}
    damages |= {f"cut-{at}": data[:at] for at in range(0, len(data), 7)}
    for name, damaged in damages.items():
        at = int(name.partition("-")[2])
        path = tmp_path / name
        wal(path).mkdir(parents=True)
        wal(path, "00000000").write_bytes(damaged)
        wal(path).with_name("lock").touch()  # what a crash leaves
        whole = {number for number, (_, end) in enumerate(positions) if end <= at}
        store = open_store(path)
        assert batches_in(store) == whole, name
        assert b"".join(part.read_bytes() for part in sorted(wal(path).iterdir())).rstrip(b"\0") == damaged.rstrip(
            b"\0"
        )
        await store.append(batch(12))
        await store.close()
        registry = CollectorRegistry()
        store = open_store(path, registry=registry)
        assert batches_in(store) == whole | {12}, name
        assert registry.get_sample_value("pushbridge_wal_corrupt_bytes") == 0
        await store.close()
        shutil.rmtree(path)


async def test_every_flip_costs_at_most_one_batch_and_is_taken_out(tmp_path: Path) -> None:
    """Where no crash was, reading goes on behind damage, and what follows keeps its position."""
    store = open_store(tmp_path / "whole")
    labels = {"__name__": "m"}
    first = await store.append(Batch.from_rows([(labels, 0, 0.0)], 0))
    ends = [(await store.append(Batch.from_rows([(labels, n, float(n))], n))).position.offset for n in range(1, 30)]
    await store.close()
    data = wal(tmp_path / "whole", "00000000").read_bytes()
    one_batch = 0
    flips = range(first.position.offset, ends[-1], 5)
    for at in flips:
        path = tmp_path / f"flip-{at}"
        wal(path).mkdir(parents=True)
        wal(path, "00000000").write_bytes(flip(at)(data))
        lost = next(number for number, end in enumerate(ends, 1) if at < end)
        registry = CollectorRegistry()
        store = open_store(path, registry=registry)
        (series,) = store.select([])
        start = ends[lost - 2] if lost > 1 else first.position.offset
        aside = wal(path, "00000000.corrupt").read_bytes()
        assert aside == flip(at)(data)[start : start + len(aside)]
        assert registry.get_sample_value("pushbridge_wal_corrupt_bytes") == len(aside)
        if start + len(aside) == ends[lost - 1]:
            one_batch += 1
            assert series.timestamps == [t for t in range(30) if t != lost], at
            position, samples = Position(0, ends[lost - 1]), 0
            while position < store.durable():
                piece, position = store.read(position, 1000)
                samples += piece.samples
            assert samples == 29 - lost, "positions behind the damage lead where they led"
        else:  # a length that leads nowhere hides what follows in its page
            assert series.timestamps == list(range(lost))
        await store.close()
        registry = CollectorRegistry()
        store = open_store(path, registry=registry)
        assert registry.get_sample_value("pushbridge_wal_corrupt_bytes") == 0
        assert store.select([])[0].timestamps == series.timestamps
        await store.close()
        shutil.rmtree(path)
    assert one_batch > 0.8 * len(flips)


async def test_damage_in_a_middle_segment_costs_one_batch(tmp_path: Path) -> None:
    positions = await log_of(tmp_path, 30, padding=10_000)
    assert positions[-1][0] >= 4
    victim = next(number for number, (segment, _) in enumerate(positions) if segment == 2)
    path = wal(tmp_path, "00000002")
    data = path.read_bytes()
    end = positions[victim][1]  # behind the segment's first batch
    stop = positions[victim + 1][1]
    path.write_bytes(flip(stop - 10)(data))
    lost = {victim + 1}
    registry = CollectorRegistry()
    with structlog.testing.capture_logs() as logs:
        store = open_store(tmp_path, registry=registry)
    assert batches_in(store) == set(range(30)) - lost
    damage = next(entry for entry in logs if entry["event"] == "log damaged")
    start = int(damage["position"].removeprefix("00000002:"))
    assert end < start < stop, "its series record is whole"
    assert damage["bytes"] == stop - start
    assert registry.get_sample_value("pushbridge_wal_corrupt_bytes") == stop - start
    assert path.stat().st_size == len(data)
    assert wal(tmp_path, "00000002.corrupt").read_bytes() == flip(stop - 10)(data)[start:stop]
    position, samples = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 10)
        samples += piece.samples
    assert samples == sum(1 + number % 5 for number in set(range(30)) - lost)
    await store.close()


async def test_samples_whose_series_record_is_lost_are_counted_and_claimed_by_nobody(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(4, padding=20_000))  # introduces the shared series
    await asyncio.gather(*(store.append(batch(number, padding=30_000)) for number in range(5, 8)))
    await store.close()
    first = wal(tmp_path, "00000000")
    first.write_bytes(flip(20)(first.read_bytes()))
    registry = CollectorRegistry()
    store = open_store(tmp_path, registry=registry)
    lost = registry.get_sample_value("pushbridge_wal_unknown_refs")
    assert lost is not None
    assert lost > 0
    before = [series.labels for series in store.select([("__name__", "=~", ".+")])]
    await store.append(batch(20))  # a new series: must not be given the reference of a lost one
    await store.close()
    store = open_store(tmp_path, registry=(registry := CollectorRegistry()))
    assert registry.get_sample_value("pushbridge_wal_unknown_refs") == lost
    after = [series.labels for series in store.select([("__name__", "=~", ".+")])]
    assert [labels for labels in after if labels.get("batch") != "20"] == before
    await store.close()


async def test_missing_segments_are_reported(tmp_path: Path) -> None:
    positions = await log_of(tmp_path, 30, padding=10_000)
    wal(tmp_path, "00000001").unlink()
    registry = CollectorRegistry()
    store = open_store(tmp_path, registry=registry)
    assert registry.get_sample_value("pushbridge_wal_missing_segments") == 1
    there = {number for number, (segment, _) in enumerate(positions) if segment != 1}
    assert batches_in(store) == there
    position, samples = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 1000)
        samples += piece.samples
    assert samples == sum(1 + number % 5 for number in there)
    await store.close()


async def test_what_cannot_be_set_aside_is_left_alone(tmp_path: Path) -> None:
    positions = await log_of(tmp_path, 5)
    path = wal(tmp_path, "00000000")
    damaged = flip(positions[3][1] - 5)(path.read_bytes())
    path.write_bytes(damaged)
    files = FaultyFiles()
    files.break_down("create")
    head = Head()
    found = recover(LogDir(files, wal(tmp_path)), head, SystemClock())
    assert found.ends == {0: positions[4][1]}
    assert found.next_segment == 1
    assert path.read_bytes() == damaged
    store = open_store(tmp_path)
    assert batches_in(store) == {0, 1, 2, 4}
    await store.close()


async def test_an_empty_last_segment_is_used_again_a_damaged_one_is_not(tmp_path: Path) -> None:
    await log_of(tmp_path, 2)
    wal(tmp_path, "00000001").write_bytes(bytes(1 << 20))
    store = open_store(tmp_path)
    assert (await store.append(batch(2))).position.segment == 1
    await store.close()
    path = wal(tmp_path, "00000001")
    path.write_bytes(path.read_bytes()[:-1].rstrip(b"\0")[:-1])
    store = open_store(tmp_path)
    assert batches_in(store) == {0, 1}
    await store.close()
    assert wal(tmp_path, "00000001.corrupt").exists()
    store = open_store(tmp_path)
    result = await store.append(batch(2))
    assert result.seq == 3
    await store.close()


async def test_a_second_damage_does_not_replace_what_was_set_aside(tmp_path: Path) -> None:
    for number in range(3):
        wal(tmp_path).mkdir(parents=True, exist_ok=True)
        wal(tmp_path, "00000000").write_bytes(b"\x01damaged %d" % number)
        await open_store(tmp_path).close()
    aside = sorted(path.name for path in wal(tmp_path).glob("*.corrupt*"))
    assert [wal(tmp_path, name).read_bytes()[-1:] for name in aside] == [b"0", b"1", b"2"]


async def test_a_reader_beside_a_writer_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(0))
    path = wal(tmp_path, "00000000")
    with path.open("r+b") as torn:  # a group under way
        torn.seek(store.durable().offset)
        torn.write(b"\x01\x00\x50half a record")
    before = {entry: entry.read_bytes() for entry in tmp_path.rglob("*") if entry.is_file()}
    assert batches_in(Directory(Files(), tmp_path / "tsdb", SystemClock())) == {0}
    assert {entry: entry.read_bytes() for entry in tmp_path.rglob("*") if entry.is_file()} == before
    await store.append(batch(1))
    assert batches_in(Directory(Files(), tmp_path / "tsdb", SystemClock())) == {0, 1}
    await store.close()


def test_nothing_is_an_empty_store(tmp_path: Path) -> None:
    assert batches_in(Directory(Files(), tmp_path / "nowhere" / "tsdb", SystemClock())) == set()
    assert not (tmp_path / "nowhere").exists()


async def test_a_long_replay_says_how_far_it_is(tmp_path: Path) -> None:
    class Slow(SystemClock):
        """Six seconds pass whenever somebody looks."""

        def __init__(self) -> None:
            self.now = 0.0

        def monotonic(self) -> float:
            self.now += 6.0
            return self.now

    await log_of(tmp_path, 10, padding=10_000)
    with structlog.testing.capture_logs() as logs:
        Directory(Files(), tmp_path / "tsdb", Slow())
    progress = [entry for entry in logs if entry["event"] == "replaying"]
    assert progress
    assert progress[0]["of"] == progress[-1]["done"] == len(progress)
