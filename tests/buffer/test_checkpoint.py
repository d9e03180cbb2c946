"""Checkpoints: what is condensed and when, what is found again, and what a damaged one means."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from bridge.buffer import Directory, Files, Position, Store, Truncated
from bridge.buffer.checkpoint import Truncation, plan_truncation
from bridge.clock import SystemClock
from bridge.errors import ConfigError
from bridge.native import Batch
from tests.buffer.samples import open_store

pytestmark = pytest.mark.anyio

GIB = 1 << 30
NOISE = "".join(f"{hash((1, i)) & 0xFFFFFFFFFFFFFFFF:016x}" for i in range(1_250))


def at(*segments: int) -> list[Position]:
    return [Position(segment, 100) for segment in segments]


PLANS: dict[str, tuple[int, list[Position], list[Position], int, Truncation | None]] = {
    # name: segments 0 to n-1 of 10 bytes and n active; readers; owners; keep; what is to be done
    "nothing closed": (0, [], [], GIB, None),
    "one segment is too few": (1, [], [], GIB, None),
    "two are too few": (2, [], [], GIB, None),
    "two thirds": (9, [], [], GIB, Truncation(0, 5)),
    "a reader holds it up": (9, at(3, 8), [], GIB, Truncation(0, 2)),
    "a reader at the beginning stops it": (9, at(0), [], GIB, None),
    "an owner holds it up": (9, [], at(4), GIB, Truncation(0, 3)),
    "a reader is passed when the log is too long": (9, at(1), [], 60, Truncation(0, 3, passed=True)),
    "and only as far as is needed": (9, at(2), [], 80, Truncation(0, 1)),
    "never beyond two thirds": (9, at(0), [], 0, Truncation(0, 5, passed=True)),
    "an owner is never passed": (9, at(0), at(2), 0, Truncation(0, 1, passed=True)),
    "an owner at the beginning stops it": (9, [], at(0), 0, None),
    "a reader ahead is not passed": (9, at(9), [], 0, Truncation(0, 5)),
}


@pytest.mark.parametrize("name", PLANS)
def test_plans(name: str) -> None:
    count, readers, owners, keep, wanted = PLANS[name]
    sizes = dict.fromkeys(range(count + 1), 10)
    assert plan_truncation(sizes, count, readers=readers, owners=owners, keep=keep) == wanted


def test_a_plan_begins_where_the_log_does() -> None:
    assert plan_truncation(dict.fromkeys(range(6, 16), 10), 15, readers=[], owners=[], keep=GIB) == Truncation(6, 11)


# -- a store -----------------------------------------------------------------------------------------------------------


async def filled(path: Path, batches: int = 40) -> Store:
    """A store whose segments take three batches each: sample `n` at `n` of one series, and a series of its own each."""
    store = open_store(path)
    await fill(store, 0, batches)
    return store


async def fill(store: Store, first: int, stop: int) -> None:
    for number in range(first, stop):
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "all"}, number, float(number)),
            ({"__name__": "own", "n": str(number), "noise": NOISE[:20_000]}, number, float(number)),
        ]
        await store.append(Batch.from_rows(rows, number, event=b"event" if number % 5 == 0 else None))


def times(store: Store) -> list[int]:
    return store.select([("__name__", "=", "all")])[0].timestamps


def wal(path: Path, name: str = "") -> Path:
    return path / "tsdb" / "wal" / name


async def test_what_is_needed_is_found_again_and_the_rest_is_gone(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    await store.tick(10)
    await store.tick(100)
    plan = await store.truncate_log(20, readers=[], owners=[], keep=GIB, events=[b"all of it"])
    assert plan is not None
    assert store.oldest() == Position(plan.last + 1, 0)
    assert not wal(tmp_path, f"{plan.last:08d}").exists()
    assert wal(tmp_path, f"checkpoint.{plan.last:08d}").is_dir()
    await fill(store, 40, 43)
    await store.close()
    told: list[tuple[Position, bytes]] = []
    store = open_store(tmp_path, on_event=lambda position, event: told.append((position, event)))
    first = min(plan_first for plan_first in times(store))
    assert times(store) == list(range(first, 43))
    assert first == 20, "in the segments that are left everything is newer"
    assert store.seq == 2 * 43
    assert told[0] == (Position(plan.last + 1, 0), b"all of it")
    assert [event for _, event in told[1:]] == [b"event"] * (len(told) - 1)
    again = await store.truncate_log(30, readers=[], owners=[], keep=GIB)
    assert again is None or again.last > plan.last
    await store.close()


async def test_a_second_checkpoint_is_made_of_the_first(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    first = await store.truncate_log(5, readers=[], owners=[], keep=GIB)
    await fill(store, 40, 80)
    second = await store.truncate_log(12, readers=[], owners=[], keep=GIB)
    assert first is not None
    assert second is not None
    assert [path.name for path in wal(tmp_path).glob("checkpoint.*")] == [f"checkpoint.{second.last:08d}"]
    await store.close()
    store = open_store(tmp_path)
    assert times(store) == list(range(12, 80))
    assert len(store.select([("__name__", "=", "own")])) == 68
    assert store.seq == 160
    await store.close()
    assert Directory(Files(), tmp_path / "tsdb", SystemClock()).seq == 160


async def test_a_held_value_that_stands_is_kept_however_old(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(Batch.from_rows([({"__name__": "pushed"}, 1, 7.0)], 1, held=True))
    await store.append(Batch.from_rows([({"__name__": "ended"}, 1, 7.0)], 1, held=True))
    stale = 9218868437227405314  # the bits of the stale marker
    await store.append(Batch.from_rows([({"__name__": "ended"}, 2, float_of(stale))], 1, held=True))
    await fill(store, 3, 43)
    plan = await store.truncate_log(30, readers=[], owners=[], keep=GIB)
    assert plan is not None
    await store.tick(50)
    await store.close()
    store = open_store(tmp_path)
    (pushed,) = store.select([("__name__", "=", "pushed")], held=True)
    assert (pushed.timestamps, pushed.values) == ([1, 50], [7.0, 7.0])
    assert store.select([("__name__", "=", "ended")], held=True) == []
    await store.close()


def float_of(bits: int) -> float:
    value: float = struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    return value


async def test_a_reader_that_was_passed_is_told_so(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    _, position = store.read(Position(0, 0), 1)
    plan = await store.truncate_log(0, readers=[position], owners=[], keep=0)
    assert plan is not None
    assert plan.passed
    with pytest.raises(Truncated) as refusal:
        store.read(position, 1)
    assert refusal.value.oldest == Position(plan.last + 1, 0)
    piece, _ = store.read(refusal.value.oldest, 1)
    assert piece.samples
    await store.close()


async def test_who_is_asked_before_may_prevent_it(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    asked: list[Position] = []

    async def refuse(oldest: Position) -> None:
        asked.append(oldest)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - any will do
        await store.truncate_log(20, readers=[], owners=[], keep=GIB, before=refuse)
    assert store.oldest() == Position(0, 0)
    plan = await store.truncate_log(20, readers=[], owners=[], keep=GIB)
    assert plan is not None
    assert asked == [Position(plan.last + 1, 0)]
    await store.close()


async def test_leftovers_are_swept(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(wal(tmp_path), copy)
    plan = await store.truncate_log(20, readers=[], owners=[], keep=GIB)
    assert plan is not None
    await store.close()
    for segment in copy.glob("0*"):
        if not wal(tmp_path, segment.name).exists():
            shutil.copy(segment, wal(tmp_path, segment.name))
    wal(tmp_path, "checkpoint.00000099.tmp").mkdir()
    store = open_store(tmp_path)
    assert store.oldest() == Position(plan.last + 1, 0)
    assert times(store)[0] == 20
    assert not wal(tmp_path, "checkpoint.00000099.tmp").exists()
    await store.close()


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
async def test_a_damaged_checkpoint_is_no_start_unless_its_segments_are_there(tmp_path: Path, harm: str) -> None:
    store = await filled(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(wal(tmp_path), copy)
    plan = await store.truncate_log(20, readers=[], owners=[], keep=GIB)
    assert plan is not None
    await store.close()
    part = wal(tmp_path, f"checkpoint.{plan.last:08d}/00000000")
    data = part.read_bytes()
    if harm == "flip":
        part.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    elif harm == "cut":
        part.write_bytes(data[:40_000])
    else:
        part.unlink()
    with pytest.raises(ConfigError, match="the checkpoint is damaged and the segments"):
        open_store(tmp_path)
    for segment in copy.glob("0*"):
        if int(segment.name) <= plan.last:
            shutil.copy(segment, wal(tmp_path, segment.name))
    store = open_store(tmp_path)
    assert times(store) == list(range(40))
    await store.close()
    assert wal(tmp_path, f"checkpoint.{plan.last:08d}.corrupt").is_dir()


async def test_damage_in_what_is_condensed_is_kept_aside(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    victim = wal(tmp_path, "00000001")
    data = victim.read_bytes()
    victim.write_bytes(data[:-2000].rstrip(b"\0")[:-30] + b"\xff" * 30)
    plan = await store.truncate_log(0, readers=[], owners=[], keep=GIB)
    assert plan is not None
    assert wal(tmp_path, "00000001.corrupt").exists()
    assert not victim.exists()
    await store.close()
    store = open_store(tmp_path)
    assert len(times(store)) >= 38
    await store.close()
