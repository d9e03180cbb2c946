"""Pushes in the protobuf format, and the page in it: the messages of client_golang and client_java."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

from tests.bridge_process import Answer, BridgeProcess
from tests.wire import metrics_pb2 as pb

KIND = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("protobuf"), "web: {enable_admin_api: true}\n") as process:
        yield process


@pytest.fixture(autouse=True)
def _empty(bridge: BridgeProcess) -> None:
    assert bridge.request("PUT", "/api/v1/admin/wipe").status == 202


def delimited(*families: pb.MetricFamily) -> bytes:
    return b"".join(_VarintBytes(f.ByteSize()) + f.SerializeToString() for f in families)


def read(body: bytes) -> dict[str, pb.MetricFamily]:
    families, at = {}, 0
    while at < len(body):
        size, at = _DecodeVarint32(body, at)
        family = pb.MetricFamily.FromString(body[at : at + size])
        families[family.name] = family
        at += size
    return families


def push(bridge: BridgeProcess, *families: pb.MetricFamily, path: str = "job/j", method: str = "POST") -> Answer:
    return bridge.request(method, f"/metrics/{path}", delimited(*families), {"Content-Type": KIND})


def page(bridge: BridgeProcess) -> dict[str, pb.MetricFamily]:
    answer = bridge.request("GET", "/metrics", headers={"Accept": KIND + ";escaping=allow-utf-8"})
    assert answer.headers["content-type"].startswith("application/vnd.google.protobuf")
    return read(answer.body)


def untyped(name: str, value: float, **labels: str) -> pb.MetricFamily:
    pairs = [pb.LabelPair(name=n, value=v) for n, v in labels.items()]
    return pb.MetricFamily(name=name, type=pb.UNTYPED, metric=[pb.Metric(label=pairs, untyped=pb.Untyped(value=value))])


def native(*, integer: bool) -> pb.MetricFamily:
    """A native histogram as in Pushgateway's own test, negative buckets included."""
    spans: dict[str, Any] = {
        "schema": 0,
        "zero_threshold": 0.001,
        "negative_span": [pb.BucketSpan(offset=0, length=2), pb.BucketSpan(offset=1, length=1)],
        "positive_span": [pb.BucketSpan(offset=-2, length=3)],
    }
    if integer:
        histogram = pb.Histogram(
            sample_count=20,
            sample_sum=99.23,
            zero_count=1,
            negative_delta=[2, -1, 3],
            positive_delta=[3, 0, -2],
            **spans,
        )
    else:
        histogram = pb.Histogram(
            sample_count_float=20.5,
            sample_sum=99.23,
            zero_count_float=1.5,
            negative_count=[2.0, -2.0, 3.5],
            positive_count=[3.0, 0.5, 1.0],
            **spans,
        )
    return pb.MetricFamily(name="h", type=pb.HISTOGRAM, help="native", metric=[pb.Metric(histogram=histogram)])


def test_h10_two_untyped_and_a_float_native_histogram(bridge: BridgeProcess) -> None:
    sent = native(integer=False)
    answer = push(bridge, untyped("some_metric", 3.14), untyped("another_metric", 42, instance="i", job="x"), sent)
    assert answer.status == 200, answer.text
    families = page(bridge)
    assert families["some_metric"].metric[0].untyped.value == 3.14
    labels = {pair.name: pair.value for pair in families["another_metric"].metric[0].label}
    assert labels == {"instance": "i", "job": "j"}
    assert families["h"].metric[0].histogram == sent.metric[0].histogram


def test_s4_post_adds_an_integer_native_histogram(bridge: BridgeProcess) -> None:
    assert push(bridge, untyped("mf3", 1)).status == 200
    sent = native(integer=True)
    assert push(bridge, sent).status == 200
    families = page(bridge)
    assert families["mf3"].metric[0].untyped.value == 1
    assert families["h"].metric[0].histogram == sent.metric[0].histogram


