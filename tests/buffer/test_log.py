"""Group commit: who waits for whom, what a failure takes with it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer import Position, Store
from bridge.config import Wal
from bridge.errors import Unavailable
from bridge.native import AppendRefused, Batch
from tests.buffer.faults import FaultyFiles, GatedFiles
from tests.buffer.samples import batch, batches_in, open_store, size_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def store_with(path: Path, files: FaultyFiles, **options: object) -> AsyncIterator[Store]:
    store = open_store(path, files=files, **options)
    try:
        yield store
    finally:
        files.mend()
        if isinstance(files, GatedFiles):
            files.open_gate()
        await store.close()


async def held_up(store: Store, files: GatedFiles, number: int) -> asyncio.Task[object]:
    """Append a batch whose sync does not come back before the gate opens."""
    files.shut_gate()
    task: asyncio.Task[object] = asyncio.create_task(store.append(batch(number)))
    await anyio.to_thread.run_sync(files.waiting.wait, 20)
    return task


async def test_an_append_tells_time_samples_seq_and_position(tmp_path: Path) -> None:
    async with store_with(tmp_path, FaultyFiles()) as store:
        first = await store.append(batch(3))
        second = await store.append(batch(4))
        assert (first.time, first.samples, first.seq) == (1003, 4, 0)
        assert (second.time, second.samples, second.seq) == (1004, 5, 4)
        assert Position(0, 0) < first.position < second.position == store.durable()
        assert store.seq == 9


async def test_nothing_is_visible_before_it_is_durable(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        before = store.durable()
        task = await held_up(store, files, 0)
        assert batches_in(store) == set()
        assert store.durable() == before
        assert not task.done()
        files.open_gate()
        await task
        assert batches_in(store) == {0}


async def test_all_that_wait_share_one_sync(tmp_path: Path) -> None:
    files = GatedFiles()
    registry = CollectorRegistry()
    async with store_with(tmp_path, files, registry=registry) as store:
        first = await held_up(store, files, 0)
        rest = [asyncio.create_task(store.append(batch(number))) for number in range(1, 30)]
        await asyncio.sleep(0)  # let them stage and queue
        files.calls.clear()
        files.open_gate()
        results = await asyncio.gather(*rest)
        await first
        assert files.calls.count("sync") == 2  # the one that was held up, and the one of all others
        assert [r.seq for r in results] == [sum(size_of(n) for n in range(k)) for k in range(1, 30)]
    assert registry.get_sample_value("pushbridge_wal_batches_total") == 30
    assert registry.get_sample_value("pushbridge_wal_group_size_count") == 2
    assert registry.get_sample_value("pushbridge_wal_bytes_total") == results[-1].position.offset


async def test_batches_are_committed_in_stage_order_before_callers_are_told(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        order: list[object] = []
        batches = [batch(number) for number in range(5)]
        store.on_commit(order.append)

        async def append(number: int) -> None:
            await store.append(batches[number])
            order.append(number)

        await asyncio.gather(*(append(number) for number in range(5)))
        assert order[:5] == batches
        assert order[5:] == list(range(5))


async def test_a_caller_that_goes_away_does_not_stop_its_batch(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        first = await held_up(store, files, 0)
        second = asyncio.create_task(store.append(batch(1)))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        await asyncio.wait([first, second])
        files.open_gate()
        await store.append(batch(2))
        assert batches_in(store) == {0, 1, 2}


async def test_a_caller_that_goes_away_does_not_keep_others_from_hearing_of_a_failure(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        first = await held_up(store, files, 0)
        second = asyncio.create_task(store.append(batch(1)))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        files.break_down("sync")
        files.open_gate()
        with pytest.raises(Unavailable):
            await second


async def test_a_refused_batch_changes_nothing(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    async with store_with(tmp_path, FaultyFiles(), registry=registry) as store:
        await store.append(batch(9))
        durable = store.durable()
        with pytest.raises(AppendRefused, match="shared"):
            await store.append(batch(3))
        assert batches_in(store) == {9}
        assert store.durable() == durable
    assert registry.get_sample_value("pushbridge_head_refused_batches_total", {"reason": "out_of_order"}) == 1


async def test_a_staged_batch_counts_in_order_checks(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        task = await held_up(store, files, 9)
        with pytest.raises(AppendRefused):
            await store.append(batch(3))
        files.open_gate()
        await task


@pytest.mark.parametrize("operation", ["write_at", "sync", "create", "sync_dir"])
async def test_a_failed_write_refuses_its_group_and_all_behind_it(tmp_path: Path, operation: str) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files) as store:
        rollbacks: list[set[int]] = []
        store.on_rollback(lambda: rollbacks.append(batches_in(store)))
        files.break_down(operation)
        results = await asyncio.gather(*(store.append(batch(n)) for n in range(1, 5)), return_exceptions=True)
        assert all(isinstance(result, Unavailable) for result in results)
        assert "disk full" in str(results[0])
        assert "free some space" in str(results[0]).lower()
        assert rollbacks == [set()]
        assert batches_in(store) == set()
        files.mend()
        results = await asyncio.gather(*(store.append(batch(n)) for n in range(3)), return_exceptions=True)
        assert batches_in(store) == {0, 1, 2}, results
        assert store.seq == 6
    assert_reopens_with(tmp_path, {0, 1, 2})


async def test_what_queues_behind_a_failing_group_is_refused_with_it(tmp_path: Path) -> None:
    files = GatedFiles()
    async with store_with(tmp_path, files) as store:
        await store.append(batch(0))
        first = await held_up(store, files, 1)
        second = asyncio.create_task(store.append(batch(2)))
        await asyncio.sleep(0)
        files.break_down("sync", error=errno.EIO)
        files.open_gate()
        with pytest.raises(Unavailable, match="nothing of this was stored"):
            await first
        with pytest.raises(Unavailable):
            await second
        files.mend()
        assert batches_in(store) == {0}
        await store.append(batch(3))
        assert batches_in(store) == {0, 3}
        assert store.durable().segment == 1  # a failed sync is not tried again on the same file
    assert_reopens_with(tmp_path, {0, 3})


async def test_a_callback_that_fails_hurts_nobody_else(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files) as store:

        def fail(*_: object) -> None:
            raise ValueError("no")

        store.on_commit(fail)
        store.on_rollback(fail)
        await asyncio.gather(*(store.append(batch(number)) for number in range(3)))
        files.break_down("sync")
        with pytest.raises(Unavailable):
            await store.append(batch(3))
        files.mend()
        await store.append(batch(3))
        assert batches_in(store) == {0, 1, 2, 3}


async def test_a_head_that_contradicts_the_log_ends_the_store(tmp_path: Path) -> None:
    """It cannot happen; if it does, nobody hangs, and the log, which has it all, is replayed at the next start."""
    store = open_store(tmp_path)
    await store.append(batch(0))
    appends = [asyncio.create_task(store.append(batch(number))) for number in range(1, 4)]
    await asyncio.sleep(0)
    store.head.rollback()
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    with pytest.raises(Unavailable, match="needs a restart"):
        await store.append(batch(5))
    await store.close()
    assert_reopens_with(tmp_path, {0, 1, 2, 3})


async def test_space_that_comes_back_is_enough(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files) as store:
        await store.append(batch(0))
        for _ in range(3):
            files.break_down("write_at", "allocate", "create")
            with pytest.raises(Unavailable):
                await store.append(batch(1))
        files.mend()
        await store.append(batch(1))
        assert [path.name for path in sorted((tmp_path / "tsdb/wal").iterdir())] == ["00000000", "00000001"]
    assert_reopens_with(tmp_path, {0, 1})


async def test_no_preallocation_is_no_failure(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files) as store:
        files.break_down("allocate")
        await store.append(batch(0))
    assert_reopens_with(tmp_path, {0})


async def test_refused_bytes_that_cannot_be_cut_off_are_marked(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files) as store:
        end = (await store.append(batch(0))).position
        files.break_down("sync", "resize", error=errno.EIO)
        with pytest.raises(Unavailable):
            await store.append(batch(1))
        # Neither the cut nor the mark was possible: until one is, there is no other segment.
        files.break_down("resize", error=errno.EIO)
        await store.append(batch(2))
        wal = tmp_path / "tsdb/wal"
        assert (wal / "00000000.end").read_text() == f"{end.offset}\n"
        assert (wal / "00000000").stat().st_size > end.offset
        assert read_all(store) == 4
        files.mend()
    assert_reopens_with(tmp_path, {0, 2})
    assert sorted(path.name for path in wal.iterdir()) == ["00000000", "00000001"]
    assert (wal / "00000000").stat().st_size == end.offset


async def test_interval_acknowledges_before_the_sync_and_feeds_sinks_after(tmp_path: Path) -> None:
    files = GatedFiles()
    settings = Wal(sync="interval", sync_interval="1ms")
    async with store_with(tmp_path, files, settings=settings) as store:
        files.shut_gate()
        start = store.durable()
        await store.append(batch(0))
        assert batches_in(store) == {0}
        assert store.durable() == start
        files.open_gate()
        await store.wait_beyond(start)
        assert read_all(store) == 1


async def test_a_failed_interval_sync_loses_nothing_that_was_written(tmp_path: Path) -> None:
    files = FaultyFiles()
    registry = CollectorRegistry()
    settings = Wal(sync="interval", sync_interval="1ms")
    async with store_with(tmp_path, files, settings=settings, registry=registry) as store:
        await store.append(batch(0))
        files.break_down("sync", error=errno.EIO)
        with anyio.fail_after(20):
            while not registry.get_sample_value("pushbridge_wal_failures_total"):
                await asyncio.sleep(0.001)
        files.mend()
        files.calls.clear()
        after = await store.append(batch(1))
        assert after.position.segment == 1
        assert files.calls[0] == "create"  # what the page cache now says of the old file is not to be relied on
        assert batches_in(store) == {0, 1}
    assert_reopens_with(tmp_path, {0, 1})


async def test_off_never_syncs_while_it_runs(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with store_with(tmp_path, files, settings=Wal(sync="off")) as store:
        files.calls.clear()
        await asyncio.gather(*(store.append(batch(n)) for n in range(10)))
        assert "sync" not in files.calls
        assert read_all(store) == store.seq
    assert_reopens_with(tmp_path, set(range(10)))


async def test_a_segment_is_closed_when_a_batch_does_not_fit(tmp_path: Path) -> None:
    async with store_with(tmp_path, FaultyFiles()) as store:
        positions = [(await store.append(batch(n, padding=10_000))).position for n in range(20)]
        assert [p.segment for p in positions] == sorted(p.segment for p in positions)
        assert positions[-1].segment >= 3
        together = await asyncio.gather(*(store.append(batch(n, padding=20_000)) for n in range(20, 40)))
        assert len({result.position.segment for result in together}) >= 5
        assert batches_in(store) == set(range(40))
        assert read_all(store) == store.seq
        finished = range(together[-1].position.segment)
        assert all((tmp_path / f"tsdb/wal/{n:08d}").stat().st_size % 32768 == 0 for n in finished)
    assert_reopens_with(tmp_path, set(range(40)))


async def test_a_batch_longer_than_a_segment_gets_a_long_segment(tmp_path: Path) -> None:
    async with store_with(tmp_path, FaultyFiles()) as store:
        await store.append(batch(0))
        long = await store.append(batch(1, padding=200_000))
        after = await store.append(batch(2))
        assert long.position.segment == 1
        assert long.position.offset > 200_000
        assert after.position.segment == 2
        assert read_all(store) == 6
    assert_reopens_with(tmp_path, {0, 1, 2})


async def test_close_finishes_what_waits_and_refuses_what_comes(tmp_path: Path) -> None:
    files = GatedFiles()
    store = open_store(tmp_path, files=files)
    first = await held_up(store, files, 0)
    second = asyncio.create_task(store.append(batch(1)))
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="shutting down"):
        await store.append(batch(2))
    files.open_gate()
    await asyncio.gather(first, second, closing)
    assert not (tmp_path / "tsdb/lock").exists()
    assert (tmp_path / "tsdb/wal/00000000").stat().st_size == 32768
    assert_reopens_with(tmp_path, {0, 1})


async def test_an_event_without_samples_is_a_batch(tmp_path: Path) -> None:
    async with store_with(tmp_path, FaultyFiles()) as store:
        result = await store.append(Batch.from_rows([], 5, event=b"gone"))
        assert result.samples == 0
    events: list[tuple[Position, bytes]] = []
    store = open_store(tmp_path, on_event=lambda position, event: events.append((position, event)))
    await store.close()
    assert events == [(result.position, b"gone")]


def read_all(store: Store) -> int:
    """Samples that a sink reads, a few at a time."""
    position, seq = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 3, seq=seq)
        assert piece.seq == seq + piece.samples
        seq = piece.seq
    return seq


def assert_reopens_with(path: Path, expected: set[int]) -> None:
    store = open_store(path)
    try:
        assert batches_in(store) == expected
        assert store.seq == sum(size_of(number) for number in expected)
    finally:
        store._lock.release()
