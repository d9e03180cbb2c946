"""A real Prometheus writes to us while we are killed and started again: it and we hold the same samples."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.buffer.samples import open_store
from tests.interop.peers import Prometheus

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

Samples = dict[frozenset[tuple[str, str]], list[tuple[int, float]]]


def metric(page: bytes, name: str) -> float:
    """The sum of a metric on a page."""
    values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page.decode(), re.MULTILINE)
    return sum(map(float, values))


async def stored(folder: Path, maxt: int) -> Samples:
    """What a bridge that has ended holds up to `maxt` ms."""
    store = open_store(folder / "data")
    selection = store.querier.select([("__name__", "!=", "")], 0, maxt)
    found = {
        frozenset(selection.labels(n).items()): [(int(t), float(v)) for t, v in zip(*selection.floats(n), strict=True)]
        for n in range(len(selection))
    }
    await store.close()
    return found


async def test_prometheus_and_we_hold_the_same_samples_though_we_are_killed(
    peer: Callable[[str], Path], tmp_path: Path
) -> None:
    port = free_port()
    bridge = BridgeProcess(tmp_path, port=port)
    more = (
        f"remote_write:\n- url: http://127.0.0.1:{port}/api/v1/write\n"
        "  queue_config: {min_backoff: 30ms, max_backoff: 200ms, batch_send_deadline: 200ms}\n"
        "  metadata_config: {send_interval: 500ms}\n"
    )
    begun = time.time_ns() // 1_000_000
    with Prometheus(peer("prometheus"), tmp_path / "peer", tmp_path / "theirs", more=more) as prometheus:

        def received() -> float:
            return metric(bridge.request("GET", "/metrics").body, "pushbridge_remote_write_received_total")

        for _ in range(3):
            bridge.start()
            first = received()
            wait_until("samples arrive", lambda least=first + 500: received() > least, 40)
            bridge.kill()
            time.sleep(1.5)  # Prometheus goes on scraping meanwhile
        bridge.start()
        until = time.time_ns() // 1_000_000

        def sent() -> bool:
            page = prometheus.get("/metrics")[1]
            newest = metric(page, "prometheus_remote_storage_queue_highest_sent_timestamp_seconds") * 1000
            return newest > until + 2000  # two scrapes later: no shard has any of the time before

        wait_until("Prometheus has caught up", sent, 60)
        page = prometheus.get("/metrics")[1]
        assert bridge.stop() == 0
        theirs = prometheus.samples('{__name__!=""}', (until - begun) // 1000 + 5, until)
        for name in ("failed", "dropped"):
            assert metric(page, f"prometheus_remote_storage_samples_{name}_total") == 0, name
        assert metric(page, "prometheus_remote_storage_samples_retried_total") > 0, "we were never missed"
    ours = await stored(tmp_path, until)
    assert len(theirs) > 300
    assert {labels: [(t, repr(v)) for t, v in found] for labels, found in ours.items()} == {
        labels: [(t, repr(float(v))) for t, v in found] for labels, found in theirs.items()
    }


async def test_prometheus_tells_us_what_metrics_are(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        more = f"remote_write: [{{url: '{bridge.url}/api/v1/write', metadata_config: {{send_interval: 1s}}}}]\n"
        with Prometheus(peer("prometheus"), tmp_path / "peer", tmp_path / "theirs", more=more) as prometheus:
            sent = "prometheus_remote_storage_metadata_total"
            wait_until("metadata is sent", lambda: metric(prometheus.get("/metrics")[1], sent) > 1000, 40)
            assert [line for line in prometheus.complaints() if "remote" in line] == []
        bridge.stop()
    store = open_store(tmp_path / "data")
    told = store.head.metadata()
    assert told["prometheus_http_requests_total"] == [("counter", "", "Counter of HTTP requests.")]
    assert told["prometheus_http_request_duration_seconds_bucket"][0][0] == "histogram"
    await store.close()
