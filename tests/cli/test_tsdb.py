"""`pushbridge tsdb dump`, beside a running bridge."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio


async def test_dump(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        assert bridge.request("PUT", "/metrics/job/a", "x 1\ny 2\n").status == 200
        assert bridge.request("PUT", "/metrics/job/b", "x 3\n").status == 200
        everything = await pushbridge("tsdb", "dump", "--data", bridge.data)
        assert everything.code == 0
        lines = everything.out.splitlines()
        assert len(lines) == 7  # three samples and two push times for each group
        one = await pushbridge("tsdb", "dump", "--data", bridge.data, "--match", 'x{job=~"b|c"}')
        (line,) = one.out.splitlines()
        assert line in lines
        assert line.startswith('{__name__="x", job="b"} 3 ')
        time = int(line.rsplit(" ", 1)[1]) / 1000
        for limits, found in (
            (("--from", f"{time:.3f}", "--to", f"{time:.3f}"), 1),
            (("--from", f"{time + 0.001:.3f}"), 0),
            (("--to", f"{time - 0.001:.3f}"), 0),
            (("--from", "1970-01-01T00:00:00Z"), 1),
        ):
            ran = await pushbridge("tsdb", "dump", "--data", bridge.data, "--match", 'x{job="b"}', *limits)
            assert (ran.code, len(ran.out.splitlines())) == (0, found), limits
    after = await pushbridge("tsdb", "dump", "--data", bridge.data)
    assert after.out == everything.out


async def test_held_values_are_shown_when_asked_for(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "push: {hold_interval: 1s}\n") as bridge:
        assert bridge.request("PUT", "/metrics/job/a", "x 7\n").status == 200
        dump = ("tsdb", "dump", "--data", bridge.data, "--match", "x")
        with anyio.fail_after(60):
            while len((held := await pushbridge(*dump, "--held")).out.splitlines()) < 2:
                await anyio.sleep(0.1)
        assert {line.split()[-2] for line in held.out.splitlines()} == {"7"}
        assert len((await pushbridge(*dump)).out.splitlines()) == 1


async def test_what_it_refuses(tmp_path: Path) -> None:
    ran = await pushbridge("tsdb", "dump", "--data", tmp_path)
    assert (ran.code, ran.err) == (1, f"Error: {tmp_path} holds no store\n")
    for option, value, problem in (
        ("--match", "{job=x}", 'column 6: expected a quoted value, found "x"'),
        ("--from", "yesterday", "not a valid time"),
    ):
        ran = await pushbridge("tsdb", "dump", "--data", tmp_path, option, value)
        assert ran.code == 2
        assert problem in ran.err
    with BridgeProcess(tmp_path) as bridge:
        ran = await pushbridge("tsdb", "dump", "--data", bridge.data, "--match", '{job=~"("}')
    assert ran.code == 1
    assert "Traceback" not in ran.err
