"""Blocks that promtool wrote, opened by the core through the directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks, DamagedBlocks
from bridge.buffer.files import Files
from bridge.native import Block
from tests.buffer.metas import meta

FIXTURE = Path(__file__).parents[2] / "core/engine/tests/block/promtool-2.42"
A = meta(1, 0, 10)


def lay(directory: Path) -> Path:
    block = directory / A.ulid
    (block / "chunks").mkdir(parents=True)
    for name, file in (("index", "index"), ("tombstones", "tombstones"), ("chunks/000001", "chunks")):
        (block / name).write_bytes((FIXTURE / file).read_bytes())
    (block / "meta.json").write_bytes(A.encode())
    return block


def opened(directory: Path) -> Blocks[Block]:
    blocks = Blocks(Files(), directory, Block, BlockMetrics(CollectorRegistry()))
    blocks.reload()
    return blocks


def test_they_are_read_also_when_they_are_gone(tmp_path: Path) -> None:
    lay(tmp_path)
    blocks = opened(tmp_path)
    reader = blocks.loaded[0].reader
    names = reader.label_names()
    assert "__name__" in names
    assert reader.series > 0
    with blocks.reading():
        blocks.drop({A.ulid})
        assert reader.label_names() == names
    blocks.bury()
    assert list(tmp_path.iterdir()) == []
    assert reader.label_names() == names, "the mapping went with the name"


@pytest.mark.parametrize("file", ["index", "tombstones"])
def test_damage_is_named_with_its_place(tmp_path: Path, file: str) -> None:
    path = lay(tmp_path) / file
    path.write_bytes(path.read_bytes()[:-3] + b"xxx")
    with pytest.raises(DamagedBlocks) as refused:
        opened(tmp_path)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{tmp_path / A.ulid}: ")
    assert file in problem


def test_a_chunk_file_that_is_missing_is_damage_when_it_is_read_not_before(tmp_path: Path) -> None:
    (lay(tmp_path) / "chunks" / "000001").unlink()
    assert opened(tmp_path).loaded[0].reader.series > 0
