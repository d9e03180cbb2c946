"""Samples out of order, and deletions of them, before and after a crash: the log tells again what blocks have had."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer import Store
from bridge.config import Storage
from bridge.native import Batch
from tests.buffer.told_clock import ToldClock

pytestmark = pytest.mark.anyio

MINUTE = 60_000
HOUR = 60 * MINUTE
BEGIN = 1_700_006_400_000  # a boundary of two hours
SETTINGS = Storage.model_validate({"out_of_order_time_window": "6h", "wal": {"segment_size": "64KiB"}})
MATCH = [("__name__", "=", "a")]


def open_late(path: Path) -> Store:
    return Store.open(path, settings=SETTINGS, clock=ToldClock(), registry=CollectorRegistry())


async def append(store: Store, *hours: float) -> None:
    for at in hours:
        await store.append(Batch.from_rows([({"__name__": "a"}, BEGIN + int(at * HOUR), at)], 0))


def times(store: Store) -> list[float]:
    """Hours after the beginning."""
    return [(t - BEGIN) / HOUR for series in store.select(MATCH) for t in series.timestamps]


def crashed(path: Path, number: int) -> Path:
    """A copy of what `kill -9` leaves just now."""
    copy = path.with_name(f"crashed-{number}")
    shutil.copytree(path, copy)
    return copy


async def test_a_deletion_of_late_samples_outlives_the_cut_of_their_range(tmp_path: Path) -> None:
    store = open_late(tmp_path / "data")
    await append(store, 0, 1, 2, 3.5, 0.25)
    await store.admin.delete_series(MATCH, BEGIN, BEGIN + HOUR)
    for _ in range(2):
        await store.maintain()
        assert times(store) == [2, 3.5]
    await store.close()
    store = open_late(tmp_path / "data")
    assert times(store) == [2, 3.5]
    await store.close()


async def test_what_was_deleted_from_blocks_alone_does_not_come_back_from_the_log(tmp_path: Path) -> None:
    store = open_late(tmp_path / "data")
    await append(store, 0, 1, 2, 3.5, 0.25)
    await store.maintain()
    await append(store, 0.5)
    await store.maintain()
    await store.admin.delete_series(MATCH, BEGIN, BEGIN + HOUR)
    await store.admin.clean_tombstones()  # the only whole block is gone, so nothing says how far blocks reach
    assert times(store) == [2, 3.5]
    store, before = open_late(crashed(tmp_path / "data", 1)), store
    assert times(store) == [2, 3.5]
    await store.close()
    await before.close()


async def test_what_comes_after_a_deletion_is_not_deleted_by_it(tmp_path: Path) -> None:
    store = open_late(tmp_path / "data")
    await append(store, 0, 1, 2, 3.5, 0.25)
    await store.admin.delete_series(MATCH, BEGIN, BEGIN + HOUR)
    await append(store, 0.5, 3.75)
    assert times(store) == [0.5, 2, 3.5, 3.75]
    for number in range(2):
        copy = open_late(crashed(tmp_path / "data", number))
        assert times(copy) == [0.5, 2, 3.5, 3.75]
        await copy.close()
        await store.maintain()
    await store.close()


async def test_late_samples_stay_in_the_log_until_a_block_has_them(tmp_path: Path) -> None:
    """As when the disk is too full for their blocks, while ranges in order are cut, and the log behind them."""
    store = open_late(tmp_path / "data")
    await append(store, 0, 1)
    for hour in range(2, 12, 2):
        await append(store, hour, hour + 1.5, hour - 0.75)
        memory = store._upkeep._memory
        while (span := memory.next_block()) is not None:
            building = await memory.building(span)
            store._upkeep.compactor.cut(building, *span)
            await memory.truncate(span.maxt)
        await memory.truncate_log()
    expected = times(store)
    assert store.oldest().segment > 0
    copy = open_late(crashed(tmp_path / "data", 1))
    assert times(copy) == expected
    await copy.close()
    await store.close()
