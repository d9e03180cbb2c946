"""promtool, and the requests that Grafana's Prometheus data source makes, against us."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.asking import ask, data, post, write
from tests.bridge_process import BridgeProcess

pytestmark = pytest.mark.interop

NOW = int(time.time()) * 1000
END = NOW / 1000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("queries")) as process:
        for n in range(8, -1, -1):
            t = NOW - n * 15_000
            write(process, *(f"requests_total,job=api,instance=h{h}:1 value={(8 - n) * 30 + h} {t}" for h in range(2)))
        body = '# HELP t Time.\n# TYPE t histogram\nt_bucket{le="1.0"} 1 # {trace_id="a"} 0.5\n'
        body += 't_bucket{le="+Inf"} 1\nt_sum 0.5\nt_count 1\n# EOF\n'
        kind = {"Content-Type": "application/openmetrics-text"}
        assert process.request("PUT", "/metrics/job/batch", body, kind).status == 200
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
