"""Blocks that promtool made, compacted by us, read by promtool again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.deletions import Deletions
from bridge.buffer.files import Files
from bridge.buffer.plan import block_ranges
from bridge.clock import SystemClock
from bridge.native import Block, BlockBuilder

pytestmark = pytest.mark.interop

HOUR = 3_600
BEGIN = 472_194 * HOUR  # a multiple of 18 hours after 1970
DAY = 86_400_000


def openmetrics(hours: int) -> str:
    """Three series, a sample every five minutes, one of them with a gap."""
    lines = [
        f'a{{n="{name}"}} {at % 977} {BEGIN + at}'
        for name in ("a", "b", "c")
        for at in range(0, hours * HOUR, 300)
        if name != "b" or not 3 * HOUR < at < 9 * HOUR
    ]
    return "\n".join(["# TYPE a gauge", *lines, "# EOF", ""])


class Shop:
    """Blocks that promtool made, and what we do with them."""

    def __init__(self, tmp_path: Path, promtool: Path, hours: int) -> None:
        self.promtool, self.data = promtool, tmp_path / "data"
        (tmp_path / "text").write_text(openmetrics(hours))
        self.run("create-blocks-from", "openmetrics", tmp_path / "text", self.data)
        (self.data / "wal").mkdir()
        files, clock, metrics = Files(), SystemClock(), BlockMetrics(CollectorRegistry())
        self.blocks = Blocks(files, self.data, Block, metrics)
        self.blocks.reload()
        self.compactor = Compactor(self.blocks, BlockBuilder, files=files, clock=clock, metrics=metrics)
        self.deletions = Deletions(self.blocks, self.compactor, clock=clock, metrics=metrics)

    def run(self, *arguments: str | Path) -> str:
        command = [self.promtool, "tsdb", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def dump(self) -> list[str]:
        return self.run("dump", self.data).splitlines()

    def settle(self) -> None:
        while self.compactor.compact(block_ranges(15 * DAY)):
            pass

    def hours(self) -> list[float]:
        return [(block.meta.mint // 1000 - BEGIN) / HOUR for block in self.blocks.loaded]

    def samples(self) -> int:
        return sum(block.meta.stats.samples for block in self.blocks.loaded)


def test_promtool_reads_the_same_before_and_after(tmp_path: Path, peer: Callable[[str], Path]) -> None:
    shop = Shop(tmp_path, peer("promtool"), 26)
    before, samples = shop.dump(), shop.samples()
    assert len(shop.hours()) == 13
    shop.settle()
    assert shop.hours() == [0, 18, 20, 22, 24]  # what promtool makes ends with its last sample, short of six hours
    assert shop.samples() == samples == len(before)
    assert shop.dump() == before
    listed = [line.split() for line in shop.run("list", shop.data).splitlines()[1:]]
    assert [line[0] for line in listed] == [block.meta.ulid for block in shop.blocks.loaded]
    assert [int(line[4]) for line in listed] == [block.meta.stats.samples for block in shop.blocks.loaded]
    assert "Series: 3" in shop.run("analyze", shop.data, shop.blocks.loaded[0].meta.ulid)


def test_promtool_sees_no_deleted_sample_before_and_after_cleaning(tmp_path: Path, peer: Callable[[str], Path]) -> None:
    shop = Shop(tmp_path, peer("promtool"), 10)
    mint, maxt = (BEGIN + HOUR) * 1000, (BEGIN + 3 * HOUR) * 1000
    left = [line for line in shop.dump() if not ('n="a"' in line and mint <= int(line.rpartition(" ")[2]) <= maxt)]
    assert shop.deletions.delete_series([("n", "=~", "a|x")], mint, maxt) == 2
    assert shop.dump() == left
    assert [block.meta.stats.tombstones for block in shop.blocks.loaded] == [1, 1, 0, 0, 0]
    assert shop.deletions.clean_tombstones() == 2
    assert shop.dump() == left
    assert shop.samples() == len(left)
    shop.settle()
    assert shop.hours() == [0, 6, 8]
    assert shop.dump() == left
