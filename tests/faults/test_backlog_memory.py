"""What waits for sinks is on the disk: memory does not grow with it."""

from __future__ import annotations

from pathlib import Path

from tests.bridge_process import BridgeProcess, wait_until
from tests.faults.sinks import sink_row

SERIES = 2_000
DOWN = "http://127.0.0.1:1"  # nobody listens there
SINKS = f"influxdb: [{{name: s, url: '{DOWN}', dialect: v1, db: d}}]\nremote_write: [{{name: r, url: '{DOWN}'}}]\n"
LEAST = 40  # bytes; a sample that is kept takes more in any form, and 400,000 of them 15 MiB


def anonymous(bridge: BridgeProcess) -> int:
    """Resident bytes that are no pages of files."""
    status = Path(f"/proc/{bridge.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) * 1024


def push(bridge: BridgeProcess, first: int, count: int) -> None:
    """The same series again and again."""
    for n in range(first, first + count):
        body = "".join(f'm{{n="{i}"}} {n}\n' for i in range(SERIES))
        assert bridge.request("PUT", "/metrics/job/j", body).status == 200


def test_a_backlog_takes_no_memory(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, SINKS) as bridge:
        push(bridge, 0, 100)
        for name in ("s", "r"):
            wait_until("it is tried", lambda name=name: sink_row(bridge, name)["state"] == "retrying")
        before = anonymous(bridge)
        push(bridge, 100, 200)
        assert sink_row(bridge)["pending"] == sink_row(bridge, "r")["pending"] >= 300 * SERIES
        assert anonymous(bridge) - before < 200 * SERIES * LEAST
