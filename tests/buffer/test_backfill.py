"""Imports with little memory, beside each other, and after a crash."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bridge.buffer import Drafts, Files, TextImport, find_blocks, open_block
from bridge.clock import SystemClock
from bridge.errors import ConfigError
from bridge.native import Backfill

HOUR = 3600


def text_by(order: str) -> list[str]:
    """200 series over six hours."""
    chance = random.Random(1)
    rows = [(s, t) for s in range(200) for t in range(0, 6 * HOUR, 60)]
    rows.sort(key=lambda row: row if order == "series" else row[::-1])
    return [f'm{{series="{s:03d}"}} {chance.random()} {1_700_000_000 + t}\n' for s, t in rows]


@pytest.mark.parametrize("order", ["series", "time"])
def test_little_memory_means_more_blocks_and_no_lost_sample(tmp_path: Path, order: str) -> None:
    lines = text_by(order)
    budget = 256 << 10
    text = Backfill.openmetrics(2 * HOUR * 1000)
    most = 0
    with Drafts.begin(Files(), tmp_path, SystemClock()) as drafts:
        run = TextImport(text, drafts, budget=budget)
        for i in range(0, len(lines), 100):
            run.feed("".join(lines[i : i + 100]).encode())
            most = max(most, text.bytes)
        run.feed(b"# EOF\n")
        done = run.finish()
    assert most < 2 * budget
    assert (done.samples, done.repeated, done.contradicting) == (len(lines), 0, 0)
    found = find_blocks(Files(), tmp_path / "tsdb").blocks
    assert {block.path for block in found} == set(done.blocks)
    # By time each window is written once, when the next one has begun; by series all windows grow all the time.
    assert len(found) == 4 if order == "time" else len(found) > 4
    assert sum(block.meta.stats.samples for block in found) == len(lines)
    for block in found:
        assert open_block(Files(), block.path).series == block.meta.stats.series
        assert block.meta.maxt - block.meta.mint <= 2 * HOUR * 1000


def test_one_import_at_a_time(tmp_path: Path) -> None:
    with Drafts.begin(Files(), tmp_path, SystemClock()), pytest.raises(ConfigError, match="in use by process"):
        Drafts.begin(Files(), tmp_path, SystemClock())
    Drafts.begin(Files(), tmp_path, SystemClock()).close()


def test_what_a_crash_left_is_removed_by_the_next_import(tmp_path: Path) -> None:
    drafts = Drafts.begin(Files(), tmp_path, SystemClock())
    text = Backfill.openmetrics(2 * HOUR * 1000)
    text.feed(b"up 1 1\n# EOF\n")
    text.finish()
    drafts.write(text.take(0))
    drafts._finished.clear()  # as if the process had ended here
    drafts.close()
    half = tmp_path / "import" / "01KAW3E0000000000000000000.tmp-for-creation"
    (half / "chunks").mkdir(parents=True)
    assert len(list((tmp_path / "import").iterdir())) == 2
    with Drafts.begin(Files(), tmp_path, SystemClock()):
        assert [path.name for path in (tmp_path / "import").iterdir()] == ["lock"]
