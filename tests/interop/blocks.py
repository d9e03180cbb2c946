"""Directories of blocks, made by promtool or by our core from the same rows."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bridge.buffer.block_writer import BlockWriter
from bridge.buffer.files import Files
from bridge.buffer.meta import BlockMeta, Stats
from bridge.buffer.ulid import Ulid
from bridge.native import Batch, Block, BlockBuilder, Head, verify_block

__all__ = ["Row", "block_dirs", "dump", "head_of", "open_block", "our_block", "promtool_blocks", "run", "verify_dir"]

Row = tuple[dict[str, str], int, float]
"""Labels, time in ms, value."""


def run(*command: str | Path) -> str:
    """What a program prints; it must succeed and have nothing to complain of."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def promtool_blocks(promtool: Path, directory: Path, rows: Sequence[Row]) -> None:
    """Have promtool make the blocks of these rows in `directory`."""
    directory.mkdir()
    text = directory.with_suffix(".txt")
    with text.open("w") as lines:
        for labels, time, value in rows:
            pairs = ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items() if name != "__name__")
            lines.write(f"{labels['__name__']}{{{pairs}}} {value!r} {time / 1000:.3f}\n")
        lines.write("# EOF\n")
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", text, directory)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def our_block(directory: Path, ulid: Ulid, inputs: Sequence[Block | Head], mint: int, maxt: int) -> BlockMeta:
    """Write the block of what `inputs` have in [mint, maxt) ms to `directory`."""
    directory.mkdir(exist_ok=True)
    writer = BlockWriter(Files(), directory, ulid)
    writer.begin()
    builder = BlockBuilder(inputs, mint, maxt)
    while (pieces := builder.step(64 << 10)) is not None:
        for number, data in pieces:
            if number:
                writer.chunks(number, data)
            else:
                writer.index(data)
    stats = Stats(
        samples=builder.stats.samples,
        floats=builder.stats.float_samples,
        series=builder.stats.series,
        chunks=builder.stats.chunks,
    )
    meta = replace(BlockMeta.cut(ulid, mint, maxt), stats=stats)
    writer.finish(meta, held=builder.held or b"")
    return meta


def head_of(rows: Sequence[Row]) -> Head:
    """A head that holds these rows."""
    head = Head()
    head.stage(Batch.from_rows(rows, 0)).commit()
    return head


def block_dirs(directory: Path) -> list[Path]:
    """The blocks in a directory, by their names."""
    return [path.parent for path in sorted(directory.glob("*/meta.json"))]


def open_block(path: Path) -> Block:
    """Open the block at `path`."""
    return Block(*_files(path))


def verify_dir(path: Path) -> BlockMeta:
    """Read every byte of the block at `path`: no damage, and what it holds is what its meta.json says. That file."""
    found = verify_block(*_files(path))
    assert found.damage == []
    meta = BlockMeta.parse((path / "meta.json").read_bytes())
    counted = (found.stats.series, found.stats.chunks, found.stats.samples)
    assert counted == (meta.stats.series, meta.stats.chunks, meta.stats.samples)
    assert found.stats.min_time is not None
    assert found.stats.max_time is not None
    assert meta.mint <= found.stats.min_time
    assert found.stats.max_time < meta.maxt
    return meta


def _files(path: Path) -> tuple[bytes, list[bytes], bytes]:
    chunks = [file.read_bytes() for file in sorted((path / "chunks").iterdir())]
    return (path / "index").read_bytes(), chunks, (path / "tombstones").read_bytes()


def dump(promtool: Path, directory: Path) -> list[str]:
    """Every sample in the directory, as promtool prints it, sorted."""
    (directory / "wal").mkdir(exist_ok=True)  # promtool looks for a log when blocks do not reach as far as it asks
    return sorted(run(promtool, "tsdb", "dump", directory).splitlines())
