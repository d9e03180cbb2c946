"""Hostile requests: never an error of ours, never a part of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge_process import BridgeProcess
from tests.remote_write.writing import V1, V2, Exemplar, Metadata, Series, now_ms, v1, v2, writer

HISTOGRAM = {"count_int": 3, "sum": 1.0, "positive_spans": [(0, 2)], "positive_deltas": [1, 1]}


def rows(t: int) -> list[Series]:
    """A series of each kind of content."""
    return [
        Series({"__name__": "a", "job": "x"}, [(t, 1.0), (t + 1, 2.0)], exemplars=[Exemplar({"id": "1"}, 1.0, t)]),
        Series({"__name__": "b"}, histograms=[{**HISTOGRAM, "timestamp": t}], metadata=Metadata("counter", "Help.")),
        Series({"__name__": "c"}, [(t, 3.0)]),
    ]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("fuzz")) as process:
        yield process


def message(version: int) -> bytes:
    make = v1 if version == 1 else v2
    whole: bytes = snappy.uncompress(make(*rows(now_ms())))
    return whole


@given(
    version=st.sampled_from([1, 2]),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4),
    inside=st.booleans(),
)
def test_flipped_bytes_are_never_an_error_of_ours(
    bridge: BridgeProcess, version: int, flips: list[tuple[int, int]], *, inside: bool
) -> None:
    whole = message(version)
    body = bytearray(whole if inside else snappy.compress(whole))
    for at, flip in flips:
        body[at % len(body)] ^= flip
    sent = snappy.compress(bytes(body)) if inside else bytes(body)
    answer = bridge.request("POST", "/api/v1/write", sent, V1 if version == 1 else V2)
    assert answer.status in {204, 400, 413}, answer.text


@given(version=st.sampled_from([1, 2]), body=st.binary(max_size=200), compressed=st.booleans())
def test_any_bytes_are_never_an_error_of_ours(
    bridge: BridgeProcess, version: int, body: bytes, *, compressed: bool
) -> None:
    sent = snappy.compress(body) if compressed else body
    answer = bridge.request("POST", "/api/v1/write", sent, V1 if version == 1 else V2)
    assert answer.status in {204, 400, 413}, answer.text
    assert bridge.request("GET", "/-/healthy").status == 200


@pytest.mark.anyio
async def test_a_request_that_is_cut_anywhere_leaves_nothing_of_1_0_behind(tmp_path: Path) -> None:
    """A length that is cut refuses the request; one that is cut between series is a shorter request."""
    t = now_ms()
    whole: bytes = snappy.uncompress(v1(*rows(t)))
    async with writer(tmp_path) as edge:
        stored = 0
        for end in range(1, len(whole)):
            before = len(edge.lines)
            reply = await edge.post(snappy.compress(whole[:end]), V1)
            after = len(edge.lines)
            assert reply.status in {204, 400}
            assert reply.status == 204 or after == before
            assert after - before in {0, 1, 2}, "series are whole or not there"
            stored += after - before
        assert stored <= 3


@pytest.mark.anyio
async def test_bodies_cut_by_their_senders_leave_nothing_behind(tmp_path: Path) -> None:
    body = v1(*rows(now_ms()))
    async with writer(tmp_path) as edge:
        url = edge.session._base_url
        assert url is not None
        assert url.host is not None
        for end in (0, 1, len(body) // 2, len(body) - 1):
            _, out = await asyncio.open_connection(url.host, url.port)
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            out.write(head.encode() + body[:end])
            await out.drain()
            out.close()
            await out.wait_closed()
        assert (await edge.post(body, V1)).status == 204
        assert len(edge.lines) == 3
        assert edge.gate.used == 0
