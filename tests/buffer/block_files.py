"""Directories of blocks whose files have content that tells which block they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.block_writer import BlockWriter
from bridge.buffer.blocks import Blocks
from bridge.buffer.files import Files
from bridge.buffer.inspect import Bytes
from bridge.buffer.meta import BlockMeta

__all__ = ["Content", "content_of", "open_blocks", "read_content", "write_block"]


@dataclass(frozen=True)
class Content:
    """What the files of a block say."""

    index: bytes
    chunks: list[bytes]
    tombstones: bytes | None
    held: bytes | None


def content_of(meta: BlockMeta, *, held: bool = False) -> Content:
    """What `write_block` writes."""
    name = meta.ulid.encode()
    tombstones = bytes.fromhex("0130ba300100000000")
    return Content(
        b"index of " + name, [b"chunks %d of " % n + name for n in (1, 2)], tombstones, name if held else None
    )


def read_content(index: Bytes, chunks: Sequence[Bytes], tombstones: Bytes | None, held: Bytes | None) -> Content:
    """A reader that knows damage when it sees it."""
    if not index[:].startswith(b"index of"):
        raise ValueError("index: bytes 0 to 8: not an index")
    return Content(
        index[:],
        [data[:] for data in chunks],
        None if tombstones is None else tombstones[:],
        None if held is None else held[:],
    )


def write_block(files: Files, directory: Path, meta: BlockMeta, *, held: bool = False) -> Path:
    """A block in small pieces."""
    content = content_of(meta, held=held)
    writer = BlockWriter(files, directory, meta.ulid)
    writer.begin()
    for number, data in enumerate(content.chunks, start=1):
        writer.chunks(number, data[:5])
        writer.chunks(number, data[5:])
    writer.index(content.index[:3])
    writer.index(content.index[3:])
    return writer.finish(meta, held=content.held or b"")


def open_blocks(
    directory: Path, files: Files | None = None, registry: CollectorRegistry | None = None
) -> Blocks[Content]:
    """As at a start."""
    blocks = Blocks(files or Files(), directory, read_content, BlockMetrics(registry or CollectorRegistry()))
    blocks.sweep()
    blocks.reload()
    return blocks
