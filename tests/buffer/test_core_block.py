"""Blocks through the seam: opened from what Python maps, verified, damage named."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from bridge.native import Block, BlockDamaged, verify_block

FIXTURE = Path(__file__).parents[2] / "core" / "engine" / "tests" / "block" / "promtool-2.42"
INDEX, CHUNKS, TOMBSTONES = ((FIXTURE / name).read_bytes() for name in ("index", "chunks", "tombstones"))


def test_a_block_of_promtool_opens() -> None:
    block = Block(INDEX, [CHUNKS], TOMBSTONES)
    assert (block.series, block.symbols, block.label_pairs, block.tombstones) == (20, 32, 26, 0)
    assert block.bytes == len(INDEX) + len(CHUNKS)
    assert block.label_names() == ["__name__", "instance", "job", "rare", "text"]
    assert block.label_values("text") == [f'ünï "{n}"' for n in range(3)]
    assert block.label_values("instance") == [f"host-{n:02}" for n in range(20)]
    assert block.label_values("absent") == []


def test_a_mapping_stays_open_while_its_block_lives() -> None:
    with (FIXTURE / "index").open("rb") as index, (FIXTURE / "chunks").open("rb") as chunks:
        maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in (index, chunks)]
    block = Block(maps[0], maps[1:])
    for mapped in maps:
        with pytest.raises(BufferError):
            mapped.close()
    assert block.series == 20
    del block
    for mapped in maps:
        mapped.close()


def test_verify_counts_what_is_there() -> None:
    found = verify_block(INDEX, [CHUNKS], TOMBSTONES)
    assert (found.damage, found.omitted, found.crossing_chunks) == ([], 0, 0)
    stats = found.stats
    assert (stats.series, stats.chunks, stats.samples) == (20, 40, 3000)
    assert (stats.float_samples, stats.histogram_samples) == (3000, 0)
    assert (stats.min_time, stats.max_time) == (1_699_999_200_000, 1_700_003_670_000)


def test_damage_is_named() -> None:
    chunks = bytearray(CHUNKS)
    chunks[20] ^= 1
    (damage,) = verify_block(INDEX, [chunks], TOMBSTONES[:-1]).damage[:1]
    assert (damage.file, damage.offset, damage.reason) == ("chunks/000001", 8, "checksum mismatch")
    assert 20 < damage.offset + damage.length < 500
    assert str(damage) == "chunks/000001 at byte 8: checksum mismatch"

    files = {damage.file for damage in verify_block(b"", [b""], b"", b"").damage}
    assert files == {"index", "chunks/000001", "tombstones", "held"}


def test_a_damaged_block_does_not_open() -> None:
    with pytest.raises(BlockDamaged, match=r"^tombstones at byte 5: checksum mismatch$") as refused:
        Block(INDEX, [CHUNKS], TOMBSTONES[:-1] + b"\1")
    assert (refused.value.damage.file, refused.value.damage.offset, refused.value.damage.length) == ("tombstones", 5, 4)


def test_a_block_of_no_bytes_object_is_refused() -> None:
    with pytest.raises(TypeError):
        Block("index", [])  # type: ignore[arg-type]
