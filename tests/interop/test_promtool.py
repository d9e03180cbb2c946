"""After pushes and a stop, Debian's promtool reads from the directory what we read from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, wait_until

pytestmark = pytest.mark.interop

BODY = """\
# TYPE rows gauge
rows{table="a b",quoted="x\\"y\\\\z"} 12.5
rows{table="line\\nfeed"} -0
# TYPE runs_total counter
runs_total 1e9
# TYPE step_seconds histogram
step_seconds_bucket{le="0.1"} 3
step_seconds_bucket{le="+Inf"} 4
step_seconds_sum 1.5
step_seconds_count 4
# TYPE size summary
size{quantile="0.5"} NaN
size_sum 0
size_count 0
odd +Inf
"""


def ours(data: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "bridge", "tsdb", "dump", "--data", str(data), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_promtool_dumps_the_same(peer: Callable[[str], Path], tmp_path: Path, end: str) -> None:
    promtool = peer("promtool")
    with BridgeProcess(tmp_path, "push: {hold_interval: 1s}\n") as bridge:
        for n in range(200):
            job = f"/metrics/job/job{n % 7}/zone/{n % 3}"
            assert bridge.request("PUT" if n % 2 else "POST", job, BODY.replace("12.5", str(n))).status == 200
        bridge.request("PUT", "/metrics/job/job1/zone/1", "only 1\n")
        bridge.request("DELETE", "/metrics/job/job2/zone/2")
        wait_until("held samples", lambda: len(ours(bridge.data, "--held")) > len(ours(bridge.data)))
        if end == "stop":
            assert bridge.stop() == 0
        else:
            bridge.kill()
    theirs = subprocess.run(
        [str(promtool), "tsdb", "dump", str(tmp_path / "data" / "tsdb")], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    mine = ours(tmp_path / "data")
    assert len(mine) > 2000
    assert sorted(mine) == sorted(theirs)
