"""promtool against us."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.asking import write_requests
from tests.bridge_process import BridgeProcess

pytestmark = pytest.mark.interop

NOW = int(time.time()) * 1000
END = NOW / 1000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("queries")) as process:
        write_requests(process, NOW)
        yield process


def promtool(peer: Callable[[str], Path], *arguments: str) -> str:
    ran = subprocess.run([str(peer("promtool")), "query", *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_promtool(peer: Callable[[str], Path], bridge: BridgeProcess) -> None:
    url = bridge.url
    out = promtool(peer, "instant", url, "sum(requests_total)", "--time", str(int(END)))
    assert out == f"{{}} => 481 @[{int(END)}]\n"
    out = promtool(peer, "instant", "-o", "json", url, "requests_total", "--time", str(int(END)))
    assert [row["value"][1] for row in json.loads(out)] == ["240", "241"]
    span = ["--start", str(int(END) - 30), "--end", str(int(END)), "--step", "15s"]
    out = promtool(peer, "range", url, "rate(requests_total[1m])", *span)
    lines = out.splitlines()
    assert lines[0] == '{instance="h0:1", job="api"} =>'
    value, at = lines[1].split()
    assert float(value) == pytest.approx(2)
    assert at == f"@[{int(END) - 30}]"
    out = promtool(peer, "series", "--match", "requests_total", url)
    assert out == "".join(f'{{__name__="requests_total", instance="h{h}:1", job="api"}}\n' for h in range(2))
    assert promtool(peer, "labels", url, "job") == "api\nbatch\n"


def test_promtool_tells_of_errors(peer: Callable[[str], Path], bridge: BridgeProcess) -> None:
    command = [str(peer("promtool")), "query", "instant", bridge.url, "up{"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "bad_data" in ran.stderr
    assert "unexpected end of input inside braces" in ran.stderr
