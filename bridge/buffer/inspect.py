"""What is in a directory of blocks, for whoever only looks: nothing is locked, repaired or deleted.

The process that owns the directory may replace or delete a block meanwhile; what has gone between two looks is left
out.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.buffer.files import Files
from bridge.buffer.meta import BadMeta, BlockMeta
from bridge.buffer.retention import replaced
from bridge.buffer.ulid import is_ulid
from bridge.native import Block

__all__ = ["Bytes", "FoundBlock", "FoundBlocks", "find_blocks", "map_block", "open_block"]

Bytes = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """A block on disk. `size` is what its files take, in bytes."""

    meta: BlockMeta
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class FoundBlocks:
    """Blocks by their beginning, without those that another one replaces, and what is wrong with the rest."""

    blocks: Sequence[FoundBlock]
    problems: Sequence[str]


def find_blocks(files: Files, directory: Path) -> FoundBlocks:
    """The blocks below `directory`, which need not exist. Raises OSError."""
    found: list[FoundBlock] = []
    problems: list[str] = []
    for path in (directory / name for name in files.list(directory) if is_ulid(name)):
        try:
            meta = BlockMeta.parse(files.read_whole(path / "meta.json"))
            found.append(FoundBlock(meta, path, sum(_sizes(files, path))))
        except (FileNotFoundError, NotADirectoryError):
            if files.exists(path):
                problems.append(f"{path}: without meta.json this is no block; Prometheus would leave it out too")
        except BadMeta as error:
            problems.append(f"{path / 'meta.json'}: {error}")
    gone = replaced([block.meta for block in found])
    live = (block for block in found if block.meta.ulid not in gone)
    return FoundBlocks(sorted(live, key=lambda block: (block.meta.mint, block.meta.maxt, block.meta.ulid)), problems)


def open_block(files: Files, path: Path) -> Block:
    """Map the files of a block. Raises BlockDamaged, which names file and offset, and OSError."""
    index, chunks, tombstones, held = map_block(files, path)
    return Block(index, chunks, tombstones, held)


def map_block(files: Files, path: Path) -> tuple[Bytes, list[Bytes], Bytes | None, Bytes | None]:
    """Index, chunk files, tombstones and held samples of a block. Raises OSError."""
    chunks = [_map(files, path / "chunks" / name) for name in files.list(path / "chunks") if name.isdecimal()]
    optional = (_map(files, path / name) if files.exists(path / name) else None for name in ("tombstones", "held"))
    tombstones, held = optional
    return _map(files, path / "index"), chunks, tombstones, held


def _map(files: Files, path: Path) -> Bytes:
    file = files.open(path)
    try:
        return files.map(file)
    finally:
        files.close(file)


def _sizes(files: Files, path: Path) -> list[int]:
    chunks = [path / "chunks" / name for name in files.list(path / "chunks")]
    others = [path / name for name in ("index", "tombstones", "held", "meta.json") if files.exists(path / name)]
    return [_size(files, file) for file in (*chunks, *others)]


def _size(files: Files, path: Path) -> int:
    file = files.open(path)
    try:
        return files.size(file)
    finally:
        files.close(file)
