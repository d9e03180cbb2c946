"""Power cuts while blocks are written, replaced and deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.files import Files
from bridge.buffer.meta import BlockMeta
from tests.buffer.block_files import Content, content_of, open_blocks, read_content, write_block
from tests.buffer.metas import meta
from tests.crash.recording import CRASHES, Disk, Operation, RecordingFiles, remains

A, B = meta(1, 0, 10), meta(2, 10, 20)
AB = meta(3, 0, 20, parents=(A, B))
STONES = b"other stones"
WRITTEN = (A, B, AB)  # each is acknowledged by its place
DELETED, DROPPED = 3, 4


def record_life(root: Path) -> list[Operation]:
    """Two blocks, one that replaces them, deletions in that one, and its end."""
    data = root / "data"
    data.mkdir(parents=True)
    files = RecordingFiles(root)
    blocks: Blocks[Content] = Blocks(files, data, read_content, BlockMetrics(CollectorRegistry()))
    for number, given in enumerate(WRITTEN):
        write_block(files, data, given, held=given == AB)
        files.acknowledge(number)
        if given == B:
            blocks.reload()
    blocks.reload()
    blocks.rewrite_tombstones(AB.ulid, STONES, 4)
    files.acknowledge(DELETED)
    files.acknowledge(DROPPED)
    blocks.drop({AB.ulid})
    return files.record


def check(data: Path, disk: Disk, files: Files | None = None) -> set[BlockMeta]:
    """What is opened is whole, all that was finished is there in one form or another, and nothing lies around."""
    done = disk.acknowledged
    blocks = open_blocks(data, files)
    found = {block.meta.ulid: block for block in blocks.loaded}
    for block in blocks.loaded:
        plain = next(given for given in WRITTEN if given.ulid == block.meta.ulid)
        content = content_of(plain, held=plain == AB)
        assert block.reader in (content, replace(content, tombstones=STONES))
        assert block.meta in (plain, plain.with_tombstones(4))
    assert set(found) in (set(), {A.ulid}, {A.ulid, B.ulid}, {AB.ulid})
    if DROPPED not in done:
        for number, given in enumerate(WRITTEN):
            assert number not in done or given.ulid in found or AB.ulid in found
        if DELETED in done:
            assert found[AB.ulid].meta.stats.tombstones == 4
    assert Files().list(data) == sorted(found)
    return {block.meta for block in blocks.loaded}


def test_a_block_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    record = record_life(tmp_path / "life")
    seen: set[frozenset[BlockMeta]] = set()
    for disk, _, data in remains(record, 1, tmp_path / "remains"):
        seen.add(frozenset(check(data, disk)))
    after = AB.with_tombstones(4)
    assert {frozenset(), frozenset({A}), frozenset({A, B}), frozenset({AB}), frozenset({after})} == seen


def test_a_power_cut_after_a_kill_loses_nothing(tmp_path: Path) -> None:
    """What the next start sweeps, replaces and deletes rests on names that may not have been durable when it began."""
    record = record_life(tmp_path / "life")
    for disk, kind, data in remains(record, 2, tmp_path / "remains", every=3):
        if kind != "kept":
            continue
        files = RecordingFiles(data.parent, unsynced=disk.unsynced())
        adopted = len(files.record)
        check(data, disk, files)
        again = Disk()
        for operation in files.record[:adopted]:
            again.apply(operation)
        for at, operation in enumerate(files.record[adopted:]):
            again.apply(operation)
            for second in CRASHES:
                target = tmp_path / "again" / f"{data.parent.name}-{at}-{second}"
                target.mkdir(parents=True)
                again.crash(second, at, target)
                check(target / "data", disk)