def test_h13_utf8_names(bridge: BridgeProcess) -> None:
    answer = push(
        bridge, untyped("some.metric", 1), untyped("another.metric", 2), path="job/j/U__dotted_2e_label_2e_name/v"
    )
    assert answer.status == 200, answer.text
    families = page(bridge)
    labels = {pair.name: pair.value for pair in families["some.metric"].metric[0].label}
    assert labels == {"dotted.label.name": "v", "instance": "", "job": "j"}
    assert families["another.metric"].metric[0].untyped.value == 2


def test_a_later_family_of_the_same_name_counts(bridge: BridgeProcess) -> None:
    assert push(bridge, untyped("a", 1), untyped("a", 2)).status == 200
    assert page(bridge)["a"].metric[0].untyped.value == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (delimited(untyped("a", 1))[:-3], "unexpected EOF"),
        (
            delimited(pb.MetricFamily(name="c", type=pb.COUNTER, metric=[pb.Metric(untyped=pb.Untyped(value=1))])),
            "is not a COUNTER",
        ),
        (delimited(untyped("", 1)), "name"),
        (delimited(untyped("m", 1, **{"": "x"})), "name"),
        (b"\xff" * 12, ""),
    ],
    ids=["truncated", "value of another kind", "no family name", "no label name", "endless length"],
)
def test_bad_messages_are_refused(bridge: BridgeProcess, body: bytes, text: str) -> None:
    answer = bridge.request("POST", "/metrics/job/j", body, {"Content-Type": KIND})
    assert (answer.status, text in answer.text) == (400, True), answer.text
    assert bridge.request("GET", "/metrics").status == 200


def test_an_empty_body_is_valid(bridge: BridgeProcess) -> None:
    assert push(bridge).status == 200


def test_text_and_protobuf_pushes_show_the_same(bridge: BridgeProcess) -> None:
    histogram = pb.Histogram(
        sample_count=5,
        sample_sum=6.5,
        bucket=[pb.Bucket(cumulative_count=2, upper_bound=1), pb.Bucket(cumulative_count=5, upper_bound=float("inf"))],
    )
    summary = pb.Summary(sample_count=3, sample_sum=1.5, quantile=[pb.Quantile(quantile=0.5, value=0.25)])
    sent = (
        pb.MetricFamily(name="h", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=histogram)]),
        pb.MetricFamily(name="s", type=pb.SUMMARY, metric=[pb.Metric(summary=summary)]),
        pb.MetricFamily(name="c_total", type=pb.COUNTER, metric=[pb.Metric(counter=pb.Counter(value=7))]),
    )
    text = (
        '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 5\nh_sum 6.5\nh_count 5\n'
        '# TYPE s summary\ns{quantile="0.5"} 0.25\ns_sum 1.5\ns_count 3\n# TYPE c_total counter\nc_total 7\n'
    )

    def shown() -> dict[str, bytes]:
        return {name: page(bridge)[name].SerializeToString() for name in ("h", "s", "c_total")}

    assert push(bridge, *sent, method="PUT").status == 200
    by_protobuf = shown()
    assert bridge.request("PUT", "/metrics/job/j", text).status == 200
    assert shown() == by_protobuf


def test_the_api_shows_native_buckets_as_pushgateway_does(bridge: BridgeProcess) -> None:
    histogram = pb.Histogram(
        sample_count=20,
        sample_sum=99.23,
        schema=1,
        negative_span=[pb.BucketSpan(offset=1, length=1)],
        negative_delta=[2],
        positive_span=[pb.BucketSpan(offset=1, length=1)],
        positive_delta=[2],
    )
    push(bridge, pb.MetricFamily(name="h", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=histogram)]))
    (group,) = json.loads(bridge.request("GET", "/api/v1/metrics").body)["data"]
    assert group["h"]["metrics"][0]["buckets"] == [
        [1, "-1.414213562373095", "-1", "2"],
        [0, "1", "1.414213562373095", "2"],
    ]
    assert group["h"]["metrics"][0]["count"] == "20"
    assert group["h"]["metrics"][0]["sum"] == "99.23"
