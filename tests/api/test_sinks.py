"""`/api/v1/status/sinks`: how much each sink is sent at a time, as its answers go, and the same in the metrics."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import served
from tests.faults.sinks import drained, sink_row
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver

CONFIG = """
influxdb: [{{name: a, url: '{a}', dialect: v1, db: d, batch_samples: 300, in_flight: 3, gzip: false}}]
remote_write: [{{name: b, url: '{b}/w', queue_config: {{min_shards: 2, max_shards: 5, max_samples_per_send: 70}}}}]
"""
METRICS = {
    "concurrency": "pushbridge_sink_concurrency",
    "batch_samples": "pushbridge_sink_batch_samples",
    "batch_bytes": "pushbridge_sink_batch_bytes",
}


def sizes(bridge: BridgeProcess, sink: str) -> dict[str, int]:
    """How much a sink is sent at a time, as JSON tells."""
    row = sink_row(bridge, sink)
    return {key: row[key] for key in METRICS}


def in_metrics(bridge: BridgeProcess, sink: str) -> dict[str, int]:
    """The same from the page of metrics."""
    page = bridge.request("GET", "/metrics").text
    found = {key: re.search(rf'^{name}{{sink="{sink}"}} (\S+)$', page, re.MULTILINE) for key, name in METRICS.items()}
    return {key: int(float(match[1])) for key, match in found.items() if match is not None}


def test_what_a_sink_is_sent_at_a_time(tmp_path: Path) -> None:
    narrow = FakeInflux(max_body=4_000)
    with served(narrow) as a, served(FakeReceiver()) as b, BridgeProcess(tmp_path, CONFIG.format(a=a, b=b)) as bridge:
        assert sizes(bridge, "a") == {"concurrency": 2, "batch_samples": 300, "batch_bytes": 8 << 20}
        assert sizes(bridge, "b") == {"concurrency": 2, "batch_samples": 70, "batch_bytes": 8 << 20}
        body = "".join(f'value{{n="{n}"}} {n}\n' for n in range(900))
        assert bridge.request("PUT", "/metrics/job/j", body.encode()).status == 200
        for sink in ("a", "b"):
            drained(bridge, sink)
        wait_until("bodies are smaller", lambda: 1_000 < sizes(bridge, "a")["batch_bytes"] < 100_000)
        assert sizes(bridge, "a")["batch_samples"] == 300, "it is not the samples that were too many"
        assert sizes(bridge, "b")["batch_bytes"] == 8 << 20
        assert 2 <= sizes(bridge, "b")["concurrency"] <= 5
        for sink in ("a", "b"):
            assert in_metrics(bridge, sink) == sizes(bridge, sink)
