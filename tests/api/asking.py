"""Asking a real bridge process as clients of Prometheus do."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bridge_process import Answer, BridgeProcess

__all__ = ["ask", "data", "post", "refused", "write", "write_requests"]

Params = Mapping[str, str | Sequence[str]]


def encode(params: Params) -> str:
    """A form."""
    return urllib.parse.urlencode(params, doseq=True)


def ask(bridge: BridgeProcess, path: str, params: Params | None = None, **headers: str) -> Answer:
    """GET of a path below /api/v1."""
    return bridge.request("GET", f"/api/v1{path}?{encode(params or {})}", headers=headers)


def post(bridge: BridgeProcess, path: str, params: Params) -> Answer:
    """The same form in a body."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return bridge.request("POST", f"/api/v1{path}", encode(params), kind)


def data(answer: Answer) -> Any:
    """What a successful answer holds."""
    body = json.loads(answer.body)
    assert (answer.status, body["status"]) == (200, "success"), body
    return body["data"]


def refused(answer: Answer, status: int, kind: str) -> str:
    """The text of an error of this kind."""
    body = json.loads(answer.body)
    assert (answer.status, body["status"], body["errorType"]) == (status, "error", kind), body
    return str(body["error"])


def write(bridge: BridgeProcess, *lines: str) -> None:
    """Samples as line protocol in milliseconds: `up,job=a value=1 1000`."""
    answer = bridge.request("POST", "/write?precision=ms", "\n".join(lines))
    assert answer.status == 204, answer.text


def write_requests(bridge: BridgeProcess, now: int) -> None:
    """`requests_total` of two hosts, 2 a second for the two minutes until `now` ms, and a pushed histogram with an
    exemplar."""
    for n in range(8, -1, -1):
        t = now - n * 15_000
        write(bridge, *(f"requests_total,job=api,instance=h{h}:1 value={(8 - n) * 30 + h} {t}" for h in range(2)))
    body = '# HELP t Time.\n# TYPE t histogram\nt_bucket{le="1.0"} 1 # {trace_id="a"} 0.5\n'
    body += 't_bucket{le="+Inf"} 1\nt_sum 0.5\nt_count 1\n# EOF\n'
    kind = {"Content-Type": "application/openmetrics-text"}
    assert bridge.request("PUT", "/metrics/job/batch", body, kind).status == 200
