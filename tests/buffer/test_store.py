"""The store as its users see it: sinks that read, queries that select, promtool that opens the directory."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bridge.buffer import Position
from bridge.config import Storage
from bridge.errors import ConfigError
from bridge.native import Batch
from tests.buffer.samples import batch, dump, open_store

pytestmark = pytest.mark.anyio


async def test_a_sink_waits_for_what_is_new(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    piece, position = store.read(store.oldest(), 100)
    assert (piece.samples, position) == (0, store.durable())
    waiting = asyncio.create_task(store.wait_beyond(position))
    await asyncio.sleep(0)
    assert not waiting.done()
    await store.append(batch(4))
    await waiting
    piece, after = store.read(position, 100)
    assert (piece.samples, piece.seq, after) == (5, 5, store.durable())
    await store.close()


async def test_a_cancelled_wait_leaves_nothing_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    waiting = asyncio.create_task(store.wait_beyond(store.durable()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not store._log._progress
    await store.close()


async def test_slices_are_bounded_by_samples_at_batch_borders(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for number in range(20):
        await store.append(batch(number))
    position, sizes = store.oldest(), []
    while position < store.durable():
        piece, position = store.read(position, 4, least=2)
        sizes.append(piece.samples)
    assert sum(sizes) == 60
    # Of batches of 1, 2, 3, 4, 5, 1, ...: a second one where it fits, or where one alone would be too few.
    assert sizes[:4] == [3, 3, 4, 5]
    await store.close()


async def test_more_than_a_window_is_read_until_there_are_enough(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=Storage())
    for number in range(3):
        await store.append(batch(number, padding=200_000))
    assert [store.read(store.oldest(), 1, least=least)[0].samples for least in (1, 2, 4)] == [1, 3, 6]
    await store.close()


async def test_a_batch_longer_than_the_window_is_read(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(0))
    await store.append(batch(1, padding=3_000_000))
    await store.append(batch(2))
    position, sizes = store.oldest(), []
    while position < store.durable():
        piece, position = store.read(position, 1)
        sizes.append(piece.samples)
    assert sizes == [1, 2, 3]
    await store.close()


async def test_a_cursor_ahead_of_the_log_starts_over(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(4))
    piece, position = store.read(Position(99, 12345), 100)
    assert (piece.samples, position) == (5, store.durable())
    await store.close()


async def test_a_cursor_behind_the_end_of_its_segment_moves_on(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(4))
    await store.close()
    store = open_store(tmp_path)
    await store.append(batch(9))
    piece, position = store.read(Position(0, 1 << 30), 100)
    assert (piece.samples, position) == (5, store.durable())
    await store.close()


async def test_damage_found_by_a_reader_is_skipped_and_counted(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    store = open_store(tmp_path, registry=registry)
    first = (await store.append(batch(4))).position
    await store.append(batch(9))
    with (tmp_path / "tsdb/wal/00000000").open("r+b") as segment:
        segment.seek(store.durable().offset - 10)  # in the samples
        segment.write(b"\xff\xff")
        segment.seek(first.offset + 30)  # in the series record, which nobody needs who has the head
        segment.write(b"\xff\xff")
    piece, position = store.read(store.oldest(), 100)
    assert (piece.samples, position) == (5, first)
    piece, position = store.read(position, 100)
    assert (piece.samples, position) == (0, store.durable())
    lost = store.durable().offset - first.offset
    assert registry.get_sample_value("pushbridge_wal_skipped_bytes_total") == lost
    await store.append(batch(14))
    piece, position = store.read(position, 100)
    assert piece.samples == 5
    await store.close()


async def test_ticks_hold_pushed_values_for_those_who_ask(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(Batch.from_rows([({"__name__": "a"}, None, 1.0)], 100, held=True))
    await store.append(Batch.from_rows([({"__name__": "b"}, None, 2.0)], 100))
    for t in (200, 300):
        await store.tick(t)
    for _ in range(2):
        plain = {series.labels["__name__"]: series.timestamps for series in store.select([])}
        held = {series.labels["__name__"]: series.timestamps for series in store.select([], held=True)}
        assert plain == {"a": [100], "b": [100]}
        assert held == {"a": [100, 200, 300], "b": [100]}
        await store.close()
        store = open_store(tmp_path)
    assert store.seq == 2
    await store.close()


async def test_bounds_refuse_what_lies_outside(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.set_bounds(1_000, 2_000)
    with pytest.raises(ValueError, match="out of bounds"):
        await store.append(batch(1_500))
    store.set_bounds(None, None)
    await store.append(batch(1_500))
    await store.close()


async def test_one_store_a_directory(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(ConfigError, match="is locked"):
        open_store(tmp_path)
    await store.close()
    await open_store(tmp_path).close()


async def test_metrics_tell_what_is_there(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    store = open_store(tmp_path, registry=registry)
    for number in range(5):
        await store.append(batch(number, padding=30_000))
    text = generate_latest(registry).decode()
    segments = len(list((tmp_path / "tsdb/wal").iterdir()))
    for line in (
        "pushbridge_head_samples_accepted 15.0",
        "pushbridge_head_series 9.0",
        f"pushbridge_wal_segments {segments}.0",
        "pushbridge_wal_batches_total 5.0",
        "pushbridge_wal_corrupt_bytes 0.0",
    ):
        assert line in text
    assert segments > 1
    await store.close()


@pytest.mark.interop
async def test_promtool_reads_what_we_write(tmp_path: Path, peer: Callable[[str], Path]) -> None:
    """While the store runs, preallocated zeros and all, after a close, and after segments have turned."""
    promtool = peer("promtool")

    def read() -> list[str]:
        command = [str(promtool), "tsdb", "dump", str(tmp_path / "tsdb")]
        output: str = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return output.splitlines()

    store = open_store(tmp_path)
    for number in range(30):
        await store.append(batch(number, padding=number % 3 * 10_000, event=number % 2 == 0))
        await store.tick(2_000 + number)
    assert store.durable().segment > 3
    assert sorted(read()) == sorted(dump(store).splitlines())
    await store.close()
    assert sorted(read()) == sorted(dump(store).splitlines())
    store = open_store(tmp_path)
    await store.append(batch(30))
    await store.close()
    assert sorted(read()) == sorted(dump(store).splitlines())
