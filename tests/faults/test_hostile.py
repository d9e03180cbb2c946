"""Pushes that are wrong, one by one: each is refused, and only the failure time of its own group may remember it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.bridge_process import BridgeProcess
from tests.faults.victims import Victims
from tests.faults.watching import group_key, groups, without_failure
from tests.pushgw.test_protobuf import KIND, delimited
from tests.wire import metrics_pb2 as pb

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ATTACKED = group_key(job="attacked")


@dataclass(frozen=True)
class Push:
    """A request to a path below `/metrics/job/` with the status that it deserves."""

    name: str
    body: bytes | str = "a 1\n"
    path: str = "attacked"
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


def proto(name: str, *families: pb.MetricFamily) -> Push:
    return Push(name, delimited(*families), headers={"Content-Type": KIND})


def one(kind: int, **fields: object) -> pb.MetricFamily:
    return pb.MetricFamily(name="a", type=kind, metric=[pb.Metric(**fields)])  # type: ignore[arg-type]


def spans(**fields: object) -> pb.MetricFamily:
    return one(pb.HISTOGRAM, histogram=pb.Histogram(sample_count=3, zero_threshold=0.1, **fields))  # type: ignore[arg-type]


UNREADABLE = [
    Push("odd components", path="attacked/x"),
    Push("no job", path=""),
    Push("job of bad base64", path="@base64/!!!"),
    Push("label of bad base64", path="attacked/a@base64/f.b"),
    Push("reserved label", path="attacked/__x/y"),
    Push("reserved label in disguise", path="attacked/U______x/y"),
    Push("empty label name", path="attacked//y"),
    Push("bytes that are no UTF-8", path="attacked/name/%FF"),
    Push("the same in base64", path="attacked/name@base64/_w"),
    Push("bad percent", path="attacked/name/%zz"),
    Push("bad method", method="PATCH", status=405),
    Push("bad TTL", headers={"X-Push-TTL": "never"}),
    Push("negative TTL", headers={"X-Push-TTL": "-1s"}),
    Push("bad merge", path="attacked?merge=all"),
    Push("merge with PUT", path="attacked?merge=series", method="PUT"),
    Push("garbage", "blablabla\n"),
    Push("no final line feed", "a 1"),
    Push("CRLF", "a 1\r\n"),
    Push("a value that is no number", "a x\n"),
    Push("a label twice", 'a{x="1",x="2"} 1\n'),
    Push("__name__", 'a{__name__="b"} 1\n'),
    Push("a label value that is no UTF-8", b'a{x="\xff"} 1\n'),
    Push("a second TYPE", "# TYPE a gauge\na 1\n# TYPE a gauge\n"),
    Push("good lines before a bad one", "a 1\n" * 10 + "a\n"),
    Push("an unfinished gzip", gzip.compress(b"a 1\n" * 100)[:-9], headers={"Content-Encoding": "gzip"}),
    Push("no gzip at all", headers={"Content-Encoding": "gzip"}),
    Push("no zstd at all", headers={"Content-Encoding": "zstd"}),
    Push("no snappy at all", headers={"Content-Encoding": "snappy"}),
    Push("OpenMetrics without an end", headers={"Content-Type": OPENMETRICS}),
    Push("OpenMetrics with two ends", "a 1\n# EOF\n# EOF\n", headers={"Content-Type": OPENMETRICS}),
    Push("text as protobuf", headers={"Content-Type": KIND}),
    Push("half a message", delimited(one(pb.GAUGE, gauge=pb.Gauge(value=1)))[:-4], headers={"Content-Type": KIND}),
    proto("no family name", pb.MetricFamily(name="", type=pb.GAUGE, metric=[pb.Metric(gauge=pb.Gauge(value=1))])),
    proto("no label name", one(pb.GAUGE, gauge=pb.Gauge(value=1), label=[pb.LabelPair(name="", value="x")])),
    proto(
        "no label name in an exemplar",
        one(pb.COUNTER, counter=pb.Counter(value=1, exemplar=pb.Exemplar(label=[pb.LabelPair(name="", value="x")]))),
    ),
]

INCONSISTENT = [
    Push("a timestamp", "a 1 1000\n"),
    Push("a timestamp among good ones", "b 1\na 1 1000\n"),
    Push("another type than elsewhere", "# TYPE shared counter\nshared 1\n"),
    Push("no type where there is one", "shared 1\n"),
    Push("the same series twice", "a 1\na 1\n"),
    Push("the same series by the labels of the group", 'a{job="x"} 1\na{job="y"} 1\n'),
    Push("the type of an own metric", "# TYPE process_open_fds counter\nprocess_open_fds 1\n"),
    Push("a part of a summary elsewhere", "s_count 1\n"),
    Push("a part of a histogram elsewhere", "c_bucket 1\n"),
    proto(
        "a part of its own histogram",
        one(pb.HISTOGRAM, histogram=pb.Histogram(sample_count=1)),
        pb.MetricFamily(name="a_bucket", type=pb.GAUGE, metric=[pb.Metric(gauge=pb.Gauge(value=1))]),
    ),
    Push("a reserved label in the body", 'a{__foo="x"} 1\n'),
    proto("a counter that is a gauge", one(pb.COUNTER, gauge=pb.Gauge(value=1))),
    proto("a metric without a value", one(pb.GAUGE)),
    proto(
        "a label twice", one(pb.GAUGE, gauge=pb.Gauge(value=1), label=[pb.LabelPair(name="x", value=v) for v in "ab"])
    ),
    proto("more buckets than counts", spans(positive_span=[pb.BucketSpan(length=3)], positive_delta=[1, 1])),
    proto("spans without end", spans(negative_span=[pb.BucketSpan(length=2**32 - 1)] * 3, negative_delta=[1])),
    proto("fewer buckets than counts", spans(positive_span=[pb.BucketSpan(length=1)], positive_delta=[1, 1])),
    proto("counts without spans", spans(positive_delta=[1, 1])),
    proto(
        "integers where floats count",
        spans(sample_count_float=2.5, positive_span=[pb.BucketSpan(length=1)], positive_delta=[1]),
    ),
    proto(
        "spans that overlap",
        spans(positive_span=[pb.BucketSpan(length=1), pb.BucketSpan(offset=-1, length=1)], positive_delta=[1, 1]),
    ),
    proto("a schema that nobody knows", spans(schema=9)),
]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("hostile")) as process:
        yield process


@pytest.fixture(scope="module")
def victims(bridge: BridgeProcess) -> Victims:
    return Victims(bridge)


def send(bridge: BridgeProcess, push: Push, path: str | None = None) -> None:
    slash = "" if push.path.startswith("@") else "/"
    target = f"/metrics/job{slash}{path or push.path}"
    answer = bridge.request(push.method, target, push.body, push.headers)
    assert answer.status == push.status, answer.text
    assert answer.text.strip()


@pytest.mark.parametrize("push", UNREADABLE, ids=lambda push: push.name)
def test_what_cannot_be_read_leaves_no_trace(bridge: BridgeProcess, victims: Victims, push: Push) -> None:
    send(bridge, push)
    assert victims.check() == {}, "no group is made"
    assert bridge.request("PUT", "/metrics/job/attacked", "kept 1\n").status == 200
    before = groups(bridge)
    send(bridge, push)
    assert groups(bridge) == before
    bridge.request("DELETE", "/metrics/job/attacked")


@pytest.mark.parametrize("push", INCONSISTENT, ids=lambda push: push.name)
def test_what_contradicts_leaves_the_time_of_its_failure(bridge: BridgeProcess, victims: Victims, push: Push) -> None:
    send(bridge, push)
    (new,) = victims.check().items()
    assert new[0] == ATTACKED
    assert set(new[1]) == {"labels", "last_push_successful", "push_time_seconds", "push_failure_time_seconds"}
    assert new[1]["push_time_seconds"]["metrics"][0]["value"] == "0"

    assert bridge.request("PUT", "/metrics/job/attacked", "kept 1\n").status == 200
    before = groups(bridge)[ATTACKED]
    send(bridge, push)
    after = victims.check()[ATTACKED]
    assert without_failure(after) == without_failure(before)
    assert after["last_push_successful"] is False
    victims.check_pages()
    bridge.request("DELETE", "/metrics/job/attacked")


def test_after_all_of_them_a_restart_finds_the_same(bridge: BridgeProcess, victims: Victims) -> None:
    for n, push in enumerate(INCONSISTENT):
        send(bridge, push, f"attacked{n}")
    others = victims.check()
    bridge.kill()
    bridge.start()
    assert victims.check() == others
    victims.check_pages()
