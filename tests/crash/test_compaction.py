"""Power cuts while blocks are cut, compacted, deleted from, cleaned and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bridge.buffer.deletions import Deletions
from bridge.buffer.retention import Limits, expired
from bridge.clock import SystemClock
from tests.buffer.block_model import Sample, Workshop
from tests.crash.recording import CRASHES, Disk, Operation, RecordingFiles, remains

RANGES = (20, 60)


def settle(shop: Workshop) -> None:
    while shop.compactor.compact(RANGES):
        pass


def steps(shop: Workshop) -> list[Callable[[], object]]:
    """A life in steps; what comes after one relies on it."""
    deletions = Deletions(shop.blocks, shop.compactor, clock=SystemClock(), metrics=shop.metrics)
    return [
        *(lambda start=start: shop.cut(start, start + 20, "a", "b", step=10) for start in (0, 20, 40, 60)),
        lambda: settle(shop),
        lambda: shop.cut(50, 70, "late", step=10),
        lambda: settle(shop),
        lambda: deletions.delete_series([("__name__", "=", "a")], 10, 69),
        deletions.clean_tombstones,
        lambda: deletions.delete_series([("__name__", "=", "b")], 0, 1000),
        deletions.clean_tombstones,
        lambda: shop.cut(200, 220, "c", step=10),
        lambda: shop.blocks.drop(expired(shop.blocks.sized(), Limits(time=50))),
    ]


def record_life(root: Path) -> tuple[list[Operation], list[set[Sample]]]:
    """All file operations, and what readers see after each step."""
    data = root / "data"
    data.mkdir(parents=True)
    files = RecordingFiles(root)
    shop = Workshop(data, files)
    seen: list[set[Sample]] = [set()]
    for number, step in enumerate(steps(shop), start=1):
        step()
        files.acknowledge(number)
        seen.append(shop.samples())
    assert len(seen[5]) == 16
    assert seen[-1] == {("c", 200), ("c", 210)}
    return files.record, seen


def check(data: Path, disk: Disk, seen: list[set[Sample]], files: RecordingFiles | None = None) -> None:
    """What was there before the step that was cut short and after it is there; what was at neither time is not."""
    done = max(disk.acknowledged, default=0)
    before, after = seen[done], seen[min(done + 1, len(seen) - 1)]
    shop = Workshop(data, files)
    found = shop.samples()
    assert before & after <= found <= before | after
    settle(shop)
    assert shop.samples() == found
    assert Workshop(data).samples() == found
    assert sorted(path.name for path in data.iterdir()) == sorted(block.meta.ulid for block in shop.blocks.loaded)


def test_no_sample_is_lost_and_none_comes_back(tmp_path: Path) -> None:
    record, seen = record_life(tmp_path / "life")
    for disk, _, data in remains(record, 1, tmp_path / "remains"):
        if data.is_dir():
            check(data, disk, seen)


def test_nor_by_a_power_cut_after_the_next_start(tmp_path: Path) -> None:
    record, seen = record_life(tmp_path / "life")
    for disk, kind, data in remains(record, 2, tmp_path / "remains", every=41):
        if kind != "kept":
            continue
        files = RecordingFiles(data.parent, unsynced=disk.unsynced())
        adopted = len(files.record)
        check(data, disk, seen, files)
        again = Disk()
        for operation in files.record[:adopted]:
            again.apply(operation)
        for at, operation in enumerate(files.record[adopted:]):
            again.apply(operation)
            for second in CRASHES[:2]:
                target = tmp_path / "again" / f"{data.parent.name}-{at}-{second}"
                target.mkdir(parents=True)
                again.crash(second, at, target)
                check(target / "data", disk, seen)
