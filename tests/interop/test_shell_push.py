"""`pushbridge push` talks to a real Pushgateway as well."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bridge_process import free_port, wait_until
from tests.cli.running import pushbridge

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

LABELS = {"db": "main", "path": "/var/tmp", "empty": "", "space": "a b", "name": "Björn", "dots": ".."}


@pytest.fixture
def gateway(peer: Callable[[str], Path], tmp_path: Path) -> Iterator[str]:
    """Its address. Debian's keeps its groups in one file under /var unless it is told another place."""
    address = f"127.0.0.1:{free_port()}"
    command = [str(peer("prometheus-pushgateway")), f"--web.listen-address={address}", "--log.level=error"]
    command.append(f"--persistence.file={tmp_path / 'groups'}")
    with subprocess.Popen(command) as process:
        try:
            wait_until("the gateway is ready", lambda: answers(f"http://{address}/-/ready"))
            yield f"http://{address}"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def test_groups_and_values_arrive(gateway: str) -> None:
    labels = [part for name, value in LABELS.items() for part in ("--label", f"{name}={value}")]
    ran = await pushbridge(
        "push", "--url", gateway, "--job", "a/b", *labels, 'rows{table="x\\"y"}=42', "runs_total=1e3"
    )
    assert ran.code == 0, ran.err
    ran = await pushbridge("push", "--url", gateway, "--job", "a/b", *labels, "--exec", "--", "false")
    assert ran.code == 1, ran.err
    with urllib.request.urlopen(f"{gateway}/api/v1/metrics") as answer:
        (group,) = json.load(answer)["data"]
    assert group["labels"] == {"job": "a/b"} | LABELS
    assert group["rows"]["type"] == "GAUGE"
    assert group["rows"]["metrics"][0]["labels"]["table"] == 'x"y'
    assert (group["runs_total"]["type"], group["runs_total"]["metrics"][0]["value"]) == ("COUNTER", "1000")
    assert group["job_exit_code"]["metrics"][0]["value"] == "1"


async def test_what_the_gateway_refuses_is_shown(gateway: str) -> None:
    ran = await pushbridge("push", "--url", gateway, "--job", "x", "--file", "-", stdin=b"a-b 1\n")
    assert ran.code == 1
    assert "400 Bad Request: text format parsing error in line 1" in ran.err
