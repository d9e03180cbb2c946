"""Bodies that are too much: refused with the limit's name, in bounded memory, without a trace."""

from __future__ import annotations

import gzip
import select
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import snappy
import zstandard
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

from tests.bridge_process import BridgeProcess
from tests.faults.clients import Upload
from tests.faults.watching import Memory, group_key, groups, metric
from tests.pushgw.test_protobuf import KIND as PROTOBUF

MIB = 1 << 20
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CONFIG = """
web: {enable_admin_api: true}
push: {max_body: 2MiB, max_decompressed: 4MiB, max_groups: 3, max_series: 1000}
"""


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("limits"), CONFIG) as process:
        yield process


@pytest.fixture(autouse=True)
def _no_trace(bridge: BridgeProcess) -> Iterator[None]:
    """Nothing that a test leaves behind is new, and nothing is held."""
    assert bridge.request("PUT", "/api/v1/admin/wipe").status == 202
    assert bridge.request("PUT", "/metrics/job/there", "a 1\n").status == 200
    before = groups(bridge)
    yield
    assert groups(bridge) == before
    assert metric(bridge, "pushbridge_push_inflight_bytes") == 0


def test_a_length_that_is_too_much_is_refused_before_the_body_comes(bridge: BridgeProcess) -> None:
    with Upload(bridge.port, "/metrics/job/big", length=10**12) as upload:
        answer = upload.answer()
    assert (answer.status, str(2 * MIB) in answer.text) == (413, True)


def test_a_chunked_body_is_refused_where_it_passes_the_limit(bridge: BridgeProcess) -> None:
    memory = Memory(bridge.pid)
    before = memory.forget_peak()
    with Upload(bridge.port, "/metrics/job/big") as upload:
        sent = 0
        while not select.select([upload.connection], [], [], 0)[0]:
            upload.send(b"# " + b"x" * 65_533 + b"\n")
            sent += 65_536
            assert sent < 64 * MIB, "nobody says that it is too much"
        answer = upload.answer()
    assert sent > 2 * MIB
    assert (answer.status, str(2 * MIB) in answer.text) == (413, True)
    assert memory.peak() - before < 16 * MIB


def bomb_of_snappy(size: int) -> bytes:
    return bytes(snappy.StreamCompressor().compress(bytes(size)))


@pytest.mark.parametrize(
    ("encoding", "compress", "size"),
    [("gzip", gzip.compress, 256 * MIB), ("zstd", zstandard.compress, 256 * MIB), ("snappy", bomb_of_snappy, 32 * MIB)],
)
def test_bombs(bridge: BridgeProcess, encoding: str, compress: Callable[[bytes], bytes], size: int) -> None:
    bomb = compress(bytes(size))
    assert len(bomb) < 2 * MIB

    def throw(_: int) -> tuple[int, bool]:
        answer = bridge.request("PUT", "/metrics/job/bomb", bomb, {"Content-Encoding": encoding})
        return answer.status, f"{4 * MIB} bytes after decompression" in answer.text

    memory = Memory(bridge.pid)
    before = memory.forget_peak()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(throw, range(16))) == [(413, True)] * 16
    assert memory.peak() - before < 64 * MIB


def varint(number: int) -> bytes:
    return bytes(_VarintBytes(number))


def nested(field: int, content: bytes) -> bytes:
    """A protobuf field that is a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def family(content: bytes) -> bytes:
    """A delimited MetricFamily called `a`."""
    message = nested(1, b"a") + content
    return varint(len(message)) + message


def repeated(line: bytes) -> bytes:
    return line * ((4 * MIB - 100) // len(line))


CROWDS = {
    "text metrics": ("text/plain", repeated(b"a 1\n")),
    "text buckets": ("text/plain", b"# TYPE a histogram\n" + repeated(b'a_bucket{le="1"} 1\n')),
    "text quantiles": ("text/plain", b"# TYPE a summary\n" + repeated(b'a{quantile="1"} 1\n')),
    "OpenMetrics metrics": (OPENMETRICS, b"".join(b"m%x 1\n" % n for n in range(400_000))),
    "OpenMetrics buckets": (
        OPENMETRICS,
        b"# TYPE a histogram\n" + b"".join(b'a_bucket{le="%d"} 1\n' % n for n in range(150_000)),
    ),
    "empty metrics": (PROTOBUF, family(repeated(nested(4, b"")))),
    "empty families": (PROTOBUF, b"".join(b"\x08\x0a\x06%06x" % n for n in range(400_000))),
    "empty buckets": (PROTOBUF, family(b"\x18\x04" + nested(4, nested(7, repeated(nested(3, b"")))))),
    "empty quantiles": (PROTOBUF, family(b"\x18\x02" + nested(4, nested(4, repeated(nested(3, b"")))))),
}


@pytest.mark.parametrize("name", CROWDS)
def test_more_metrics_than_all_series_may_be(bridge: BridgeProcess, name: str) -> None:
    kind, body = CROWDS[name]
    assert len(body) < 4 * MIB
    memory = Memory(bridge.pid)
    before = memory.forget_peak()
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    answer = bridge.request("PUT", "/metrics/job/crowd", gzip.compress(body, 1), headers)
    assert (answer.status, "1000 series" in answer.text, "push.max_series" in answer.text) == (429, True, True), answer
    assert memory.peak() - before < 24 * MIB, "of a body of 4 MiB"


def test_groups_and_series_in_all(bridge: BridgeProcess) -> None:
    for job in ("one", "two"):
        assert bridge.request("PUT", f"/metrics/job/{job}", "a 1\n").status == 200
    before = groups(bridge)
    answer = bridge.request("PUT", "/metrics/job/three", "a 1\n")
    assert (answer.status, "3 groups" in answer.text, "push.max_groups" in answer.text) == (429, True, True)
    many = "".join(f'b{{n="{n}"}} 1\n' for n in range(995))
    answer = bridge.request("POST", "/metrics/job/two", many)
    assert (answer.status, "1000 series" in answer.text) == (429, True), answer.text
    assert groups(bridge) == before
    assert bridge.request("POST", "/metrics/job/two", "a 2\n").status == 200, "those that are there go on"
    assert bridge.request("DELETE", "/metrics/job/one").status == 202
    assert bridge.request("PUT", "/metrics/job/three", "a 1\n").status == 200, "there is room again"
    assert group_key(job="three") in groups(bridge)
    for job in ("two", "three"):
        bridge.request("DELETE", f"/metrics/job/{job}")
