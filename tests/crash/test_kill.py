"""`kill -9` at random moments: every acknowledged batch is there afterwards, and no half one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from tests.buffer.samples import batches_in, size_of


def life_and_death(data: Path, first: int, acknowledgements: int) -> set[int]:
    """Run the appender until it has printed that many numbers; kill it; all numbers that it printed."""
    command = [sys.executable, "-m", "tests.crash.appender", str(data), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stdout:
            if line.startswith("acknowledged"):
                lines.append(line)
            if len(lines) == acknowledgements:
                process.kill()
        assert len(lines) >= acknowledgements, process.stderr.read()
    return {int(line.split()[1]) for line in lines if line.endswith("\n")}


def die_often(data: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    found: set[int] = set()
    for _ in range(rounds):
        first = max(found, default=-1) + 1
        acknowledged |= life_and_death(data, first, chance.randint(1, 300))
        view = Directory(Files(), data / "tsdb", SystemClock())
        found = batches_in(view)
        assert acknowledged <= found
        assert view.seq == sum(size_of(number) for number in found)
        assert found == set(range(len(found))), "a batch is missing before one that is there"


@pytest.mark.timeout(300)
def test_twenty_lives(tmp_path: Path) -> None:
    die_often(tmp_path, 20, seed=1)


@pytest.mark.crash
@pytest.mark.timeout(3600)
def test_three_hundred_lives(tmp_path: Path) -> None:
    for folder in range(6):
        die_often(tmp_path / str(folder), 50, seed=folder)
