"""Requests of a real Telegraf and a real OpenTelemetry Collector, byte for byte as they came over the socket: a bridge
takes them, and holds afterwards what those programs say they sent.

What Telegraf sent is what its output `file` wrote beside, but for 2^64 - 1, which that one cuts. What the Collector
sent over OTLP has the names that its `prometheus_remote_write` exporter makes of the same. `T` is the time of a push.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.bridge_process import BridgeProcess

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.samples"))
END = 1_700_000_001  # s; all samples but pushed ones are a little older


def send(port: int, request: bytes) -> int:
    """The status that is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        response.read()
        return response.status


def held(bridge: BridgeProcess, path: str) -> Iterator[str]:
    """All samples, as `promtool tsdb dump` prints them; histograms as the API tells them."""
    answer = bridge.request("GET", path)
    assert answer.status == 200, answer.text
    for series in json.loads(answer.body)["data"]["result"]:
        labels = ", ".join(
            f"{name}={json.dumps(v, ensure_ascii=False)}" for name, v in sorted(series["metric"].items())
        )
        for t, value in series.get("values", []):
            yield f"{{{labels}}} {float(value)!r} {round(t * 1000)}"
        for t, histogram in series.get("histograms", []):
            yield f"{{{labels}}} {json.dumps(histogram)} {round(t * 1000)}"
        if "value" in series:
            yield f"{{{labels}}} {float(series['value'][1])!r} T"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_recorded_request_is_taken(tmp_path: Path, case: Path) -> None:
    wanted = case.read_text().splitlines()
    with BridgeProcess(tmp_path) as bridge:
        for request in sorted(case.parent.glob(f"{case.stem}*.http")):
            if request.stem.removeprefix(case.stem).strip("-0123456789"):
                continue  # of another case whose name begins likewise
            assert 200 <= send(bridge.port, request.read_bytes()) < 300, request
        query = {"query": '{__name__=~".+",__name__!~"push_.*"}[1m]', "time": str(END)}
        if wanted[0].endswith(" T"):
            query = {"query": '{__name__=~".+",__name__!~"push_.*"}'}
        assert sorted(held(bridge, f"/api/v1/query?{urlencode(query)}")) == sorted(wanted)
        assert bridge.stop() == 0
