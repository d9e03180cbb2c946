"""Directories of blocks that promtool makes of rows."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bridge.buffer.meta import BlockMeta
from bridge.native import Block, verify_block

__all__ = ["Row", "block_dirs", "open_block", "promtool_blocks", "run", "verify_dir"]

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
