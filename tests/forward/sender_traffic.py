"""What a real bridge sends to a receiver of the jobs that were pushed to it, for tests to look at."""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import served
from tests.faults.sinks import drained
from tests.forward.fake_receiver import FakeReceiver, Labels, Row
from tests.pushgw.test_protobuf import KIND, delimited, native
from tests.wire import metrics_pb2 as pb

__all__ = ["LONG", "STALE", "Traffic", "receiver_thread", "traffic"]

LONG = "v" * 10_240
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

PAGE = """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",method="get"} 1027
requests_total{code="500",method="get"} 3
# HELP temperature A gauge\\nin two lines, with "quotes" and \\\\ backslashes.
# TYPE temperature gauge
temperature{place="in"} -3.25
# TYPE quiet gauge
quiet 0
# HELP latency A summary.
# TYPE latency summary
latency{quantile="0.5"} 0.1
latency_sum 17.5
latency_count 40
# HELP size A classic histogram.
# TYPE size histogram
size_bucket{le="1"} 2
size_bucket{le="+Inf"} 5
size_sum 9.5
size_count 5
value{is="float"} 3.1415926535897931
value{is="integer"} 42
value{is="zero"} 0
value{is="negative"} -7
value{is="+inf"} +Inf
value{is="-inf"} -Inf
value{is="nan"} NaN
value{is="large"} 1.7976931348623157e308
value{is="small"} 5e-324
value{is="scientific"} 1.5e-7
value{is="precise"} 0.30000000000000004
labels{empty="",utf8="żółć→🚀",special="a\\"b\\\\c\\nd,e=f{g}"} 1
job:rule:sum 5
""" + (
    f'labels{{a_{"n" * 1000}="1"}} 1\n'
    f'labels{{long="{LONG}"}} 1\n'
    "labels{"
    + ",".join(f'l{n:02}="{n}"' for n in range(40))
    + "} 1\n"
    + f"m{'n' * 1000} 1\n"
    + "".join(f'many{{n="{n}"}} {n}\n' for n in range(3000))
)


def exemplified() -> pb.MetricFamily:
    """A counter and a classic histogram with exemplars."""

    def exemplar(value: float, **labels: str) -> pb.Exemplar:
        one = pb.Exemplar(label=[pb.LabelPair(name=n, value=v) for n, v in labels.items()], value=value)
        one.timestamp.seconds = 1_700_000_000
        return one

    bucket = pb.Bucket(cumulative_count=2, upper_bound=1, exemplar=exemplar(0.5, trace_id="abc", span_id="def"))
    other = pb.Bucket(cumulative_count=3, upper_bound=2, exemplar=exemplar(1.5, user="me"))
    histogram = pb.Histogram(sample_count=3, sample_sum=2.5, bucket=[bucket, other])
    return pb.MetricFamily(
        name="traced", help="With exemplars.", type=pb.HISTOGRAM, metric=[pb.Metric(histogram=histogram)]
    )


@dataclass
class Traffic:
    """A receiver and what it got."""

    receiver: FakeReceiver
    log: str

    @property
    def rows(self) -> list[Row]:
        """All samples in the order in which they came."""
        return [row for write in self.receiver.writes for row in write.rows]

    def series(self, name: str, **labels: str) -> list[Row]:
        """Samples of the series of that name with these labels among others."""
        wanted = {("__name__", name), *labels.items()}
        return [row for row in self.rows if wanted <= set(row.labels)]

    def value(self, name: str, **labels: str) -> Any:
        """Of the first sample."""
        return self.series(name, **labels)[0].value

    @property
    def label_sets(self) -> set[Labels]:
        """All that there are."""
        return {row.labels for row in self.rows}

    @property
    def histograms(self) -> list[Any]:
        """Native histograms."""
        return [row.value for row in self.rows if not isinstance(row.value, float)]

    @property
    def exemplars(self) -> list[tuple[Labels, Labels, float, int]]:
        """(series, own labels, value, ms)."""
        return [exemplar for write in self.receiver.writes for exemplar in write.exemplars]

    def metadata(self, name: str) -> tuple[int, str, str] | None:
        """(type, help, unit) as it goes with the first series of that name that has some."""
        for write in self.receiver.writes:
            for labels, told in write.metadata.items():
                if dict(labels)["__name__"] == name:
                    return told
        return None


@contextlib.contextmanager
def receiver_thread(receiver: FakeReceiver) -> Iterator[str]:
    """A receiver in a thread of its own, that outlives bridges; the address of its route."""
    with served(receiver) as url:
        yield f"{url}/api/v1/write"


@contextlib.contextmanager
def traffic(folder: Path, message: str) -> Iterator[Traffic]:
    """All kinds of metrics, pushed twice and then deleted, as a receiver gets them."""
    receiver = FakeReceiver()
    with receiver_thread(receiver) as url:
        config = (
            "remote_write:\n"
            f"- {{name: s, url: '{url}', protobuf_message: {message}, send_exemplars: true,\n"
            "   send_native_histograms: true, metadata_config: {send_interval: 1s}}\n"
        )
        with BridgeProcess(folder, config) as bridge:
            for _ in range(2):
                path = "/metrics/job/j/instance/i"
                assert bridge.request("PUT", path, PAGE).status == 200
                families = delimited(native(integer=True), exemplified())
                assert bridge.request("POST", "/metrics/job/k", families, {"Content-Type": KIND}).status == 200
            assert bridge.request("DELETE", "/metrics/job/k").status == 202
            drained(bridge)
            if message == "prometheus.WriteRequest":
                wait_until("metadata comes by itself", lambda: is_told(receiver, "requests_total"))
            yield Traffic(receiver, bridge.log())


def is_told(receiver: FakeReceiver, name: str) -> bool:
    """Whether a message of metadata has said something of `name`."""
    return any(one.metric_family_name == name for message in receiver.metadata for one in message)


def same(a: Any, b: float) -> bool:
    """NaN too is equal to itself."""
    return bool(a == b or (math.isnan(a) and math.isnan(b)))
