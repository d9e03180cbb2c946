"""Blocks: promtool's are read whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.blocks import Row, block_dirs, open_block, promtool_blocks, verify_dir

pytestmark = pytest.mark.interop

HOUR = 3_600_000
START = 1_700_000_400_000 - 1_700_000_400_000 % (2 * HOUR)

ODD = ['a "quoted" one', "line\nfeed", "back\\slash", "ünï", "", "0"]


def rows(series: int, hours: int) -> list[Row]:
    """Series that share few or many of their labels, some with holes, values of every kind."""
    made: list[Row] = []
    for n in range(series):
        labels = {"__name__": f"metric_{n % 5}", "instance": f"host-{n:03}", "odd": ODD[n % 6]}
        if n % 3:
            labels["third"] = "yes"
        labels = {name: value for name, value in labels.items() if value}
        for k in range(hours * 60):
            if n % 7 == 0 and k % 50 > 30:
                continue
            value = [float(n), k * 0.1, float(k // 10), float("inf"), -0.0, 1e-300 * k][n % 6]
            made.append((labels, START + k * 60_000 + n, value))
    return made


def test_promtools_blocks_are_read_whole(peer: Callable[[str], Path], tmp_path: Path) -> None:
    promtool = peer("promtool")
    wanted = rows(60, 7)
    theirs = tmp_path / "theirs"
    promtool_blocks(promtool, theirs, wanted)
    metas = [verify_dir(path) for path in block_dirs(theirs)]
    assert sum(meta.stats.samples for meta in metas) == len(wanted)
    assert len(metas) == 4
    for path in block_dirs(theirs):
        block = open_block(path)
        assert block.label_names() == ["__name__", "instance", "odd", "third"]
        assert block.label_values("instance") == [f"host-{n:03}" for n in range(60)]
        assert block.label_values("odd") == sorted(value for value in ODD if value)
