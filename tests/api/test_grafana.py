"""What Grafana's Prometheus data source asks, and how it writes that: requests that people captured and published."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from tests.api.asking import ask, data, post, write_requests
from tests.bridge_process import Answer, BridgeProcess

NOW = int(time.time()) * 1000
END = NOW / 1000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("grafana")) as process:
        write_requests(process, NOW)
        yield process


class Captured(NamedTuple):
    """A request as it went over the wire, but for times and names; what it must find; where it was published."""

    line: str
    body: str
    wanted: Any
    source: str


BY_PROXY = {
    "User-Agent": "Grafana/10.2.3",
    "X-Datasource-Uid": "c91e98f4-01ea-4ffd-890a-eef523983c78",
    "X-Grafana-Org-Id": "1",
    "Accept-Encoding": "gzip",
}
NAMES = {"push_failure_time_seconds", "push_time_seconds", "requests_total", "t_bucket", "t_count", "t_sum"}
CAPTURED = [
    Captured("POST /api/v1/query", "query=1%2B1&time=4", [4, "2"], "greptimedb#3604"),
    Captured(
        "GET /api/v1/metadata?limit=40000",
        "",
        {"t", "push_time_seconds", "push_failure_time_seconds"},
        "greptimedb#7237",
    ),
    Captured(
        "GET /api/v1/labels?limit=40000&start={start}&end={end}&match%5B%5D=%7B__name__%3D~%22.%2B%22%2C%7D",
        "",
        {"__name__", "instance", "job", "le"},
        "greptimedb#7237",
    ),
    Captured(
        "GET /api/v1/label/__name__/values?limit=40000&start={start}&end={end}",
        "",
        NAMES,
        "greptimedb#7237",
    ),
    Captured(
        "GET /api/v1/query_range?query=requests_total%7Bjob%3D%22api%22%2C%20instance%3D%22h0:1%22%7D"
        "&start={start}&end={end}&step=30",
        "",
        {"h0:1"},
        "telegraf#3991",
    ),
    Captured("GET /api/v1/query?query=requests_total&time={end}", "", {"h0:1", "h1:1"}, "telegraf#3991"),
    Captured(
        "POST /api/v1/query_range?end={end}&query=sum+by%28instance%29+%28requests_total%29&start={start}&step=30",
        "",
        {"h0:1", "h1:1"},
        "grafana#60242",
    ),
    Captured("GET /api/v1/series?match[]=requests_total", "", {"h0:1", "h1:1"}, "grafana#5007"),
]


@pytest.mark.parametrize("captured", CAPTURED, ids=lambda captured: f"{captured.source} {captured.line[:30]}")
def test_a_captured_request(bridge: BridgeProcess, captured: Captured) -> None:
    method, target = captured.line.split(" ")
    target = target.format(start=int(END) - 3600, end=int(END) + 60)
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    answer = unpacked(bridge.request(method, target, captured.body, BY_PROXY | kind))
    assert named(data(answer)) == captured.wanted


def named(found: Any) -> Any:
    """What an answer is about: metrics, labels, or instances that have series; a number as it is."""
    if isinstance(found, dict) and "resultType" in found:
        if found["resultType"] == "scalar":
            return found["result"]
        found = [series["metric"] for series in found["result"]]
    return {one["instance"] if isinstance(one, dict) else one for one in found}


def unpacked(answer: Answer) -> Answer:
    if answer.headers.get("content-encoding") != "gzip":
        return answer
    return replace(answer, body=gzip.decompress(answer.body))


def test_that_there_is_no_editor_of_rules(bridge: BridgeProcess) -> None:
    """Grafana takes a server for one that has its rules edited unless this is a page that is not found."""
    answer = bridge.request("GET", "/api/v1/rules/test/test")
    assert (answer.status, answer.text) == (404, "404 page not found\n")


def test_grafana_checks_the_health_of_a_data_source(bridge: BridgeProcess) -> None:
    assert data(post(bridge, "/query", {"query": "1+1", "time": str(END)})) == {
        "resultType": "scalar",
        "result": [END if END % 1 else int(END), "2"],
    }
    build = data(ask(bridge, "/status/buildinfo"))
    assert build["version"] == "3.14.0"
    assert not build.get("features"), "a map of features would make it Mimir"


def test_grafana_draws_a_panel(bridge: BridgeProcess) -> None:
    form = {"query": "sum by (instance) (rate(requests_total[1m0s]))", "step": "15"}
    form |= {"start": f"{END - 60:.3f}", "end": f"{END:.3f}"}
    found = data(post(bridge, "/query_range", form))
    assert [row["metric"] for row in found["result"]] == [{"instance": "h0:1"}, {"instance": "h1:1"}]
    assert all(float(value) == pytest.approx(2) for row in found["result"] for _, value in row["values"])
    table = data(post(bridge, "/query", {"query": "topk(1, requests_total)", "time": str(END)}))
    assert table["result"][0]["metric"]["instance"] == "h1:1"
    span = {"start": str(END - 60), "end": str(time.time() + 60)}  # it was pushed when this module came to its turn
    exemplars = data(post(bridge, "/query_exemplars", {"query": "t_bucket", **span}))
    assert exemplars[0]["exemplars"][0]["labels"] == {"trace_id": "a"}


def test_grafana_fills_its_query_builder(bridge: BridgeProcess) -> None:
    span = {"start": str(int(END) - 3600), "end": str(int(END) + 1)}
    names = data(ask(bridge, "/label/__name__/values", {**span, "limit": "40000"}))
    assert {"requests_total", "t_bucket", "t_sum"} <= set(names)
    matched = {**span, "match[]": '{__name__="requests_total"}'}
    assert data(post(bridge, "/labels", matched)) == ["__name__", "instance", "job"]
    assert data(ask(bridge, "/label/instance/values", matched)) == ["h0:1", "h1:1"]
    assert len(data(post(bridge, "/series", matched))) == 2
    assert data(ask(bridge, "/metadata", {"limit": "40000"}))["t"] == [
        {"type": "histogram", "help": "Time.", "unit": ""}
    ]
    assert data(ask(bridge, "/rules")) == {"groups": []}
    assert data(post(bridge, "/parse_query", {"query": "up"}))["type"] == "vectorSelector"
