"""Bounds of the write route: bodies, samples, series, labels, memory; and what is taken all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import snappy

from bridge.config import Size
from tests.buffer.told_clock import ToldClock
from tests.remote_write.writing import V1, V2, Exemplar, Series, Writer, now_ms, v1, writer

pytestmark = pytest.mark.anyio


def rows(names: str, t: int) -> list[Series]:
    return [Series({"__name__": name}, [(t, 1.0)]) for name in names]


def names(edge: Writer) -> set[str]:
    return {line.split('"')[1] for line in edge.lines}


async def test_bodies_are_bounded_as_sent_and_decompressed(tmp_path: Path) -> None:
    async with writer(tmp_path, max_body=Size("1KiB"), max_decompressed=Size("2KiB")) as edge:
        reply = await edge.post(b"x" * 1025, V1)
        assert (reply.status, reply.text) == (413, "request body larger than 1024 bytes\n")
        reply = await edge.post(snappy.compress(b"\0" * 3000), V1)
        assert (reply.status, reply.text) == (413, "request body larger than 2048 bytes after decompression\n")
        assert edge.count("refused_requests_total", reason="too_large") == 2


async def test_a_length_that_no_block_can_have_costs_nothing(tmp_path: Path) -> None:
    async with writer(tmp_path) as edge:
        reply = await edge.post(b"\x80\x80\x80\x08" + b"x" * 20, V1)  # 16 MiB out of 20 bytes
        assert (reply.status, reply.text) == (400, "snappy: corrupt input\n")


@pytest.mark.parametrize("version", [1, 2])
async def test_samples_of_a_request_are_bounded(tmp_path: Path, version: int) -> None:
    now = now_ms()
    async with writer(tmp_path, max_samples=10) as edge:
        write = edge.write if version == 1 else edge.write2
        assert (await write(*rows("abcdefghij", now))).status == 204
        reply = await write(Series({"__name__": "a"}, [(now + n, 1.0) for n in range(1, 12)]))
        assert (reply.status, reply.text) == (413, "more than 10 samples in one request; send fewer at a time\n")
        assert (await write(*rows("abcdefghijk", now + 1))).status == 413
        traces = [Exemplar({}, 1.0, now + n) for n in range(11)]
        assert (await write(Series({"__name__": "a"}, [(now + 1, 1.0)], exemplars=traces))).status == 413
        assert len(edge.lines) == 10


@pytest.mark.parametrize("version", [1, 2])
async def test_series_that_break_a_limit_are_left_out_and_told_of(tmp_path: Path, version: int) -> None:
    now = now_ms()
    async with writer(tmp_path, max_labels=3, max_label_name=Size(10), max_label_value=Size(20)) as edge:
        write = edge.write if version == 1 else edge.write2
        for labels, reason, text in [
            (dict.fromkeys("abc", "1"), "max_labels", "4 labels, 3 allowed: {__name__="),
            ({"n" * 11: "1"}, "max_label_name", 'label "nnnnnnnnnnn" has a name of 11 bytes, 10 allowed'),
            ({"job": "v" * 21}, "max_label_value", 'label "job" has a value of 21 bytes, 20 allowed'),
        ]:
            now += 1
            reply = await write(Series({"__name__": "bad", **labels}, [(now, 1.0)]), *rows("a", now))
            assert reply.status == 400
            assert reply.text.startswith(text)
            assert edge.count("left_out_total", reason=reason) == 1
        assert names(edge) == {"a"}
        assert (await write(Series({"__name__": "bad", "a": "1", "b": "1", "c": ""}, [(now, 1.0)]))).status == 204


@pytest.mark.parametrize("version", [1, 2])
async def test_samples_of_series_beyond_the_limit_are_left_out(tmp_path: Path, version: int) -> None:
    now = now_ms()
    async with writer(tmp_path, max_series=3) as edge:
        write = edge.write if version == 1 else edge.write2
        assert (await write(*rows("abc", now))).status == 204
        reply = await write(*rows("xbyc", now + 1))
        assert reply.status == 400
        assert reply.text == 'too many series: {__name__="x"} is new\ntoo many series: {__name__="y"} is new\n'
        assert reply.written == (None if version == 1 else (2, 0, 0))
        assert names(edge) == set("abc")
        assert len(edge.lines) == 5
        assert edge.count("left_out_total", reason="too_many_series") == 2


async def test_new_series_of_a_minute_are_bounded_and_may_come_later(tmp_path: Path) -> None:
    clock = ToldClock(now_ms())
    async with writer(tmp_path, clock=clock, max_new_series_per_minute=3) as edge:
        now = clock.now_ms()
        assert (await edge.write(*rows("ab", now))).status == 204
        request = rows("abcde", now + 1)
        reply = await edge.write(*request)
        assert reply.status == 429
        assert 0 < int(reply.headers["Retry-After"]) <= 60
        assert names(edge) == set("abc")
        clock.now += 61_000
        assert (await edge.write(*request)).status == 204, "what is there already is taken again"
        assert names(edge) == set("abcde")
        assert len(edge.lines) == 7


async def test_requests_in_flight_are_bounded(tmp_path: Path) -> None:
    """Somebody's large body is on its way: others are asked to come again."""
    body = v1(Series({"__name__": "a", "pad": "x" * 5000}, [(now_ms(), 1.0)]))
    async with writer(tmp_path, max_inflight_bytes=Size("2KiB")) as edge:
        first, rest = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield body[:200]
            first.set()
            await rest.wait()
            yield body[200:]

        slow = asyncio.create_task(edge.session.post("/", data=slowly(), headers=V1))
        await first.wait()
        while not edge.gate.used:
            await asyncio.sleep(0)
        reply = await edge.post(body, V1)
        assert reply.status == 503
        assert reply.headers["Retry-After"] == "1"
        rest.set()
        async with await slow as answer:
            assert answer.status == 204
        assert edge.gate.used == 0
        assert (await edge.post(body, V1)).status == 204


async def test_an_empty_gate_takes_any_one_request(tmp_path: Path) -> None:
    async with writer(tmp_path, max_inflight_bytes=Size("1KiB")) as edge:
        large = Series({"__name__": "a", "pad": "x" * 5000}, [(now_ms(), 1.0)])
        assert (await edge.write(large)).status == 204
        assert (await edge.post(b"", V2)).status == 400
