"""OpenTelemetry's own SDK and exporter send to a real bridge."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from tests.bridge_process import BridgeProcess

CONFIG = """\
otlp: {delta_to_cumulative: true, promote_resource_attributes: [deployment.environment]}
"""


def dump(bridge: BridgeProcess) -> list[str]:
    """What the bridge has, without times."""
    command = [sys.executable, "-m", "bridge", "tsdb", "dump", "--data", str(bridge.data)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(line.rsplit(" ", 1)[0] for line in lines)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
@pytest.mark.parametrize("temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
def test_the_sdk_sends(tmp_path: Path, compression: Compression, temporality: AggregationTemporality) -> None:
    with BridgeProcess(tmp_path, CONFIG) as bridge:
        exporter = OTLPMetricExporter(
            f"{bridge.url}/api/v1/otlp/v1/metrics",
            compression=compression,
            preferred_temporality={Counter: temporality, Histogram: temporality},
        )
        resource = Resource(
            {"service.name": "shop", "service.instance.id": "i-1", "deployment.environment": "test", "host.name": "h"}
        )
        provider = MeterProvider(
            [PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
            resource=resource,
            views=[View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())],
        )
        meter = provider.get_meter("test")
        requests = meter.create_counter("http.requests", unit="{request}", description="Requests.")
        wait = meter.create_histogram("wait", unit="s", explicit_bucket_boundaries_advisory=[0.5, 5])
        size = meter.create_histogram("size", unit="By")
        meter.create_observable_gauge("load", [lambda _: [Observation(0.5, {"cpu": 1})]], unit="1")
        for _ in range(3):
            requests.add(2, {"http.method": "GET"})
            wait.record(1.0)
            size.record(3)
            assert provider.force_flush()
        provider.shutdown()

        own = 'deployment_environment="test", instance="i-1", job="shop"'
        lines = dump(bridge)
        target = 'instance="i-1", job="shop"'
        total = f'{{__name__="http_requests_total", deployment_environment="test", http_method="GET", {target}}}'
        assert [line for line in lines if "http_requests" in line][:3] == [f"{total} {n}" for n in (2, 4, 6)]
        for line in [
            '{__name__="wait_seconds_bucket", deployment_environment="test", instance="i-1", job="shop", le="0.5"} 0',
            '{__name__="wait_seconds_bucket", deployment_environment="test", instance="i-1", job="shop", le="5"} 3',
            f'{{__name__="wait_seconds_count", {own}}} 3',
            f'{{__name__="wait_seconds_sum", {own}}} 3',
            f'{{__name__="load_ratio", cpu="1", {own}}} 0.5',
        ]:
            assert line in lines
        (info,) = {line for line in lines if "target_info" in line}
        assert 'host_name="h", instance="i-1", job="shop"' in info
        metrics = bridge.request("GET", "/metrics").text
        assert 'pushbridge_otlp_requests_total{code="200",form="protobuf"}' in metrics
        assert "pushbridge_otlp_refused_points_total 0" in metrics


JOB = """\
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

provider = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
provider.get_meter("job").create_counter("runs").add(1)
provider.shutdown()
"""


def test_the_environment_says_where_to(tmp_path: Path) -> None:
    """As the README has it."""
    with BridgeProcess(tmp_path) as bridge:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{bridge.url}/api/v1/otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "nightly",
            "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=host-1",
        }
        subprocess.run([sys.executable, "-c", JOB], check=True, env=os.environ | environment)
        assert '{__name__="runs_total", instance="host-1", job="nightly"} 1' in dump(bridge)
