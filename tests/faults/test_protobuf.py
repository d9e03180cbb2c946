"""What protobuf can say and text cannot: ends of series that are none, and families of nothing."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import pytest

from tests.bridge_process import BridgeProcess
from tests.faults.watching import group_key, groups, stored
from tests.pushgw.test_protobuf import KIND, delimited, page, untyped
from tests.wire import metrics_pb2 as pb

STALE = 0x7FF0000000000002
NORMAL_NAN = 0x7FF8000000000001


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("protobuf")) as process:
        yield process


def push(bridge: BridgeProcess, body: bytes, *, job: str, method: str = "POST") -> int:
    return bridge.request(method, f"/metrics/job/{job}", body, {"Content-Type": KIND}).status


def bits(value: float) -> int:
    number: int
    (number,) = struct.unpack("<Q", struct.pack("<d", value))
    return number


def with_bits(family: pb.MetricFamily, number: int) -> bytes:
    """The family as a body, its values of 1234.5 replaced by other bits: Python would not keep those of a NaN."""
    marked = struct.pack("<d", 1234.5)
    body = delimited(family)
    assert marked in body
    return body.replace(marked, struct.pack("<Q", number))


def test_no_push_ends_a_series(bridge: BridgeProcess) -> None:
    summary = pb.Summary(sample_count=1, sample_sum=1234.5, quantile=[pb.Quantile(quantile=0.5, value=1234.5)])
    native = pb.Histogram(sample_count=1, sample_sum=1234.5, zero_count=1, zero_threshold=0.1)
    classic = pb.Histogram(sample_count=1, sample_sum=1234.5, bucket=[pb.Bucket(cumulative_count=1, upper_bound=1)])
    for family in (
        pb.MetricFamily(name="a", type=pb.GAUGE, metric=[pb.Metric(gauge=pb.Gauge(value=1234.5))]),
        pb.MetricFamily(name="s", type=pb.SUMMARY, metric=[pb.Metric(summary=summary)]),
        pb.MetricFamily(name="n", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=native)]),
        pb.MetricFamily(name="c", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=classic)]),
    ):
        assert push(bridge, with_bits(family, STALE), job="stale") == 200
    values = [value for series in stored(bridge.data, job="stale").values() for value in series]
    assert sum(map(math.isnan, values)) == 4
    assert {bits(value) for value in values if math.isnan(value)} == {NORMAL_NAN}
    shown = page(bridge)
    assert bits(shown["a"].metric[0].gauge.value) == NORMAL_NAN
    assert bits(shown["n"].metric[0].histogram.sample_sum) == NORMAL_NAN
    bridge.request("DELETE", "/metrics/job/stale")
    # What holds native histograms ends with one: only floats are listed here.
    ends = [bits(series[-1]) for series in stored(bridge.data, job="stale").values() if series]
    assert set(ends) == {STALE}, "a delete does"


def test_a_family_of_nothing_takes_the_place_of_one_and_claims_nothing(bridge: BridgeProcess) -> None:
    key = group_key(job="nothing")
    assert push(bridge, delimited(untyped("x", 1), untyped("y", 2)), job="nothing") == 200
    empty = pb.MetricFamily(name="x", type=pb.HISTOGRAM)
    merged = bridge.request("POST", "/metrics/job/nothing?merge=series", delimited(empty), {"Content-Type": KIND})
    assert merged.status == 400, "merged by series it is a change of type"
    assert push(bridge, delimited(empty), job="nothing") == 200
    assert {"x", "y"} & groups(bridge)[key].keys() == {"y"}
    assert "# TYPE x" not in bridge.request("GET", "/metrics").text
    assert bits(stored(bridge.data, name="x")[("__name__", "x"), ("job", "nothing")][-1]) == STALE
    assert bridge.request("POST", "/metrics/job/other", "# TYPE x counter\nx 1\nx_count 1\n").status == 200
    for restart in (bridge.kill, bridge.stop):
        restart()
        bridge.start()
        assert {"x", "y"} & groups(bridge)[key].keys() == {"y"}
    assert push(bridge, delimited(empty), job="nothing", method="PUT") == 200
    assert {"x", "y"} & groups(bridge)[key].keys() == set()
