"""A real Telegraf and a real OpenTelemetry Collector scrape a page and write to us, configured as the README says,
while we are killed and started again: every scrape is here once. Run with Telegraf 1.37.2 and a Collector 0.165."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.buffer.samples import open_store
from tests.interop.test_vmagent import ticking

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

TELEGRAF = """
[agent]
  interval = "300ms"
  flush_interval = "600ms"
  precision = "1ms"
[[inputs.prometheus]]
  urls = ["http://127.0.0.1:{page}/metrics"]
  metric_version = 2
[[outputs.influxdb_v2]]
  urls = ["http://localhost:{bridge}"]
  token = "any"
  organization = "any"
  bucket = "telegraf"
"""
COLLECTOR = """
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: page
          scrape_interval: 1s  # an answer that takes longer is lost
          scrape_timeout: 1s
          static_configs: [{{targets: ['127.0.0.1:{page}']}}]
exporters:
  otlp_http/pushbridge:
    metrics_endpoint: http://localhost:{bridge}/api/v1/otlp/v1/metrics
    compression: gzip
    sending_queue: {{num_consumers: 1}}
    retry_on_failure: {{max_elapsed_time: 0}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [prometheus], exporters: [otlp_http/pushbridge]}}
"""
AGENTS = {"telegraf": (TELEGRAF, "prometheus_ticks_total"), "otelcol": (COLLECTOR, "ticks_total")}


@contextmanager
def agent(program: Path, folder: Path, text: str) -> Iterator[None]:
    """The program, with this configuration."""
    folder.mkdir()
    (folder / "config").write_text(text)
    command = [str(program), "--config", str(folder / "config")]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("name", AGENTS)
async def test_each_scrape_is_here_once_though_we_are_killed(
    guest: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    program, port = guest(name), free_port()
    text, metric = AGENTS[name]
    with (
        ticking() as page,
        BridgeProcess(tmp_path, port=port) as bridge,
        agent(program, tmp_path / name, text.format(page=page.server_port, bridge=port)),
    ):
        wait_until("it scrapes", lambda: page.ticks > 5, 60)
        bridge.kill()
        during = page.ticks
        wait_until("it goes on scraping", lambda: page.ticks > during + 8, 60)
        bridge.start()
        last = page.ticks + 5

        def newest() -> float:
            answer = json.loads(bridge.request("GET", "/api/v1/query?query=" + quote(metric)).body)
            return max((float(series["value"][1]) for series in answer["data"]["result"]), default=0.0)

        wait_until("it has caught up", lambda: newest() >= last, 100)
        assert bridge.stop() == 0
    store = open_store(tmp_path / "data")
    found = store.querier.select([("__name__", "=", metric)], 0, 1 << 60)
    assert len(found) == 1
    assert found.labels(0)["kind"] == 'odd "one"'
    times, values = found.floats(0)
    await store.close()
    assert list(values[:last]) == [float(n) for n in range(1, last + 1)]
    assert len(set(times.tolist())) == len(times)
