"""A real Prometheus federates from a bridge, and then has what the bridge has."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.asking import write
from tests.bridge_process import BridgeProcess, wait_until
from tests.interop.peers import Prometheus

pytestmark = pytest.mark.interop

BODY = """\
# TYPE rows gauge
rows{table="a\\"b\\\\c\\nd"} 12.5
rows{table="+"} +Inf
# TYPE step_seconds histogram
step_seconds_bucket{le="0.1"} 3
step_seconds_bucket{le="+Inf"} 4
step_seconds_sum 1.5
step_seconds_count 4
"""
SCRAPE = """\
scrape_configs:
- job_name: federate
  honor_labels: true
  metrics_path: /federate
  params: {{"match[]": ['{{job=~"backup|node"}}']}}
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


def test_prometheus_federates_from_us(peer: Callable[[str], Path], tmp_path: Path) -> None:
    config = "global: {external_labels: {dc: x, job: never}}\npush: {hold_interval: 1s}\n"
    (tmp_path / "bridge").mkdir()
    with BridgeProcess(tmp_path / "bridge", config) as bridge:
        assert bridge.request("PUT", "/metrics/job/backup", BODY).status == 200
        t = int(time.time() * 1000)
        write(bridge, *(f"load,job=node,instance=h{n}:1 value={n}.25 {t}" for n in range(300)))
        folder = tmp_path / "prometheus"
        scrape = SCRAPE.format(port=bridge.port)
        with Prometheus(peer("prometheus"), folder, folder / "data", more=scrape, receives=True) as prometheus:

            def values(query: str) -> dict[frozenset[tuple[str, str]], str]:
                found = prometheus.api("query", query=query)["result"]
                return {frozenset(row["metric"].items()): row["value"][1] for row in found}

            wait_until("all is scraped", lambda: len(values('{job=~"backup|node"}')) == 308)
            loads = values("load")
            assert loads == {
                frozenset({"__name__": "load", "job": "node", "instance": f"h{n}:1", "dc": "x"}.items()): f"{n}.25"
                for n in range(300)
            }
            pushed = {dict(labels).get("table", ""): value for labels, value in values("rows").items()}
            assert pushed == {'a"b\\c\nd': "12.5", "+": "+Inf"}
            (labels,) = values("step_seconds_sum")
            assert dict(labels) == {"__name__": "step_seconds_sum", "job": "backup", "dc": "x"}

            # A held value goes on, at the time of its ticks.
            first = prometheus.api("query", query="timestamp(step_seconds_sum)")["result"][0]["value"][1]
            wait_until(
                "the next tick is scraped",
                lambda: prometheus.api("query", query="timestamp(step_seconds_sum)")["result"][0]["value"][1] > first,
            )
            assert not [line for line in prometheus.complaints() if "federate" in line]
