"""Scripts of our own, in the language of Prometheus' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promql.run import lines, run_file

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.test"))


@pytest.mark.anyio
@pytest.mark.parametrize("block_steps", [0, 1, 2, 3], ids=["whole", "by step", "by two", "by three"])
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_script(path: Path, block_steps: int) -> None:
    outcomes = await run_file(path, block_steps)
    assert outcomes
    assert list(lines(path, outcomes)) == []
