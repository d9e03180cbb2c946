"""Blocks: promtool's are read whole, and promtool reads ours as it reads its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.buffer.ulid import parse_ulid
from tests.interop.blocks import (
    Row,
    block_dirs,
    dump,
    head_of,
    open_block,
    our_block,
    promtool_blocks,
    run,
    verify_dir,
)

pytestmark = pytest.mark.interop

HOUR = 3_600_000
START = 1_700_000_400_000 - 1_700_000_400_000 % (2 * HOUR)
ULID = parse_ulid("01JCZZZZZZZZZZZZZZZZZZZZZZ")

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


@pytest.mark.parametrize("source", ["memory", "blocks"])
def test_promtool_reads_our_block_as_its_own(peer: Callable[[str], Path], tmp_path: Path, source: str) -> None:
    promtool = peer("promtool")
    wanted = rows(60, 7)
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    promtool_blocks(promtool, theirs, wanted)
    blocks = [open_block(path) for path in block_dirs(theirs)]
    inputs = blocks if source == "blocks" else [head_of(wanted)]
    meta = our_block(ours, ULID, inputs, START, START + 8 * HOUR)

    assert verify_dir(ours / ULID) == meta
    assert meta.stats.samples == len(wanted)
    mine = dump(promtool, ours)
    assert len(mine) == len(wanted)
    assert mine == dump(promtool, theirs)

    assert f"{ULID}  {START}" in run(promtool, "tsdb", "list", ours)
    analysis = run(promtool, "tsdb", "analyze", ours)
    assert "Series: 60\n" in analysis
    assert "Label names: 4\n" in analysis
    assert f"Postings (unique label pairs): {open_block(ours / ULID).label_pairs}\n" in analysis


def test_promtool_selects_from_our_block(peer: Callable[[str], Path], tmp_path: Path) -> None:
    promtool = peer("promtool")
    our_block(tmp_path, ULID, [head_of(rows(60, 2))], START, START + 2 * HOUR)
    (tmp_path / "wal").mkdir()
    for n, odd in enumerate(ODD):
        told = odd.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines = run(promtool, "tsdb", "dump", f'--match={{odd="{told}",__name__=~"metric_.+"}}', tmp_path).splitlines()
        instances = {line.partition('instance="')[2].partition('"')[0] for line in lines}
        assert instances == {f"host-{m:03}" for m in range(n, 60, 6)}
