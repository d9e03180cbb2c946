"""Compaction, deletions and snapshots through real files."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.buffer.blocks import DamagedBlocks
from bridge.buffer.compact import Stopped
from bridge.buffer.deletions import Deletions
from bridge.buffer.snapshot import link_blocks
from bridge.clock import SystemClock
from tests.buffer.block_model import Building, Model, Sample, Workshop, samples_in
from tests.buffer.faults import FaultyFiles

RANGES = (20, 60, 180)


def spans(shop: Workshop) -> list[tuple[int, int]]:
    return [(block.meta.mint, block.meta.maxt) for block in shop.blocks.loaded]


def settle(shop: Workshop) -> None:
    while shop.compactor.compact(RANGES):
        pass


def deletions(shop: Workshop) -> Deletions[Model]:
    return Deletions(shop.blocks, shop.compactor, clock=SystemClock(), metrics=shop.metrics)


def test_blocks_grow_and_nothing_is_lost(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    for start in range(0, 240, 20):
        shop.cut(start, start + 20, "a", "b")
    before = shop.samples()
    parents = {block.meta.ulid for block in shop.blocks.loaded[:9]}
    settle(shop)
    assert spans(shop) == [(0, 180), (180, 200), (200, 220), (220, 240)]
    assert shop.samples() == before
    assert Workshop(tmp_path).samples() == before
    large = shop.blocks.loaded[0].meta
    assert (large.compaction.level, set(large.compaction.sources)) == (3, parents)
    assert (large.stats.samples, large.stats.floats, large.stats.series, large.stats.chunks) == (72, 72, 2, 2)
    assert len(list(tmp_path.iterdir())) == 4
    assert shop.metric("compactions_total") == 12 + 4
    assert shop.metric("vertical_compactions_total") == 0
    assert shop.metric("compaction_duration_seconds_count") == 16


def test_overlaps_are_resolved(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.cut(0, 20, "a")
    shop.cut(10, 40, "a", "b")
    before = shop.samples()
    settle(shop)
    assert spans(shop) == [(0, 40)]
    assert shop.samples() == before
    assert shop.metric("vertical_compactions_total") == 1


def test_an_empty_block_is_not_written(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    assert shop.compactor.cut(Building([]), 0, 20) is None
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_which_nothing_is_left_go(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    for start in range(0, 80, 20):
        shop.cut(start, start + 20, "a")
    assert deletions(shop).delete_series([("__name__", "=", "a")], 0, 59) == 3
    settle(shop)
    assert spans(shop) == [(60, 80)]
    assert len(list(tmp_path.iterdir())) == 1


def test_damage_marks_the_blocks_and_leaves_them(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    for start in range(0, 140, 20):
        shop.cut(start, start + 20, "a")
    victim = shop.blocks.loaded[1]
    (victim.path / "chunks" / "000001").write_bytes(b"[")
    shop = Workshop(tmp_path)
    with pytest.raises(ValueError, match="Expecting value"):
        shop.compactor.compact(RANGES)
    assert [block.meta.compaction.failed for block in shop.blocks.loaded] == [True] * 3 + [False] * 4
    assert [block.meta for block in Workshop(tmp_path).blocks.loaded] == [block.meta for block in shop.blocks.loaded]
    assert shop.metric("compactions_failed_total") == 1
    assert shop.metric("compaction_populating_block") == 0
    settle(shop)
    assert spans(shop) == [(0, 20), (20, 40), (40, 60), (60, 120), (120, 140)]


@pytest.mark.parametrize("operation", ["create", "write_at", "sync", "sync_dir", "rename"])
def test_a_full_disk_is_no_reason_to_give_up_for_good(tmp_path: Path, operation: str) -> None:
    shop = Workshop(tmp_path, files := FaultyFiles())
    for start in range(0, 80, 20):
        shop.cut(start, start + 20, "a")
    before = shop.samples()
    files.break_down(operation)
    with pytest.raises(OSError, match=r"No space left"):
        shop.compactor.compact(RANGES)
    assert shop.samples() == before
    files.mend()
    assert not any(block.meta.compaction.failed for block in shop.blocks.loaded)
    shop = Workshop(tmp_path, files)
    settle(shop)
    assert spans(shop) == [(0, 60), (60, 80)]
    assert shop.samples() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_another_fault_of_the_disk_marks_them(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, files := FaultyFiles())
    for start in range(0, 80, 20):
        shop.cut(start, start + 20, "a")
    files.break_down("create", error=errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        shop.compactor.compact(RANGES)
    files.mend()
    assert not any(block.meta.compaction.failed for block in shop.blocks.loaded), "the mark could not be written either"
    assert shop.metric("compactions_failed_total") == 1


def test_stopping_gives_up_at_the_next_step_and_blames_nobody(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)

    def samples() -> Iterator[Sample]:
        yield "a", 1
        shop.compactor.stop()

    with pytest.raises(Stopped):
        shop.compactor.cut(Building(samples()), 0, 20)
    assert list(tmp_path.iterdir()) == []
    assert shop.metric("compactions_failed_total") == 0


def test_a_block_that_cannot_be_taken_in_use_goes_again(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.cut(0, 20, "a")
    other = tmp_path / "01ARYZ6S41ZZZZZZZZZZZZZZZZ"
    other.mkdir()
    meta = (shop.blocks.loaded[0].path / "meta.json").read_bytes()
    (other / "meta.json").write_bytes(meta.replace(shop.blocks.loaded[0].meta.ulid.encode(), other.name.encode()))
    for _ in range(2):
        with pytest.raises(DamagedBlocks):
            shop.cut(20, 40, "a")
    assert spans(shop) == [(0, 20)]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_deletion_is_seen_at_once_and_after_a_restart(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    for start in (0, 20, 40):
        shop.cut(start, start + 20, "a", "b")
    untouched = shop.blocks.loaded[2]
    assert deletions(shop).delete_series([("__name__", "=", "a")], 10, 29) == 2
    left = {(name, t) for name in "ab" for t in range(0, 60, 5) if name == "b" or not 10 <= t <= 29}
    assert shop.samples() == Workshop(tmp_path).samples() == left
    assert [block.meta.stats.tombstones for block in shop.blocks.loaded] == [1, 1, 0]
    assert shop.blocks.loaded[2] is untouched
    assert deletions(shop).delete_series([("__name__", "=", "c")], 0, 99) == 0
    with pytest.raises(ValueError, match="operator"):
        deletions(shop).delete_series([("__name__", "~", "c")], 0, 99)


def test_a_reader_keeps_seeing_what_it_saw(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.cut(0, 20, "a")
    before = shop.samples()
    with shop.blocks.reading() as loaded:
        deletions(shop).delete_series([("__name__", "=", "a")], 0, 9)
        deletions(shop).clean_tombstones()
        assert {sample for block in loaded for sample in block.reader.samples()} == before
    assert shop.samples() == {("a", 10), ("a", 15)}


def test_cleaning_rewrites_what_has_tombstones_and_nothing_else(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    for start in (0, 20, 40):
        shop.cut(start, start + 20, "a", "b")
    deletions(shop).delete_series([("__name__", "=", "a")], 10, 29)
    left, metas = shop.samples(), [block.meta for block in shop.blocks.loaded]
    assert deletions(shop).clean_tombstones() == 2
    assert shop.samples() == Workshop(tmp_path).samples() == left
    now = [block.meta for block in shop.blocks.loaded]
    assert now[2] == metas[2]
    assert [meta.compaction.parents for meta in now[:2]] == [(meta.parent(),) for meta in metas[:2]]
    assert [meta.stats.tombstones for meta in now] == [0, 0, 0]
    assert shop.metric("tombstone_cleanup_seconds_count") == 1


@pytest.mark.parametrize("undo", [settle, lambda shop: deletions(shop).clean_tombstones()])
def test_a_snapshot_keeps_what_it_had(tmp_path: Path, undo: Callable[[Workshop], object]) -> None:
    (tmp_path / "tsdb").mkdir()
    shop = Workshop(tmp_path / "tsdb")
    for start in range(0, 80, 20):
        shop.cut(start, start + 20, "a")
    deletions(shop).delete_series([("__name__", "=", "a")], 10, 29)
    before = shop.samples()
    (shop.blocks.loaded[0].path / "meta.json.tmp").write_bytes(b"{")
    link_blocks(shop.files, shop.blocks, tmp_path / "copy")
    deletions(shop).delete_series([("__name__", "=", "a")], 0, 99)
    undo(shop)
    assert shop.samples() == set()
    assert samples_in(Workshop(tmp_path / "copy").blocks) == before
    assert not list((tmp_path / "copy").rglob("*.tmp"))
