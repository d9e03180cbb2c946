"""Memory and blocks, read as one store."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bridge.buffer.querier import Querier, QueryLimits, Selection, Selector
from bridge.errors import BadInput, QueryTooLarge, Unreadable
from bridge.native import Batch, Head
from tests.buffer.store_model import Shop, head_of

EVER = (-(1 << 63), (1 << 63) - 1)


def series(job: str, instance: int = 0) -> dict[str, str]:
    return {"__name__": "m", "job": job, "instance": str(instance)}


def rows(selection: Selection) -> dict[tuple[str, str], list[tuple[int, float]]]:
    found = {}
    for n in range(len(selection)):
        times, values = selection.floats(n)
        labels = selection.labels(n)
        found[labels["job"], labels["instance"]] = list(zip(times.tolist(), values.tolist(), strict=True))
    return found


def test_columns_are_views_that_nobody_writes_to() -> None:
    head = head_of([(series("a"), t, t / 2) for t in range(10)] + [(series("b"), 5, 7.0)])
    selection = Querier(head).select([("job", "=~", "a|b")], 3, 8)
    assert len(selection) == 2
    assert selection.samples == 7
    assert selection.offsets.tolist() == [0, 6, 7]
    assert selection.timestamps.tolist() == [3, 4, 5, 6, 7, 8, 5]
    assert selection.values.tolist() == [1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 7.0]
    assert selection.labels(1) == series("b")
    assert [column.dtype.str for column in (selection.timestamps, selection.values)] == ["<i8", "<f8"]
    for column in (selection.timestamps, selection.values, selection.offsets):
        assert not column.flags.writeable
        assert not column.flags.owndata
    times, _ = selection.floats(0)
    assert np.shares_memory(times, selection.timestamps)
    assert selection.key(0) != selection.key(1)
    assert selection.key(0) == Querier(head).select([("job", "=", "a")], *EVER).key(0)
    with pytest.raises(IndexError):
        selection.labels(2)
    del selection
    assert times.tolist() == [3, 4, 5, 6, 7, 8]  # the columns live as long as a view of them


def test_nothing_found_is_empty() -> None:
    selection = Querier(head_of([])).select([], *EVER)
    assert (len(selection), selection.samples, selection.timestamps.size) == (0, 0, 0)


def test_blocks_and_memory_are_one(tmp_path: Path) -> None:
    everything = [(series(job, n), t, float(t + n)) for job in ("a", "b") for n in range(3) for t in range(0, 400, 7)]
    head = head_of(everything)
    shop = Shop(tmp_path / "tsdb")
    whole = rows(Querier(head).select([], *EVER))
    for mint in (0, 100, 200, 300):
        shop.cut(head, mint, mint + 100)
    rest = head_of(row for row in everything if row[1] >= 300)
    for querier in (shop.querier(rest), shop.querier(head)):
        assert rows(querier.select([], *EVER)) == whole
        for mint, maxt in ((0, 99), (50, 150), (99, 100), (250, 350), (390, 500)):
            part = {labels: [s for s in samples if mint <= s[0] <= maxt] for labels, samples in whole.items()}
            assert rows(querier.select([], mint, maxt)) == {labels: s for labels, s in part.items() if s}
        assert set(rows(querier.select([("job", "!=", "a"), ("instance", "=~", "[12]")], *EVER))) == {
            ("b", "1"),
            ("b", "2"),
        }
        assert querier.series([Selector([("instance", "=", "0")], *EVER), Selector([("job", "=", "a")], *EVER)]) == [
            series("a"),
            series("b"),
            series("a", 1),
            series("a", 2),
        ]
        assert querier.label_names() == ["__name__", "instance", "job"]
        assert querier.label_names([("job", "=", "c")]) == []
        assert querier.label_values("instance", [("job", "=", "a")]) == ["0", "1", "2"]
        assert querier.label_values("instance", limit=2) == ["0", "1"]
    assert b"".join(shop.querier(rest).dump()) == b"".join(Querier(head).dump())
    while shop.compactor.compact((100, 300)):
        pass
    assert len(shop.blocks.loaded) == 2  # the newest one waits for others
    assert rows(shop.querier(rest).select([], *EVER)) == whole


def test_what_is_deleted_stays_deleted(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "tsdb")
    shop.cut(head_of((series(job), t, 1.0) for job in ("a", "b") for t in range(100)), 0, 100)
    (block,) = shop.blocks.loaded
    assert block.reader.delete([("job", "=", "c")], 0, 50) is None
    tombstones, intervals = block.reader.delete([("job", "=", "a")], 50, 500) or (b"", 0)
    assert intervals == 1
    shop.blocks.rewrite_tombstones(block.meta.ulid, tombstones, intervals)
    found = rows(shop.querier().select([], *EVER))
    assert {labels[0]: len(samples) for labels, samples in found.items()} == {"a": 50, "b": 100}
    (block,) = shop.blocks.loaded
    assert block.reader.delete([("job", "=", "a")], 60, 70) is None
    shop.compactor.clean(block)
    (block,) = shop.blocks.loaded
    assert block.reader.tombstones == 0
    assert rows(shop.querier().select([], *EVER)) == found


def test_held_values_are_told_apart_in_blocks(tmp_path: Path) -> None:
    head = head_of([(series("a"), 10, 1.0), (series("a"), 25, 2.0)], held=True)
    for tick in (5, 15, 20, 30):
        head.commit_tick(tick)
    shop = Shop(tmp_path / "tsdb")
    shop.cut(head, 0, 100)
    assert (tmp_path / "tsdb" / shop.blocks.loaded[0].meta.ulid / "held").exists()
    for querier in (Querier(head), shop.querier(), shop.querier(head)):
        held = querier.select([], *EVER, held=True)
        assert rows(held) == {("a", "0"): [(10, 1.0), (15, 1.0), (20, 1.0), (25, 2.0), (30, 2.0)]}
        assert rows(querier.select([], *EVER)) == {("a", "0"): [(10, 1.0), (25, 2.0)]}


def test_all_selectors_see_the_same_state() -> None:
    head = Head()
    querier = Querier(head)
    for t in range(50):
        head.stage(Batch.from_rows([(series("a"), t, 1.0), (series("b"), t, 1.0)], t)).commit()
        a, b = querier.select_many([Selector([("job", "=", job)], *EVER) for job in ("a", "b")])
        assert a.timestamps.tolist() == b.timestamps.tolist()


def test_limits_are_told_by_name(tmp_path: Path) -> None:
    head = head_of((series("a", n), t, 1.0) for n in range(10) for t in range(10))
    shop = Shop(tmp_path / "tsdb")
    shop.cut(head, 0, 10)
    for querier in (Querier(head), shop.querier()):
        for limits, text in (
            (QueryLimits(series=9), "the query takes more than 9 series"),
            (QueryLimits(samples=99), "the query takes more than 99 samples"),
            (QueryLimits(bytes=1000), "the query takes more than 1000 bytes"),
        ):
            with pytest.raises(QueryTooLarge) as refused:
                querier.select([], *EVER, limits=limits)
            assert str(refused.value) == text
        half = [Selector([("instance", "=~", pattern)], *EVER) for pattern in ("[0-4]", "[5-9]")]
        assert len(querier.select_many(half, limits=QueryLimits(series=10, samples=100))) == 2
        with pytest.raises(QueryTooLarge, match="more than 99 samples"):
            querier.select_many(half, limits=QueryLimits(samples=99))
        with pytest.raises(QueryTooLarge, match="more than 3 series"):
            querier.series(half, limits=QueryLimits(series=3))


def test_a_bad_matcher_is_the_caller_s_fault() -> None:
    for matcher in (("a", "=~", "("), ("a", "==", "b")):
        with pytest.raises(BadInput):
            Querier(Head()).select([matcher], *EVER)


def test_damage_is_told_with_its_place(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "tsdb")
    meta = shop.cut(head_of([(series("a"), 1, 1.0)]), 0, 10)
    chunks = tmp_path / "tsdb" / meta.ulid / "chunks" / "000001"
    data = bytearray(chunks.read_bytes())
    data[-1] ^= 1
    chunks.write_bytes(data)
    with pytest.raises(Unreadable, match=rf"^{meta.ulid}/chunks/000001 at byte 8: checksum mismatch$"):
        Shop(tmp_path / "tsdb").querier().select([], *EVER)


def promtool_blocks(
    promtool: Path, folder: Path, blocks: Path, samples: list[tuple[dict[str, str], int, float]]
) -> None:
    """Blocks that promtool makes of samples (times in seconds)."""
    text = folder / "text"
    lines = [
        f'm{{job="{labels["job"]}",instance="{labels["instance"]}"}} {value} {t}\n'
        for labels, t, value in sorted(samples, key=lambda row: row[1])
    ]
    text.write_text("# TYPE m gauge\n" + "".join(lines) + "# EOF\n")
    made = folder / "made"
    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", text, made], check=True, capture_output=True)
    for block in made.iterdir():
        shutil.move(block, blocks / block.name)


@pytest.mark.interop
@pytest.mark.parametrize("seed", range(4))
def test_a_dump_is_that_of_promtool(tmp_path: Path, peer: Callable[[str], Path], seed: int) -> None:
    """Three overlapping sets of blocks with other values at the same times: even those that it keeps are the same."""
    promtool = peer("promtool")
    choose = random.Random(seed)
    tsdb = tmp_path / "tsdb"
    tsdb.mkdir()
    (tsdb / "wal").mkdir()
    for value in range(3):
        samples = [
            (series(job, n), 1_700_000_000 + t, value + t / 10000)
            for job in ("a", "b")
            for n in range(2)
            for t in range(choose.randrange(9000), 20_000 + choose.randrange(9000), choose.choice((15, 20, 60)))
            if choose.random() < 0.9
        ]
        promtool_blocks(promtool, tmp_path, tsdb, samples)
    assert len(list(tsdb.iterdir())) > 4
    theirs = subprocess.run([promtool, "tsdb", "dump", tsdb], check=True, capture_output=True).stdout
    shop = Shop(tsdb)
    assert b"".join(shop.querier().dump()).splitlines() == theirs.splitlines()
    while shop.compactor.compact((7_200_000, 21_600_000)):
        pass
    ours = b"".join(shop.querier().dump())
    assert subprocess.run([promtool, "tsdb", "dump", tsdb], check=True, capture_output=True).stdout == ours
    assert [line.rsplit(b" ", 2)[::2] for line in ours.splitlines()] == [
        line.rsplit(b" ", 2)[::2] for line in theirs.splitlines()
    ]
