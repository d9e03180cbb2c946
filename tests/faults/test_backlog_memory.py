"""What waits for sinks is on the disk: memory does not grow with it, neither while it waits nor while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import served
from tests.faults.sinks import drained, sink_row
from tests.faults.watching import Memory

SERIES = 2_000
LEAST = 40  # bytes; a sample that is kept takes more in any form, and 400,000 of them 15 MiB
LINES = "influxdb: [{name: s, url: '%s', dialect: v1, db: d, batch_samples: 1000, in_flight: 2}]\n"
MESSAGES = (
    "remote_write: [{name: r, url: '%s', protobuf_message: io.prometheus.write.v2.Request, "
    "queue_config: {max_samples_per_send: 500, max_shards: 2}}]\n"
)
SINKS = {"s": LINES, "r": MESSAGES}  # by name; they are sent little at a time


class Sink:
    """Takes nothing until it is `open`, then everything."""

    def __init__(self) -> None:
        self.open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an InfluxDB and as a receiver of any version."""
        if scope["type"] == "http":
            await Request(scope, receive).body()
            written = {"X-Prometheus-Remote-Write-Samples-Written": "1"}  # what counts is that it is not 0
            await Response(status_code=204 if self.open else 503, headers=written)(scope, receive, send)


@pytest.fixture
def sink() -> Iterator[tuple[Sink, str]]:
    app = Sink()
    with served(app) as url:
        yield app, url


def push(bridge: BridgeProcess, first: int, count: int) -> None:
    """The same series again and again."""
    for n in range(first, first + count):
        body = "".join(f'm{{n="{i}"}} {n}\n' for i in range(SERIES))
        assert bridge.request("PUT", "/metrics/job/j", body).status == 200


def tried(bridge: BridgeProcess, name: str) -> None:
    """Wait until a sink was found to be down: what one request takes is taken."""
    wait_until("it is tried", lambda: sink_row(bridge, name)["state"] == "retrying")


def test_a_backlog_takes_no_memory(tmp_path: Path, sink: tuple[Sink, str]) -> None:
    with BridgeProcess(tmp_path, "".join(text % sink[1] for text in SINKS.values())) as bridge:
        push(bridge, 0, 100)
        for name in SINKS:
            tried(bridge, name)
        memory = Memory(bridge.pid)
        before = memory.anonymous()
        push(bridge, 100, 200)
        assert sink_row(bridge)["pending"] == sink_row(bridge, "r")["pending"] >= 300 * SERIES
        assert memory.anonymous() - before < 200 * SERIES * LEAST


def sending(folder: Path, app: Sink, url: str, name: str, pushes: int) -> int:
    """Bytes that are resident at most while a backlog is sent to one sink, over what was before."""
    folder.mkdir()
    app.open = False
    with BridgeProcess(folder, SINKS[name] % url) as bridge:
        push(bridge, 0, pushes)
        tried(bridge, name)
        memory = Memory(bridge.pid)
        before = memory.forget_peak()
        app.open = True
        # As one who has put it right would: else it is asked again after a pause, the longer the slower we have pushed.
        bridge.config_file.write_text(SINKS[name].replace("name: ", "headers: {X-Try: again}, name: ") % url)
        assert bridge.request("POST", "/-/reload").status == 200
        drained(bridge, name)
        return memory.peak() - before


@pytest.mark.parametrize("name", SINKS)
def test_sending_takes_no_more_where_more_waits(tmp_path: Path, sink: tuple[Sink, str], name: str) -> None:
    short = sending(tmp_path / "short", *sink, name, 50)
    long = sending(tmp_path / "long", *sink, name, 200)
    assert long - short < 150 * SERIES * LEAST
