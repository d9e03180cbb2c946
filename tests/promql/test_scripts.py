"""Scripts of our own, in the language of Prometheus' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promql.run import lines, run_file

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.test"))


@pytest.mark.anyio
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_script(path: Path) -> None:
    outcomes = await run_file(path)
    assert outcomes
    assert list(lines(path, outcomes)) == []
