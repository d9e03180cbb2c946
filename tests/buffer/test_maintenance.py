"""The upkeep of a store, round by round, and what an administrator may ask of it."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

import bridge.buffer.maintenance
from bridge.buffer.administration import Administration
from bridge.buffer.deletions import Deletions
from bridge.buffer.files import Files
from bridge.buffer.maintenance import Maintenance, Span
from bridge.buffer.matchers import Matchers
from bridge.clock import SystemClock
from bridge.config import Retention, Size, Storage
from tests.buffer.block_model import Building, Model, Sample, Workshop, samples_in
from tests.buffer.faults import FaultyFiles
from tests.buffer.memory_model import MemoryModel

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
KEEP_ALL = Storage(retention=Retention(time="0s"))


@contextmanager
def upkeep(
    tmp_path: Path, *samples: Sample, settings: Storage = KEEP_ALL, files: Files | None = None
) -> Iterator[tuple[Workshop, MemoryModel, Maintenance[Model]]]:
    (tmp_path / "tsdb").mkdir()
    shop = Workshop(tmp_path / "tsdb", files)
    memory = MemoryModel(*samples)
    keeper = Maintenance(shop.blocks, memory, shop.compactor, settings, files=shop.files, metrics=shop.metrics)
    try:
        yield shop, memory, keeper
    finally:
        keeper.close()


def administration(
    shop: Workshop, memory: MemoryModel, keeper: Maintenance[Model], snapshots: Path
) -> Administration[Model]:
    deletions = Deletions(shop.blocks, shop.compactor, clock=SystemClock(), metrics=shop.metrics)
    return Administration(
        shop.blocks, memory, keeper, deletions, files=shop.files, snapshots=snapshots, clock=SystemClock()
    )


def series(start: int, stop: int) -> set[Sample]:
    return {("a", t) for t in range(start, stop, 5)}


def spans(shop: Workshop) -> list[tuple[int, int]]:
    return [(block.meta.mint, block.meta.maxt) for block in shop.blocks.loaded]


async def test_a_round_does_what_is_due(tmp_path: Path) -> None:
    everything = series(0, 100)
    with upkeep(tmp_path, *everything) as (shop, memory, keeper):
        memory.late = {("late", 3), ("late", 50)}
        await keeper.tick()
        assert memory.samples == series(80, 100)
        assert memory.late == set()
        assert (memory.mapped, memory.log_cuts) == (1, 1)
        assert shop.samples() | memory.samples == everything | {("late", 3), ("late", 50)}
        assert spans(shop) == [(0, 20), (20, 40), (40, 60), (60, 80)]  # late ones have been merged with their ranges
        assert [block.meta.compaction.hints for block in shop.blocks.loaded] == [()] * 4
        assert shop.metric("vertical_compactions_total") == 2
        metas = [block.meta for block in shop.blocks.loaded]
        await keeper.tick()
        assert [block.meta for block in shop.blocks.loaded] == metas


async def test_late_samples_alone_make_late_blocks(tmp_path: Path) -> None:
    with upkeep(tmp_path) as (shop, memory, keeper):
        memory.late = {("late", 3), ("late", 50)}
        await keeper.tick()
        assert [block.meta.whole for block in shop.blocks.loaded] == [False, False]
        assert shop.samples() == {("late", 3), ("late", 50)}


async def test_what_is_too_old_goes(tmp_path: Path) -> None:
    settings = Storage(retention=Retention(time="2h"))
    with upkeep(tmp_path, settings=settings) as (shop, _, keeper):
        for start in range(4):
            shop.cut(start * 2 * HOUR, (start + 1) * 2 * HOUR, "a", step=HOUR)
        await keeper.tick()
        assert spans(shop) == [(6 * HOUR, 8 * HOUR)]
        assert shop.metric("time_retentions_total") == 3
        assert shop.metric("retention_limit_seconds") == 7200
        assert len(list((tmp_path / "tsdb").iterdir())) == 1


async def test_what_is_too_much_goes_the_log_counted_in(tmp_path: Path) -> None:
    with upkeep(tmp_path) as (shop, memory, keeper):
        for start in (0, 20, 40):
            shop.cut(start, start + 20, "a")
        size = shop.blocks.total_bytes()
        keeper.configure(Storage(retention=Retention(size=Size(size + 100))))
        memory.bytes = 100
        await keeper.tick()
        assert len(spans(shop)) == 3
        memory.bytes = 101
        await keeper.tick()
        assert spans(shop) == [(20, 40), (40, 60)]
        assert shop.metric("size_retentions_total") == 1


async def test_a_share_of_the_disk_is_a_size(tmp_path: Path) -> None:
    class SmallDisk(Files):
        def disk_size(self, path: Path) -> int:
            assert path == tmp_path / "tsdb"
            return shop.blocks.total_bytes() * 2 - 2

    with upkeep(tmp_path, files=SmallDisk(), settings=Storage(retention=Retention(percentage=50))) as (shop, _, keeper):
        for start in (0, 20, 40):
            shop.cut(start, start + 20, "a")
        await keeper.tick()
        assert spans(shop) == [(20, 40), (40, 60)]


@pytest.mark.parametrize(
    ("broken", "phases"),
    [
        ("map_chunks", {"chunks"}),
        ("next_block", {"head", "compact"}),
        ("building", {"head"}),
        ("truncate", {"head"}),
        ("late_building", {"out_of_order"}),
        ("truncate_late", {"out_of_order"}),
        ("truncate_log", {"log"}),
    ],
)
async def test_a_phase_that_fails_is_told_and_tried_again(tmp_path: Path, broken: str, phases: set[str]) -> None:
    everything = series(0, 100)
    with upkeep(tmp_path, *everything) as (shop, memory, keeper):
        memory.late = {("late", 3), ("late", 50)}
        memory.broken = {broken}
        with structlog.testing.capture_logs() as logs:
            await keeper.tick()
        failures = {entry["phase"]: entry["reason"] for entry in logs if entry["event"].startswith("upkeep failed")}
        assert set(failures) == phases
        assert all("No space left" in reason for reason in failures.values())
        for phase in phases:
            assert shop.metric("maintenance_failures_total", phase=phase) == 1
        seen = shop.samples() | memory.samples | memory.late
        assert seen == everything | {("late", 3), ("late", 50)}
        memory.broken = set()
        await keeper.tick()
        assert memory.samples == series(80, 100)
        assert shop.samples() | memory.samples == seen
        assert spans(shop) == [(0, 20), (20, 40), (40, 60), (60, 80)]
        assert (memory.late, memory.log_cuts > 0, memory.mapped > 0) == (set(), True, True)


async def test_late_blocks_come_together_or_not_at_all(tmp_path: Path) -> None:
    class SecondFails(MemoryModel):
        async def late_building(self, span: Span) -> Building:
            if span.mint > 0:
                raise OSError(errno.ENOSPC, "full")
            return await super().late_building(span)

    (tmp_path / "tsdb").mkdir()
    shop, memory = Workshop(tmp_path / "tsdb"), SecondFails()
    memory.late = {("late", 3), ("late", 50)}
    keeper = Maintenance(shop.blocks, memory, shop.compactor, KEEP_ALL, files=shop.files, metrics=shop.metrics)
    await keeper.tick()
    keeper.close()
    assert shop.metric("compactions_total") == 1
    assert list((tmp_path / "tsdb").iterdir()) == []
    assert len(memory.late) == 2


@pytest.mark.parametrize("operation", ["create", "write_at", "sync", "sync_dir", "rename", "remove_tree"])
async def test_a_full_disk_loses_nothing_and_mends_by_itself(tmp_path: Path, operation: str) -> None:
    everything = series(0, 200)
    with upkeep(tmp_path, *everything, files=(files := FaultyFiles())) as (shop, memory, keeper):
        for start in (-80, -60, -40, -20):
            shop.cut(start, start + 20, "b")
        everything |= shop.samples()
        memory.late = {("late", 3)}
        files.break_down(operation)
        for _ in range(2):
            await keeper.tick()
            assert shop.samples() | memory.samples | memory.late == everything | {("late", 3)}
        files.mend()
        for _ in range(2):
            await keeper.tick()
        assert shop.samples() | memory.samples == everything | {("late", 3)}
        assert memory.samples == series(180, 200)
        assert not any(block.meta.compaction.failed for block in shop.blocks.loaded)
        names = {path.name for path in (tmp_path / "tsdb").iterdir() if not path.name.endswith(".tmp-for-creation")}
        assert names == {block.meta.ulid for block in shop.blocks.loaded}


async def test_a_fault_of_ours_ends_no_other_phase(tmp_path: Path) -> None:
    class Faulty(MemoryModel):
        async def map_chunks(self) -> None:
            raise KeyError("ours")

    (tmp_path / "tsdb").mkdir()
    shop, memory = Workshop(tmp_path / "tsdb"), Faulty(*series(0, 100))
    keeper = Maintenance(shop.blocks, memory, shop.compactor, KEEP_ALL, files=shop.files, metrics=shop.metrics)
    with structlog.testing.capture_logs() as logs:
        await keeper.tick()
    keeper.close()
    assert [entry["log_level"] for entry in logs if entry.get("phase") == "chunks"] == ["error"]
    assert memory.samples == series(80, 100)


async def test_blocks_that_a_tool_puts_there_are_taken_in_use(tmp_path: Path) -> None:
    with upkeep(tmp_path) as (shop, _, keeper):
        Workshop(tmp_path / "tsdb").cut(0, 20, "a")
        await keeper.tick()
        assert shop.samples() == series(0, 20)


async def test_rounds_come_by_the_minute_or_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Told(MemoryModel):
        rounds = asyncio.Semaphore(0)

        async def truncate_log(self) -> None:
            self.rounds.release()

    (tmp_path / "tsdb").mkdir()
    shop, memory = Workshop(tmp_path / "tsdb"), Told()
    keeper = Maintenance(shop.blocks, memory, shop.compactor, KEEP_ALL, files=shop.files, metrics=shop.metrics)
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        keeper.hurry()
        await memory.rounds.acquire()
        monkeypatch.setattr(bridge.buffer.maintenance, "INTERVAL", 0.001)
        keeper.hurry()
        for _ in range(3):
            await memory.rounds.acquire()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    keeper.close()


async def test_closing_gives_up_what_is_being_written(tmp_path: Path) -> None:
    loop, began = asyncio.get_running_loop(), asyncio.Event()

    class Endless(Building):
        def step(self, _max_bytes: int) -> list[tuple[int, bytes]]:
            loop.call_soon_threadsafe(began.set)
            return [(1, b"more")]

    class Large(MemoryModel):
        async def building(self, _span: object) -> Building:
            return Endless([])

    (tmp_path / "tsdb").mkdir()
    shop, memory = Workshop(tmp_path / "tsdb"), Large(*series(0, 100))
    keeper = Maintenance(shop.blocks, memory, shop.compactor, KEEP_ALL, files=shop.files, metrics=shop.metrics)
    round_ = asyncio.create_task(keeper.tick())
    async with asyncio.timeout(20):
        await began.wait()
        await asyncio.to_thread(keeper.close)
        await round_
        await keeper.tick()
    assert (memory.mapped, memory.log_cuts) == (1, 0), "a closed store has no phases"
    assert list((tmp_path / "tsdb").iterdir()) == []
    assert memory.samples == series(0, 100)


async def test_a_deletion_reaches_blocks_and_memory(tmp_path: Path) -> None:
    with upkeep(tmp_path, *series(0, 100), ("b", 95)) as (shop, memory, keeper):
        await keeper.tick()
        admin = administration(shop, memory, keeper, tmp_path / "snapshots")
        await admin.delete_series([("__name__", "=", "a")], 30, 79)
        assert shop.samples() == series(0, 30)
        assert memory.samples == series(80, 100) | {("b", 95)}
        await admin.clean_tombstones()
        assert spans(shop) == [(0, 20), (20, 40)]
        assert shop.samples() == series(0, 30)


async def test_no_block_is_cut_between_the_two_halves_of_a_deletion(tmp_path: Path) -> None:
    class Interrupted(MemoryModel):
        async def delete(self, matchers: Matchers, mint: int, maxt: int) -> None:
            with pytest.raises(TimeoutError):  # blocks have it, memory not yet
                await asyncio.wait_for(keeper.tick(), 0.05)
            await super().delete(matchers, mint, maxt)

    (tmp_path / "tsdb").mkdir()
    shop, memory = Workshop(tmp_path / "tsdb"), Interrupted(*series(0, 100))
    keeper = Maintenance(shop.blocks, memory, shop.compactor, KEEP_ALL, files=shop.files, metrics=shop.metrics)
    admin = administration(shop, memory, keeper, tmp_path / "snapshots")
    await admin.delete_series([("__name__", "=", "a")], 0, 69)
    await keeper.tick()
    keeper.close()
    assert shop.samples() | memory.samples == series(70, 100)


@pytest.mark.parametrize("skip_head", [True, False])
async def test_a_snapshot_is_a_store_of_its_own(tmp_path: Path, *, skip_head: bool) -> None:
    with upkeep(tmp_path, *series(0, 100)) as (shop, memory, keeper):
        await keeper.tick()
        admin = administration(shop, memory, keeper, tmp_path / "snapshots")
        name = await admin.snapshot(skip_head=skip_head)
        assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{16}", name)
        await admin.delete_series([("__name__", "=", "a")], 0, 1000)
        await admin.clean_tombstones()
        copy = Workshop(tmp_path / "snapshots" / name)
        assert samples_in(copy.blocks) == series(0, 80 if skip_head else 100)
        assert shop.samples() == set()


async def test_a_snapshot_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with upkeep(tmp_path, *series(0, 100), files=(files := FaultyFiles())) as (shop, memory, keeper):
        await keeper.tick()
        files.break_down("write_at")
        admin = administration(shop, memory, keeper, tmp_path / "snapshots")
        with pytest.raises(OSError, match="No space"):
            await admin.snapshot()
        assert list((tmp_path / "snapshots").iterdir()) == []
