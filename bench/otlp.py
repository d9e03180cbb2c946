"""OTLP in: `python -m bench.otlp`, CPU of the whole bridge for a million data points.

The requests are built first and sent one after the other on one connection: gauges and sums with three attributes, or
histograms of ten buckets, of 200 resources with eight attributes each. `--engine` leaves out server and store.
"""

import argparse
import gzip
import http.client
import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from bench.server import bridge
from bridge.native import OtlpDecoder

RESOURCES = 200
POINTS = 10_000
"""Data points in a request."""


def pairs(**values: str) -> list[KeyValue]:
    """Attributes; underscores in names stand for dots."""
    return [KeyValue(key=name.replace("_", "."), value=AnyValue(string_value=value)) for name, value in values.items()]


def request(kind: str) -> ExportMetricsServiceRequest:
    """A request whose points have no times yet."""
    made = ExportMetricsServiceRequest()
    for n in range(RESOURCES):
        one = made.resource_metrics.add()
        names = {f"attribute_{k}": f"value {k} of {n % 7}" for k in range(5)}
        one.resource.attributes.extend(pairs(service_name="shop", service_instance_id=f"i-{n}", host_name="h", **names))
        metrics = one.scope_metrics.add().metrics
        for k in range(POINTS // RESOURCES // 10):
            metric = metrics.add(name=f"app.metric.{k}", unit="s")
            if kind == "histogram":
                metric.histogram.aggregation_temporality = 2
                data = metric.histogram.data_points
            elif kind == "sum":
                metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
                data = metric.sum.data_points
            else:
                data = metric.gauge.data_points
            for route in range(10):
                attributes = pairs(http_method="GET", http_route=f"/api/{route}", http_status_code="200")
                if kind == "histogram":
                    bounds = [0.1 * b for b in range(9)]
                    data.add(count=45, sum=1.5, explicit_bounds=bounds, bucket_counts=range(10), attributes=attributes)
                else:
                    data.add(as_double=route * 1.25, attributes=attributes)
    return made


def stamp(made: ExportMetricsServiceRequest, now: int) -> bytes:
    """The request with all points at `now` ns."""
    for one in made.resource_metrics:
        for metric in one.scope_metrics[0].metrics:
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                point.time_unix_nano = now
    return made.SerializeToString()


def main() -> None:
    """Print one row in markdown for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--engine", action="store_true", help="decode only, in this process")
    options = parser.parse_args()
    print(
        "| points | encoding | data points | samples | MB | wall s | CPU s per million points | per million samples |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind, compressed in [("gauge", False), ("sum", False), ("sum", True), ("histogram", False)]:
        if options.engine and compressed:
            continue
        made, begin = request(kind), time.time_ns()
        bodies = [stamp(made, begin + n * 1_000_000_000) for n in range(-options.points // POINTS, 0)]
        if compressed:
            bodies = [gzip.compress(body, 1) for body in bodies]
        size = sum(map(len, bodies)) / 1e6
        rows = len(bodies) * (POINTS * (12 if kind == "histogram" else 1) + RESOURCES)
        wall, cpu = decode(bodies) if options.engine else send(bodies, compressed=compressed)
        points = len(bodies) * POINTS
        print(
            f"| {kind} | {'gzip' if compressed else 'identity'} | {points:,} | {rows:,} | {size:.0f} | {wall:.1f} "
            f"| {cpu * 1e6 / points:.2f} | {cpu * 1e6 / rows:.2f} |",
            flush=True,
        )


def send(bodies: list[bytes], *, compressed: bool) -> tuple[float, float]:
    """Wall and CPU seconds of a bridge that takes them."""
    headers = {"Content-Type": "application/x-protobuf"} | ({"Content-Encoding": "gzip"} if compressed else {})
    with bridge() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        cpu, begin = server.cpu(), time.monotonic()
        for body in bodies:
            connection.request("POST", "/api/v1/otlp/v1/metrics", body, headers)
            answer = connection.getresponse()
            told = answer.read()
            assert (answer.status, told) == (200, b""), (answer.status, told)
        return time.monotonic() - begin, server.cpu() - cpu


def decode(bodies: list[bytes]) -> tuple[float, float]:
    """Wall and CPU seconds of the translation alone."""
    flags = dict.fromkeys(["escape", "suffixes", "key_before_underscore", "keep_underscores"], True)
    flags |= dict.fromkeys(
        ["promote_all", "keep_identifying", "custom_buckets", "scope_metadata", "delta_to_cumulative"], False
    )
    decoder = OtlpDecoder(promote=[], **flags)
    begin, cpu = time.monotonic(), time.process_time()
    for body in bodies:
        decoder.decode(body, time.time_ns() // 1_000_000, json=False, max_label_bytes=1 << 30)
    return time.monotonic() - begin, time.process_time() - cpu


if __name__ == "__main__":
    main()
