"""The directory of blocks, through real files."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer.block_writer import BlockWriter
from bridge.buffer.blocks import Blocks, DamagedBlocks
from bridge.buffer.files import Files
from bridge.buffer.meta import BlockMeta
from tests.buffer.block_files import Content, content_of, open_blocks, read_content, write_block
from tests.buffer.faults import FaultyFiles
from tests.buffer.metas import meta, ulid

A, B = meta(1, 0, 10), meta(2, 10, 20)
AB = meta(3, 0, 20, parents=(A, B))


def write(directory: Path, *metas: BlockMeta, held: bool = False) -> None:
    for given in metas:
        write_block(Files(), directory, given, held=held)


def in_use(blocks: Blocks[Content]) -> list[BlockMeta]:
    return [block.meta for block in blocks.loaded]


def names(directory: Path) -> list[str]:
    return Files().list(directory)


def test_what_is_written_is_opened_in_order_of_time(tmp_path: Path) -> None:
    write(tmp_path, B)
    write(tmp_path, A, held=True)
    blocks = open_blocks(tmp_path)
    assert in_use(blocks) == [A, B]
    assert [block.reader for block in blocks.loaded] == [content_of(A, held=True), content_of(B)]
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert blocks.total_bytes() == on_disk


def test_a_writer_that_gives_up_leaves_nothing(tmp_path: Path) -> None:
    writer = BlockWriter(Files(), tmp_path, A.ulid)
    writer.begin()
    writer.chunks(1, b"x")
    assert names(tmp_path) == [A.ulid + ".tmp-for-creation"]
    writer.abandon()
    assert names(tmp_path) == []


def test_large_files_are_synced_on_the_way(tmp_path: Path) -> None:
    files = FaultyFiles()
    writer = BlockWriter(files, tmp_path, A.ulid)
    writer.begin()
    for _ in range(40):
        writer.chunks(1, bytes(1 << 20))
    assert files.calls.count("sync") == 2
    writer.abandon()


def test_a_start_removes_leftovers_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    for suffix in (".tmp-for-creation", ".tmp-for-deletion", ".tmp"):
        (tmp_path / (ulid(9) + suffix)).mkdir()
        (tmp_path / (ulid(9) + suffix) / "index").write_bytes(b"x")
    foreign = ["lost+found", "notes.tmp", "wal", f"{ulid(9)}.old", "thanos.shipper.json", ulid(5).lower()]
    for name in foreign[:-2]:
        (tmp_path / name).mkdir()
    (tmp_path / foreign[-2]).touch()
    (tmp_path / foreign[-1]).touch()
    (tmp_path / ulid(8)).touch()  # a file is no block
    blocks = open_blocks(tmp_path)
    assert in_use(blocks) == [A, B]
    assert set(names(tmp_path)) == {A.ulid, B.ulid, ulid(8), *foreign}


def test_a_block_without_a_readable_meta_is_left_out_and_told_once(tmp_path: Path) -> None:
    write(tmp_path, A, B, AB)
    (tmp_path / AB.ulid / "meta.json").unlink()
    (tmp_path / ulid(4)).mkdir()
    (tmp_path / ulid(4) / "meta.json").write_bytes(A.encode())  # a copy under another name
    with structlog.testing.capture_logs() as logs:
        blocks = open_blocks(tmp_path)
        blocks.reload()
    assert in_use(blocks) == [A, B]
    told = {entry["path"]: entry["reason"] for entry in logs if entry["log_level"] == "error"}
    assert len(logs) == len(told) == 2
    assert "meta.json" in told[str(tmp_path / AB.ulid)]
    assert A.ulid in told[str(tmp_path / ulid(4))]
    assert names(tmp_path) == [A.ulid, B.ulid, AB.ulid, ulid(4)]


def test_blocks_that_another_one_replaces_are_deleted(tmp_path: Path) -> None:
    write(tmp_path, A, B, AB)
    assert in_use(open_blocks(tmp_path)) == [AB]
    assert names(tmp_path) == [AB.ulid]


@pytest.mark.parametrize("file", ["index", "chunks"])
def test_a_damaged_block_ends_the_start_and_is_named(tmp_path: Path, file: str) -> None:
    write(tmp_path, A, B)
    if file == "index":
        (tmp_path / A.ulid / "index").write_bytes(b"nonsense")
    else:
        (tmp_path / A.ulid / "index").unlink()
    with pytest.raises(DamagedBlocks) as refused:
        open_blocks(tmp_path)
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(f"{tmp_path / A.ulid}: ")
    assert "index" in refused.value.problems[0]
    assert names(tmp_path) == [A.ulid, B.ulid]


def test_a_damaged_block_that_has_been_replaced_goes(tmp_path: Path) -> None:
    write(tmp_path, A, B, AB)
    (tmp_path / A.ulid / "index").write_bytes(b"nonsense")
    assert in_use(open_blocks(tmp_path)) == [AB]
    assert names(tmp_path) == [AB.ulid]


def test_a_damaged_block_replaces_nothing(tmp_path: Path) -> None:
    write(tmp_path, A, B, AB)
    (tmp_path / AB.ulid / "index").write_bytes(b"nonsense")
    with pytest.raises(DamagedBlocks):
        open_blocks(tmp_path)
    assert names(tmp_path) == [A.ulid, B.ulid, AB.ulid]


def test_a_reload_that_fails_keeps_what_was_in_use(tmp_path: Path) -> None:
    write(tmp_path, A)
    registry = CollectorRegistry()
    blocks = open_blocks(tmp_path, registry=registry)
    write(tmp_path, B)
    (tmp_path / B.ulid / "index").write_bytes(b"nonsense")
    before = blocks.loaded
    with pytest.raises(DamagedBlocks):
        blocks.reload()
    assert blocks.loaded is before
    assert registry.get_sample_value("pushbridge_tsdb_reloads_failures_total") == 1
    (tmp_path / B.ulid / "index").write_bytes(content_of(B).index)
    blocks.reload()
    assert in_use(blocks) == [A, B]
    assert blocks.loaded[0] is before[0], "a block in use was opened again"
    assert registry.get_sample_value("pushbridge_tsdb_blocks_loaded") == 2


def test_a_block_that_is_read_keeps_its_files_until_the_reader_has_gone(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    blocks = open_blocks(tmp_path)
    with blocks.reading() as outer, blocks.reading() as inner:
        assert inner == outer
        write(tmp_path, AB)
        blocks.reload()
        assert in_use(blocks) == [AB]
        graves = [tmp_path / f"{name}.tmp-for-deletion" for name in (A.ulid, B.ulid)]
        assert names(tmp_path) == [*(path.name for path in graves), AB.ulid]
        assert (graves[0] / "index").read_bytes() == content_of(A).index
        with blocks.reading() as now:
            assert [block.meta for block in now] == [AB]
    blocks.bury()
    assert names(tmp_path) == [AB.ulid]


@pytest.mark.parametrize("operation", ["rename", "sync_dir", "remove_tree"])
def test_a_deletion_that_fails_is_tried_again(tmp_path: Path, operation: str) -> None:
    write(tmp_path, A, B, AB)
    files = FaultyFiles()
    registry = CollectorRegistry()
    files.break_down(operation, error=errno.EIO)
    blocks = open_blocks(tmp_path, files, registry)
    assert in_use(blocks) == [AB]
    assert registry.get_sample_value("pushbridge_tsdb_block_deletions_failed_total") == 2
    assert len(names(tmp_path)) == 3
    files.mend()
    blocks.reload()
    assert names(tmp_path) == [AB.ulid]


def test_tombstones_are_replaced_and_counted(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    blocks = open_blocks(tmp_path)
    blocks.rewrite_tombstones(A.ulid, b"other stones", 3)
    expected = [A.with_tombstones(3), B]
    assert in_use(blocks) == in_use(open_blocks(tmp_path)) == expected
    assert blocks.loaded[0].reader == replace(content_of(A), tombstones=b"other stones")


def test_a_meta_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, A)
    blocks = open_blocks(tmp_path)
    blocks.rewrite_meta(A.with_failure())
    assert in_use(blocks) == in_use(open_blocks(tmp_path)) == [A.with_failure()]


def test_a_missing_tombstones_file_means_none(tmp_path: Path) -> None:
    write(tmp_path, A)
    (tmp_path / A.ulid / "tombstones").unlink()
    assert open_blocks(tmp_path).loaded[0].reader.tombstones is None


def test_the_reader_of_these_tests_sees_damage() -> None:
    with pytest.raises(ValueError, match="not an index"):
        read_content(b"", [], None, None)
