"""The command as a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

__all__ = ["Ran", "pushbridge"]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


async def pushbridge(
    *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Ran:
    """Run `pushbridge ARGUMENTS` to its end."""
    root = str(Path(__file__).parents[2])
    with anyio.fail_after(60):
        result = await anyio.run_process(
            [sys.executable, "-m", "bridge", *map(str, arguments)],
            input=stdin,
            check=False,
            env={**os.environ, "PYTHONPATH": root, "COLUMNS": "100", **(env or {})},
            cwd=cwd,
        )
    return Ran(result.returncode, result.stdout.decode(), result.stderr.decode())
