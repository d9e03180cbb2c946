"""The cases of the receiver's compliance suite (prometheus/compliance, remotewrite/receiver) as data: what is sent, and
what an answer of 2xx must say. Times are offsets to the moment of sending, ms."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.remote_write.writing import STALE, Exemplar, Metadata, Series

__all__ = ["CASES", "Case", "at"]

Labels = Mapping[str, str]
HOUR = 3_600_000


@dataclass(frozen=True)
class Case:
    """A request; `written` are samples, histograms and exemplars. `ok`: it is to be taken whole; the suite would let a
    400 pass then too, this port does not."""

    name: str
    series: Sequence[Series]
    written: tuple[int, int, int]
    ok: bool = True


def at(case: Case, now: int) -> list[Series]:
    """The series of a case, their times moved to `now`."""

    def moved(one: Series) -> Series:
        return dataclasses.replace(
            one,
            samples=[(now + t, value) for t, value, *_ in one.samples],
            histograms=[{**fields, "timestamp": now + fields.get("timestamp", 0)} for fields in one.histograms],
            exemplars=[dataclasses.replace(exemplar, t=now + exemplar.t) for exemplar in one.exemplars],
            extra={name: now + offset for name, offset in one.extra.items()},
        )

    return [moved(one) for one in case.series]


def metric(name: str, **labels: str) -> dict[str, str]:
    """Labels, out of order as the suite sends them."""
    return {**labels, "__name__": name}


def histogram(
    total: float, *, positive: bool = False, negative: bool = False, zero: bool = False, custom: bool = False
) -> dict[str, Any]:
    """A histogram with buckets of those kinds."""
    fields: dict[str, Any] = {"count_int": 0, "sum": total}
    if positive:
        fields |= {"positive_spans": [(0, 3), (2, 2)], "positive_deltas": [1, 2, 1, 3, 1]}
        fields["count_int"] += 23
    if negative:
        fields |= {"negative_spans": [(0, 2)], "negative_deltas": [1, 1]}
        fields["count_int"] += 3
    if zero:
        fields["zero_count_int"] = 1
        fields["count_int"] += 1
    if custom:
        fields |= {"positive_spans": [(0, 6)], "positive_deltas": [2, 1, 2, 3, -1, -2], "count_int": 30}
        fields |= {"schema": -53, "custom_values": [0.1, 0.5, 1.0, 2.5, 5.0, 10.0]}
    return fields


VALUES = {"1.0": 1.0, "stale": STALE, "nan": math.nan, "inf": math.inf, "-inf": -math.inf}
UP = metric("up", job="testjob", instance="localhost:9090")


def one(labels: Labels, value: float = 1.0, **more: Any) -> Series:
    """A series with one sample."""
    return Series(labels, [(more.pop("offset", 0), value)], **more)


def single_metrics() -> Iterator[Case]:
    shapes: list[tuple[str, Labels, bool]] = [
        ("simple", metric("up"), True),
        ("many labels", UP, True),
        ("newlines", metric("up", job="test\njob\n", instance="localhost:9090"), True),
        ("dots", metric("resource.cpu.usage", **{"job.name": "testjob", "instance.name": "localhost:9090"}), True),
        ("spaces", metric("resource cpu usage", **{"job name": "testjob", "instance name": "localhost:9090"}), True),
        ("no name", {"job": "testjob", "instance": "localhost:9090"}, False),
        ("empty", {}, False),
    ]
    for number, value in VALUES.items():
        for name, labels, ok in shapes:
            yield Case(f"TestSingleMetric/{number}/{name}", [one(labels, value)], (int(ok), 0, 0), ok)
        several = [metric("up", job="testjob", instance=f"localhost:909{n}") for n in range(4)]
        unnamed = [{k: v for k, v in labels.items() if k != "__name__"} for labels in several]
        yield Case(f"TestMultipleMetrics/{number}/all", [one(labels, value) for labels in several], (4, 0, 0))
        bad = [one(labels, value) for labels in unnamed]
        yield Case(f"TestMultipleMetrics/{number}/none named", bad, (0, 0, 0), ok=False)
        mixed = [one(labels, value) for labels in [unnamed[0], *several[1:]]]
        yield Case(f"TestMultipleMetrics/{number}/one unnamed", mixed, (3, 0, 0), ok=False)
    begun = one(metric("http_requests_total", job="api"), 100.0, extra={"created_timestamp": -HOUR})
    yield Case("TestCounterWithCreatedTimestamp", [begun], (1, 0, 0))


def of_histogram(labels: Labels, fields: Mapping[str, Any], **more: Any) -> Series:
    """A series with one histogram."""
    return Series(labels, histograms=[fields], **more)


def histograms() -> Iterator[Case]:
    every = histogram(1.0, positive=True, negative=True, zero=True)
    rows: list[tuple[str, Labels, Mapping[str, Any], bool]] = [
        ("basic", metric("test_histogram"), every, True),
        ("custom_buckets", metric("test_histogram"), histogram(1.0, positive=True, custom=True), True),
        ("positive_only", metric("test_histogram", job="test"), histogram(1.0, positive=True, zero=True), True),
        ("negative_only", metric("test_histogram", instance="localhost"), histogram(1.0, negative=True), True),
        ("minimal", metric("minimal_hist"), histogram(1.0, zero=True), True),
        ("bad_count", metric("minimal_hist"), {**histogram(1.0, positive=True), "count_int": 99}, False),
    ]
    for name, labels, fields, ok in rows:
        yield Case(f"TestHistograms/{name}", [of_histogram(labels, fields)], (0, int(ok), 0), ok)
    labels = metric("request_duration_seconds", job="api")
    created = of_histogram(labels, every, extra={"created_timestamp": -HOUR // 2})
    yield Case("TestHistogramWithCreatedTimestamp", [created], (0, 1, 0))
    two = [
        of_histogram(metric("hist1", job="test"), histogram(10.5, positive=True, zero=True)),
        of_histogram(metric("hist2", job="test"), histogram(5.2, negative=True)),
    ]
    yield Case("TestMultipleHistograms", two, (0, 2, 0))
    yield Case("TestEmptyHistogram", [of_histogram(metric("empty_hist"), histogram(0.0))], (0, 1, 0))
    told = Metadata("histogram", "HTTP request duration in seconds", "seconds")
    traced = [Exemplar({"trace_id": "abc123def456", "span_id": "span789"}, 1.23, 0)]
    yield Case("TestHistogramWithMetadata", [of_histogram(labels, every, metadata=told)], (0, 1, 0))
    yield Case("TestHistogramWithExemplar", [of_histogram(labels, every, exemplars=traced)], (0, 1, 1))
    both = of_histogram(metric("response_size_bytes", service="upload"), every, metadata=told, exemplars=traced)
    yield Case("TestHistogramWithMetadataAndExemplar", [both], (0, 1, 1))
    names = ("cpu_usage_histogram", "memory_usage_histogram")
    several = [of_histogram(metric(name, instance="server1"), every, metadata=told) for name in names]
    yield Case("TestMultipleHistogramsWithMetadata", several, (0, 2, 0))
    custom = of_histogram(
        metric("custom_latency_hist", version="v2"),
        histogram(0.05, custom=True),
        exemplars=[Exemplar({"trace_id": "custom_bucket_trace", "bucket": "0.1"}, 0.05, 0)],
    )
    yield Case("TestCustomBucketsHistogramWithExemplar", [custom], (0, 1, 1))


def exemplars() -> Iterator[Case]:
    rows: list[tuple[str, Labels, Labels]] = [
        ("basic", metric("http_requests_total", job="api"), {"trace_id": "abc123def456"}),
        ("span_id", metric("request_duration_seconds", method="GET"), {"trace_id": "xyz789", "span_id": "span123"}),
        ("without trace_id", metric("cpu_usage", instance="host1"), {"user_id": "user123"}),
        ("several", metric("request_latency", service="auth"), {"trace_id": "t", "user": "a", "endpoint": "/login"}),
        ("no labels", metric("simple_counter"), {}),
        ("special", metric("test_metric_0"), {"trace_id": "trace-with-dashes_and_underscores.123"}),
        ("unicode", metric("unicode_test", region="\N{EARTH GLOBE EUROPE-AFRICA}"), {"trace_id": "unicode_测试"}),
    ]
    for name, labels, own in rows:
        yield Case(f"TestExemplars/{name}", [one(labels, exemplars=[Exemplar(own, 1.0, 0)])], (1, 0, 1))
    traced = [Exemplar({"trace_id": "abc123", "span_id": "span456"}, 250.0, 0)]
    begun = one(metric("requests_created", job="api"), extra={"created_timestamp": -2 * HOUR}, exemplars=traced)
    yield Case("TestExemplarWithCreatedTimestamp", [begun], (1, 0, 1))
    several = [
        one(metric("request_duration", method=method), exemplars=[Exemplar({"trace_id": method}, 0.1, 0)])
        for method in ("GET", "POST", "PUT")
    ]
    yield Case("TestMultipleExemplars", several, (3, 0, 3))
    times = [
        one(metric("latency_hist"), offset=offset, exemplars=[Exemplar({"trace_id": str(offset)}, 0.05, offset)])
        for offset in (-HOUR, -60_000, 0)
    ]
    yield Case("TestExemplarTimestamps", times, (3, 0, 3))
    for name, labels, ok in [
        ("no name", {"job": "test"}, False),
        ("empty name", {"__name__": ""}, False),
        ("valid", metric("valid_metric"), True),
    ]:
        row = one(labels, exemplars=[Exemplar({"trace_id": "test_trace"}, 1.0, 0)])
        yield Case(f"TestExemplarValidation/{name}", [row], (int(ok), 0, int(ok)), ok)
        told = one({**labels, "for": "metadata"} if ok else labels, metadata=Metadata("counter", "Test help", "unit"))
        yield Case(f"TestMetadataValidation/{name}", [told], (int(ok), 0, 0), ok)
    for value in (0.0, -123.456, 1e10, 1e-10, math.nan, math.inf, -math.inf):
        row = one(metric("test_metric"), value, exemplars=[Exemplar({"trace_id": "special"}, value, 0)])
        yield Case(f"TestExemplarSpecialValues/{value}", [row], (1, 0, 1))


def metadata() -> Iterator[Case]:
    rows = [
        ("counter", "http_requests_total", Metadata("counter", "Total number of HTTP requests", "requests")),
        ("gauge", "cpu_usage_percent", Metadata("gauge", "Current CPU usage percentage", "percent")),
        ("histogram", "request_seconds", Metadata("histogram", "Request duration in seconds", "seconds")),
        ("no help or unit", "simple_counter_2", Metadata("counter")),
        ("special", "test_metric_2", Metadata("gauge", 'Test metric with\nnewlines and "quotes"', "bytes/sec")),
        ("unspecified", "unknown_metric", Metadata("unspecified", "Unknown metric type")),
        ("info", "build_info", Metadata("info", "Build information")),
        ("stateset", "node_state", Metadata("stateset", "Node state information")),
        ("summary", "request_latency_summary", Metadata("summary", "Request latency summary", "seconds")),
        ("gauge_histogram", "temperature_histogram", Metadata("gaugehistogram", "Temperature", "celsius")),
    ]
    every = histogram(1.0, positive=True, negative=True, zero=True)
    for name, of, told in rows:
        is_histogram = told.kind == "histogram"
        row = of_histogram(metric(of), every, metadata=told) if is_histogram else one(metric(of), metadata=told)
        yield Case(f"TestMetadata/{name}", [row], (0, 1, 0) if is_histogram else (1, 0, 0))
    counter = Metadata("counter", "Total HTTP requests", "requests")
    begun = one(metric("http_requests", job="api"), metadata=counter, extra={"created_timestamp": -HOUR})
    yield Case("TestCounterMetadataWithCreatedTimestamp", [begun], (1, 0, 0))
    yield Case("TestMetadataWithSamples", [one(metric("http_requests", job="t"), metadata=counter)], (1, 0, 0))
    usage = [one(metric(f"{what}_usage"), metadata=Metadata("gauge", what, "bytes")) for what in ("cpu", "mem", "disk")]
    yield Case("TestMultipleMetadata", usage, (3, 0, 0))
    labels = metric("http_seconds", job="api-server", method="GET", status="200", endpoint="/api/v1/users")
    row = of_histogram(labels, every, metadata=Metadata("histogram", "HTTP request duration", "seconds"))
    yield Case("TestMetadataWithComplexLabels", [row], (0, 1, 0))


def combined() -> Iterator[Case]:
    every = histogram(0.456, positive=True, negative=True, zero=True)
    counter = Metadata("counter", "Total number of HTTP requests", "requests")
    traced = [Exemplar({"trace_id": "request_trace_123", "user_id": "user789"}, 1.0, 0)]
    sample = one(metric("requests_total", job="api", method="POST"), metadata=counter, exemplars=traced)
    yield Case("TestSamplesWithMetadataAndExemplars", [sample], (1, 0, 1))
    of = of_histogram(metric("auth_seconds", service="auth"), every, metadata=counter, exemplars=traced)
    yield Case("TestHistogramsWithMetadataAndExemplars", [of], (0, 1, 1))
    plain = one(metric("memory_usage", instance="server1"), 8589934592.0, metadata=Metadata("gauge", "Memory", "bytes"))
    yield Case("TestComplexSamplesRequest", [one(metric("cpu", i="1"), exemplars=traced), plain], (2, 0, 1))
    second = of_histogram(metric("request_size_hist", method="POST"), every)
    first = of_histogram(metric("response_time_hist", endpoint="/u"), every, exemplars=traced)
    yield Case("TestComplexHistogramsRequest", [first, second], (0, 2, 1))
    families = [one(metric("family_total", status="200"), exemplars=traced), one(metric("temperature_celsius"), 23.5)]
    yield Case("TestMultipleMetricFamiliesSamples", families, (2, 0, 1))
    handler = of_histogram(metric("handler_seconds", handler="/metrics"), every, exemplars=traced)
    yield Case("TestMultipleMetricFamiliesHistograms", [handler], (0, 1, 1))
    many = [
        one(
            metric(f"counter_metric_{n}", series=f"series_{n}"),
            n * 100.0,
            metadata=Metadata("counter", f"Counter metric number {n}", "count"),
            exemplars=[Exemplar({"trace_id": f"trace_{n}"}, n * 100.0, 0)],
        )
        for n in range(50)
    ]
    yield Case("TestManySamples", many, (50, 0, 50))
    shapes = [histogram(n / 10, positive=True, negative=n % 2 == 0, zero=True) for n in range(50)]
    traces = [[Exemplar({"trace_id": f"trace_{n}"}, n / 10, 0)] for n in range(50)]
    buckets = [
        of_histogram(metric(f"histogram_metric_{n}", bucket=f"bucket_{n}"), shapes[n], exemplars=traces[n])
        for n in range(50)
    ]
    yield Case("TestManyHistograms", buckets, (0, 50, 50))
    odd = one(
        metric("odd", job="test-job_with.special@chars", environment="test\N{ROCKET}"),
        metadata=Metadata("gauge", 'Special characters: äöü, newlines\nand "quotes"', "special/units"),
        exemplars=[
            Exemplar({"trace_id": "special_trace_äöü-123", "span_id": "span_with.dots-and_underscores"}, 42.0, 0)
        ],
    )
    yield Case("TestSpecialCharactersCombined", [odd], (1, 0, 1))
    orphan = Series(metric("orphan_metric"), metadata=Metadata("counter", "Orphaned metric metadata", "count"))
    yield Case("TestEdgeCaseCombinations/metadata_without_data", [orphan], (0, 0, 0), ok=False)
    trace = Series(metric("orphan_metric"), exemplars=[Exemplar({"trace_id": "orphan_trace"}, 42.0, 0)])
    yield Case("TestEdgeCaseCombinations/exemplars_without_data", [trace], (0, 0, 0), ok=False)
    old = Exemplar({"trace_id": "old_trace"}, 1.0, -HOUR // 2)
    mixed = [one(metric("old_metric"), offset=-HOUR + 60_000, exemplars=[old]), one(metric("new_metric"), 2.0)]
    yield Case("TestEdgeCaseCombinations/mixed_timestamp_data", mixed, (2, 0, 1))


CASES = [*single_metrics(), *histograms(), *exemplars(), *metadata(), *combined()]
