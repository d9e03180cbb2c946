"""Remote read: what is asked for is what comes, as samples and as chunks, and a bad request is refused in words."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import anyio
import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from bridge.native import Batch, OtlpDecoder, ReadRequestError, read_request
from bridge.remote_write import ReadLimits
from tests.edge.serving import Wire, until
from tests.remote_write.prompb import ReadRequest
from tests.remote_write.reading import CHUNKS, Matchers, Reader, frames, reader, request
from tests.remote_write.xor import xor_samples

pytestmark = pytest.mark.anyio

T = 1_700_000_000_000
ALL: Matchers = [("__name__", "=~", ".+")]


async def fill(reader: Reader, series: int = 3, samples: int = 300) -> dict[str, list[tuple[int, float]]]:
    """Store series `m{n="<i>"}` with samples each second, and say what is stored, by `n`."""
    wanted = {str(n): [(T + 1000 * k, n + k / 8) for k in range(samples)] for n in range(series)}
    rows = [({"__name__": "m", "n": n}, t, value) for n, found in wanted.items() for t, value in found]
    await reader.store.append(Batch.from_rows(rows, T))
    return wanted


def label(message: object, name: str) -> str | None:
    """The value of a label of a series in an answer."""
    found = [label.value for label in message.labels if label.name == name]  # type: ignore[attr-defined]
    return found[0] if found else None


async def test_samples_are_those_asked_for(tmp_path: Path) -> None:
    async with reader(tmp_path) as r:
        wanted = await fill(r)
        whole, part = await r.samples((T, T + 10**7, ALL), (T + 5000, T + 7000, [("n", "!=", "1")]))
        found = {label(one, "n"): [(s.timestamp, s.value) for s in one.samples] for one in whole.timeseries}
        assert found == wanted
        found = {label(one, "n"): [(s.timestamp, s.value) for s in one.samples] for one in part.timeseries}
        assert found == {n: wanted[n][5:8] for n in ("0", "2")}
        assert r.registry.get_sample_value("pushbridge_remote_read_requests_total", {"type": "samples", "code": "200"})


async def test_chunks_are_those_that_are_stored_a_series_a_frame(tmp_path: Path) -> None:
    async with reader(tmp_path) as r:
        wanted = await fill(r)
        messages = await r.chunks((T, T + 10**7, ALL), (T, T, [("n", "=", "1")]))
        assert [message.query_index for message in messages] == [0, 0, 0, 1]
        assert all(len(message.chunked_series) == 1 for message in messages)
        for message, n in zip(messages[:3], "012", strict=True):
            (series,) = message.chunked_series
            assert [(one.name, one.value) for one in series.labels] == [("__name__", "m"), ("n", n)]
            assert len(series.chunks) == 3
            found = [sample for chunk in series.chunks for sample in xor_samples(chunk.data)]
            assert found == wanted[n]
            for chunk in series.chunks:
                times = [t for t, _ in xor_samples(chunk.data)]
                assert (chunk.type, chunk.min_time_ms, chunk.max_time_ms) == (1, times[0], times[-1])


async def test_native_histograms(tmp_path: Path) -> None:
    point = {"timeUnixNano": (T + 5) * 1_000_000, "count": 11, "sum": 40.5}
    sides = {"positive": {"offset": -2, "bucketCounts": [1, 2]}, "negative": {"offset": 7, "bucketCounts": [5]}}
    exponential = {"scale": 3, "zeroCount": 3, "zeroThreshold": 0.5, **sides}
    custom = {"bucketCounts": [0, 11], "explicitBounds": [2.5]}
    metrics = [
        {"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{**point, **exponential}]}},
        {"name": "x", "histogram": {"aggregationTemporality": 2, "dataPoints": [{**point, **custom}]}},
    ]
    otlp = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    flags = dict.fromkeys(["escape", "suffixes", "custom_buckets"], True)
    flags |= dict.fromkeys(["promote_all", "keep_identifying", "scope_metadata", "delta_to_cumulative"], False)
    decoder = OtlpDecoder(promote=[], key_before_underscore=True, keep_underscores=True, **flags)
    batch, *_ = decoder.decode(json.dumps(otlp).encode(), T, json=True, max_label_bytes=1000)
    async with reader(tmp_path) as r:
        await r.store.append(batch)
        (result,) = await r.samples((T, T + 10, ALL))
        (one,), (other,) = (series.histograms for series in result.timeseries)
        assert (one.count_int, one.sum, one.schema, one.zero_threshold, one.zero_count_int) == (11, 40.5, 3, 0.5, 3)
        assert [(span.offset, span.length) for span in one.positive_spans] == [(-1, 2)]
        assert (list(one.positive_deltas), list(one.negative_deltas), one.timestamp) == ([1, 1], [5], T + 5)
        assert (other.schema, list(other.custom_values), list(other.positive_deltas)) == (-53, [2.5], [11])
        assert [
            chunk.type for message in await r.chunks((T, T + 10, ALL)) for chunk in message.chunked_series[0].chunks
        ] == [2, 2]


async def test_pushed_values_stand_until_the_next_one(tmp_path: Path) -> None:
    async with reader(tmp_path) as r:
        rows = [({"__name__": "p"}, T, 1.0), ({"__name__": "p"}, T + 25_000, 2.0)]
        await r.store.append(Batch.from_rows(rows, T, held=True))
        await r.store.tick(T + 10_000)
        wanted = [(T, 1.0), (T + 10_000, 1.0), (T + 25_000, 2.0)]
        (result,) = await r.samples((T, T + 30_000, ALL))
        assert [(s.timestamp, s.value) for s in result.timeseries[0].samples] == wanted
        (message,) = await r.chunks((T, T + 30_000, ALL))
        assert xor_samples(message.chunked_series[0].chunks[0].data) == wanted


async def test_a_long_series_is_split_at_a_mebibyte(tmp_path: Path) -> None:
    async with reader(tmp_path) as r:
        # Values whose bits have nothing in common, so that a chunk of 120 samples has about 1 KB.
        noise = (
            struct.unpack("<d", struct.pack("<Q", (k * 0x9E3779B97F4A7C15) & 0x3FFFFFFFFFFFFFFF))[0]
            for k in range(200_000)
        )
        rows = [({"__name__": "m", "n": "long"}, T + 1000 * k, value) for k, value in enumerate(noise)]
        await r.store.append(Batch.from_rows([*rows, ({"__name__": "m", "n": "short"}, T, 1.0)], T))
        status, _, body = await r.ask(request((T, T + 10**9, ALL), accepted=[CHUNKS]))
        assert status == 200
        found = list(frames(body, check=False))
        assert [label(message.chunked_series[0], "n") for _, message in found] == ["long", "long", "short"]
        assert 1 << 20 < found[0][0] < (1 << 20) + 4096
        chunks = [chunk for _, message in found[:2] for chunk in message.chunked_series[0].chunks]
        assert [s for chunk in chunks for s in xor_samples(chunk.data)] == [(t, v) for _, t, v in rows]


async def test_external_labels_are_added_and_not_asked_of_the_store(tmp_path: Path) -> None:
    async with reader(tmp_path, external={"region": "eu", "n": "other", "a": "1"}) as r:
        await fill(r, series=2, samples=1)
        (result,) = await r.samples((T, T, [("region", "=", "eu"), ("__name__", "=", "m")]))
        assert [[(one.name, one.value) for one in series.labels] for series in result.timeseries] == [
            [("__name__", "m"), ("a", "1"), ("n", n), ("region", "eu")] for n in "01"
        ]
        (chunked, _) = await r.chunks((T, T, [("region", "=", "eu")]))
        assert label(chunked.chunked_series[0], "region") == "eu"
        (result,) = await r.samples((T, T, [("region", "=", "us")]))
        assert not result.timeseries
        r.route.configure({"region": "us"})
        (result,) = await r.samples((T, T, [("region", "=", "us")]))
        assert [label(series, "region") for series in result.timeseries] == ["us", "us"]


@pytest.mark.parametrize(
    ("accepted", "kind"),
    [([], "application/x-protobuf"), ([0, 1], "application/x-protobuf"), ([9, 1, 0], "application/x-streamed")],
)
async def test_the_first_type_that_there_is_wins(tmp_path: Path, accepted: list[int], kind: str) -> None:
    async with reader(tmp_path) as r:
        status, headers, _ = await r.ask(request((0, 1, ALL), accepted=accepted))
        assert status == 200
        assert headers["Content-Type"].startswith(kind)


async def test_nothing_found_is_an_answer_too(tmp_path: Path) -> None:
    async with reader(tmp_path) as r:
        assert [list(result.timeseries) for result in await r.samples((0, 1, ALL), (0, 1, ALL))] == [[], []]
        assert await r.samples() == []
        assert await r.chunks((0, 1, ALL)) == []


REFUSED = [
    (b"not snappy", {}, 400, "snappy: corrupt input"),
    (b"\xff\xff\xff\x7f", {}, 400, "snappy: decoded length exceeds limit"),
    (snappy.compress(b"\x0a\x7f"), {}, 400, "cannot parse invalid wire-format data"),
    (request((0, 1, [("a", "=~", "(")])), {}, 400, "missing closing )"),
    (request((0, 1, ALL), accepted=[7]), {}, 400, "does not support any of the requested response types: [7]"),
    (request((0, 1, ALL)), {"Content-Encoding": "gzip"}, 415, "only snappy"),
]


@pytest.mark.parametrize(("body", "headers", "status", "text"), REFUSED)
async def test_what_is_refused(tmp_path: Path, body: bytes, headers: dict[str, str], status: int, text: str) -> None:
    async with reader(tmp_path) as r:
        code, _, answer = await r.ask(body, headers)
        assert code == status
        assert text in answer.decode()


async def test_only_post_is_allowed(tmp_path: Path) -> None:
    async with reader(tmp_path) as r, r.session.get("/api/v1/read") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_more_samples_than_the_limit_are_refused_and_chunks_are_not(tmp_path: Path) -> None:
    async with reader(tmp_path, limits=ReadLimits(samples=599)) as r:
        await fill(r, series=2)
        status, _, body = await r.ask(request((T, T + 10**7, ALL)))
        assert (status, body) == (400, b"exceeded sample limit (599)\n")
        assert len(await r.chunks((T, T + 10**7, ALL))) == 2
        (result,) = await r.samples((T, T + 298_000, ALL))
        assert sum(len(series.samples) for series in result.timeseries) == 598


async def test_one_that_waits_for_its_turn_gets_it_when_another_leaves(tmp_path: Path) -> None:
    async with reader(tmp_path, limits=ReadLimits(concurrency=1)) as r:
        await fill(r, series=100, samples=1000)
        body = request(*[(T, T + 10**7, ALL)] * 200, accepted=[CHUNKS])  # more than sockets have buffers for

        def in_progress() -> float | None:
            return r.registry.get_sample_value("pushbridge_remote_read_queries")

        async with Wire.to(r.port) as slow:
            head = ["POST /api/v1/read HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
            await slow.send(*head, body=body)
            assert (await slow.reader.readline()).startswith(b"HTTP/1.1 200")
            async with anyio.create_task_group() as tasks:

                async def second() -> None:
                    (result,) = await r.samples((T, T, ALL))
                    assert len(result.timeseries) == 100

                tasks.start_soon(second)
                await until(lambda: in_progress() == 2)
                slow.writer.close()
        await until(lambda: in_progress() == 0)


async def test_a_client_that_does_not_read_is_left(tmp_path: Path) -> None:
    async with reader(tmp_path, limits=ReadLimits(patience=0.2)) as r:
        await fill(r, series=100, samples=1000)
        body = request(*[(T, T + 10**7, ALL)] * 200, accepted=[CHUNKS])
        async with Wire.to(r.port) as slow:
            await slow.send("POST /api/v1/read HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", body=body)
            await slow.reader.readline()
            await until(lambda: r.registry.get_sample_value("pushbridge_remote_read_queries") == 0)
            rest = await slow.reader.read(-1)
            assert not rest.endswith(b"0\r\n\r\n")  # the answer does not look whole


@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 63), (1 << 63) - 1),
            st.integers(-(1 << 63), (1 << 63) - 1),
            st.lists(st.tuples(st.text(max_size=5), st.sampled_from(["=", "!=", "=~", "!~"]), st.text(max_size=5))),
        ),
        max_size=4,
    ),
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=3),
)
def test_requests_are_read_as_protobuf_reads_them(
    queries: list[tuple[int, int, list[tuple[str, str, str]]]], accepted: list[int]
) -> None:
    assert read_request(request(*queries, accepted=accepted), 1 << 20) == (queries, accepted)


@given(st.binary(max_size=200))
def test_any_message_is_read_or_refused(data: bytes) -> None:
    try:
        ours = read_request(snappy.compress(data), 1 << 20)
    except ReadRequestError:
        return
    theirs = ReadRequest.FromString(data)
    assert len(ours[0]) == len(theirs.queries)
