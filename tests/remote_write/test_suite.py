"""The receiver's compliance suite (prometheus/compliance, remotewrite/receiver), ported: a real bridge, real HTTP,
protobuf's own encoder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import pytest
import snappy

from tests.bridge_process import Answer, BridgeProcess
from tests.remote_write.suite import CASES, Case, at
from tests.remote_write.writing import V1, V2, Series, now_ms, v1, v2

UP = {"__name__": "up"}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """One bridge for all cases, as the suite has one receiver."""
    with BridgeProcess(tmp_path_factory.mktemp("suite")) as process:
        yield process


TIMES = itertools.accumulate(itertools.count(), lambda last, _: max(last + 1, now_ms()), initial=0)
next(TIMES)


def moment() -> int:
    """Now, ms, but no millisecond twice: cases share series."""
    return next(TIMES)


def write(bridge: BridgeProcess, body: bytes, headers: Mapping[str, str] = V2) -> Answer:
    return bridge.request("POST", "/api/v1/write", body, dict(headers))


def written(answer: Answer) -> tuple[int, ...]:
    """What the answer says is written; a header that is missing counts as 0."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    kinds = ("samples", "histograms", "exemplars")
    return tuple(int(headers.get(f"x-prometheus-remote-write-{kind}-written", "0")) for kind in kinds)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_of_the_suite(bridge: BridgeProcess, case: Case) -> None:
    answer = write(bridge, v2(*at(case, moment())))
    assert answer.status == (204 if case.ok else 400), answer.text
    assert written(answer) == case.written, answer.text


def corrupt(body: bytes) -> bytes:
    return b"0" + body[1:]


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding"])
@pytest.mark.parametrize("number", [0, 1])
def test_bad_content_types_and_encodings(bridge: BridgeProcess, name: str, number: int) -> None:
    value = {"Content-Type": ["application/json", "image/png"], "Content-Encoding": ["gzip", "deflate"]}[name][number]
    body = corrupt(v2(Series(UP, [(moment(), 1.0)])))
    assert write(bridge, body, {**V2, name: value}).status == 415


@pytest.mark.parametrize("version", [1, 2])
def test_corrupt_request_bodies(bridge: BridgeProcess, version: int) -> None:
    """TestCorruptRequestBody, TestRW1ErrorHandling."""
    make, headers = (v1, V1) if version == 1 else (v2, V2)
    body = make(Series(UP, [(moment(), 1.0)]))
    for bad in (corrupt(body), b"\xff" + body[1:], snappy.compress(b"\xff\xff"), b""):
        assert write(bridge, bad, headers).status == 400


def test_rw1_basic_compatibility(bridge: BridgeProcess) -> None:
    rows = [
        Series({"job": "testjob", "__name__": "up", "instance": "localhost:9090"}, [(moment(), 1.0)]),
        Series({"__name__": "http_requests_total"}, [(moment(), 100.0)]),
    ]
    answer = write(bridge, v1(*rows), V1)
    assert answer.status == 204
    assert not [name for name in answer.headers if name.lower().endswith("-written")]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 204),
        ("application/x-protobuf", 204),
        ("application/x-protobuf;proto=prometheus.WriteRequest", 204),
        ("application/x-protobuf; proto=prometheus.WriteRequest; charset=utf-8", 204),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", 415),
        ("application/x-protobuf;proto=", 415),
        ("text/plain", 415),
    ],
)
def test_the_message_is_named_by_the_content_type(bridge: BridgeProcess, content_type: str | None, status: int) -> None:
    headers = {"Content-Encoding": "snappy"} | ({"Content-Type": content_type} if content_type else {})
    answer = write(bridge, v1(Series({"__name__": "typed"}, [(moment(), 1.0)])), headers)
    assert answer.status == status, answer.text


def test_no_encoding_is_snappy_and_only_posts_are_taken(bridge: BridgeProcess) -> None:
    body = v1(Series({"__name__": "plain"}, [(moment(), 1.0)]))
    assert write(bridge, body, {"Content-Type": "application/x-protobuf"}).status == 204
    assert write(bridge, body, {**V1, "Content-Encoding": "Snappy"}).status == 204
    answer = bridge.request("GET", "/api/v1/write")
    assert answer.status == 405
