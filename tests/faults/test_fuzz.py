"""Whatever comes in: no answer of 500, no end of the process, nothing that other groups show less or otherwise."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import pytest
import snappy
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge_process import BridgeProcess
from tests.faults.clients import exchange
from tests.faults.victims import TEXT, Victims
from tests.pushgw.test_protobuf import KIND, delimited, native, untyped
from tests.wire import metrics_pb2 as pb

OPENMETRICS = """\
# HELP runs Runs.
# TYPE runs counter
runs_total{l="v"} 5 # {trace_id="abc"} 1.5 1700000000.5
runs_created{l="v"} 1600000000
# TYPE build info
build_info{version="1"} 1
# TYPE mode stateset
mode{mode="on"} 1
# TYPE c histogram
c_bucket{le="1.0"} 1
c_bucket{le="+Inf"} 2
c_sum 3
c_count 2
# EOF
"""
SHARED = pb.MetricFamily(name="shared", type=pb.GAUGE, metric=[pb.Metric(gauge=pb.Gauge(value=1))])
KINDS = {
    "text/plain; version=0.0.4": TEXT.encode(),
    "application/openmetrics-text": OPENMETRICS.encode(),
    KIND: delimited(native(integer=True), SHARED, untyped("untyped", 1, l="v"), untyped("a.b", 2)),
}


def framed_snappy(data: bytes) -> bytes:
    return bytes(snappy.StreamCompressor().compress(data))


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "snappy": framed_snappy,
}
FINE = {200, 202, 400, 404, 405, 413}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("fuzz"), "push: {timestamps: accept}\n") as process:
        yield process


@pytest.fixture(scope="module")
def victims(bridge: BridgeProcess) -> Victims:
    return Victims(bridge)


@st.composite
def mutants(draw: st.DrawFn, origin: bytes) -> bytes:
    """Bytes with a few places overwritten, cut out, repeated or put in."""
    body = bytearray(origin)
    overwrite = draw(st.booleans())  # lengths that are told elsewhere stay true
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        stop = min(len(body), start + draw(st.integers(0, 12)))
        if overwrite:
            put = st.binary(min_size=stop - start, max_size=stop - start)
        else:
            put = st.sampled_from([b"", bytes(body[start:stop]) * 3]) | st.binary(max_size=12)
        body[start:stop] = draw(put)
    return bytes(body)


pieces = st.sampled_from(
    [
        b"/",
        b"//",
        b"/job/",
        b"/job@base64/",
        b"@base64/",
        b"=",
        b"..",
        b"%2F",
        b"%FF",
        b"%zz",
        b"%00",
        b"U__",
        b"__",
        b"_w",
        b"?",
        b"j",
    ]
)
paths = st.lists(pieces | st.binary(max_size=6), max_size=8).map(b"".join)
methods = st.sampled_from(["PUT", "POST", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH"])


def request(method: str, path: bytes, body: bytes, *headers: str) -> bytes:
    head = [f"Content-Length: {len(body)}", "Host: x", "Connection: close", *headers]
    return method.encode() + b" " + path + b" HTTP/1.1\r\n" + "\r\n".join([*head, "", ""]).encode() + body


def check(bridge: BridgeProcess, victims: Victims, sent: bytes) -> int:
    """The status of the one answer, which is fine."""
    (status,) = exchange(bridge.port, sent)
    assert status in FINE
    victims.check()
    return status


def check_in_passing(bridge: BridgeProcess, victims: Victims, sent: bytes) -> None:
    """Bytes that may be no request, or several: what is answered is fine."""
    assert set(exchange(bridge.port, sent, leave=True)) <= FINE
    victims.check()


@given(methods, paths)
def test_any_path(bridge: BridgeProcess, victims: Victims, method: str, path: bytes) -> None:
    check_in_passing(bridge, victims, request(method, b"/metrics" + path, b"a 1\n"))


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_instead_of_http(bridge: BridgeProcess, victims: Victims, data: bytes, begins_well: bool) -> None:
    begin = request("PUT", b"/metrics/job/x", b"") if begins_well else b""
    check_in_passing(bridge, victims, begin + data)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=300))
def test_any_body(bridge: BridgeProcess, victims: Victims, kind: str, body: bytes) -> None:
    check(bridge, victims, request("POST", b"/metrics/job/any", body, f"Content-Type: {kind}"))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_mutated_bodies(bridge: BridgeProcess, victims: Victims, kind: str, method: str) -> None:
    statuses = set()

    @given(mutants(KINDS[kind]), st.integers(0, 5), st.booleans())
    def push(body: bytes, job: int, by_series: bool) -> None:
        path = f"/metrics/job/mutant{job}" + ("?merge=series" if by_series and method == "POST" else "")
        statuses.add(check(bridge, victims, request(method, path.encode(), body, f"Content-Type: {kind}")))
        victims.check_pages()

    push()
    assert {200, 400} <= statuses, "some mutants live"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_mutated_compression(bridge: BridgeProcess, victims: Victims, encoding: str) -> None:
    @given(mutants(ENCODINGS[encoding](TEXT.encode() * 20)))
    def push(body: bytes) -> None:
        sent = request("PUT", b"/metrics/job/mutant", body, f"Content-Encoding: {encoding}")
        check(bridge, victims, sent)

    push()


@given(
    st.text(max_size=40),
    st.sampled_from(["Content-Type", "X-Push-TTL", "Content-Encoding", "Accept", "Accept-Encoding"]),
)
def test_any_header(bridge: BridgeProcess, victims: Victims, value: str, name: str) -> None:
    value = value.replace("\r", "").replace("\n", "")
    check_in_passing(bridge, victims, request("PUT", b"/metrics/job/header", b"a 1\n", f"{name}: {value}"))
    check_in_passing(bridge, victims, request("GET", b"/metrics", b"", f"{name}: {value}"))


@given(st.sampled_from([b"/metrics", b"/api/v1/metrics", b"/api/v1/status", b"/-/ready", b"/"]), st.binary(max_size=30))
def test_any_query(bridge: BridgeProcess, victims: Victims, path: bytes, query: bytes) -> None:
    check_in_passing(bridge, victims, request("GET", path + b"?name[]=" + query.replace(b" ", b"+"), b""))


def test_after_all_of_this_a_restart_finds_the_same(bridge: BridgeProcess, victims: Victims) -> None:
    others = victims.check()
    assert "Traceback" not in bridge.log()
    bridge.kill()
    bridge.start()
    assert victims.check() == others
    victims.check_pages()
    assert "Traceback" not in bridge.log()
