"""The write route by both versions: what is stored, what is left out, what the sender is told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import snappy

from bridge.config import Duration, Storage
from tests.buffer.samples import SMALL
from tests.remote_write.writing import STALE, V1, V2, Exemplar, Metadata, Series, message_2, now_ms, v1, v2, writer

pytestmark = pytest.mark.anyio

HISTOGRAM = {
    "count_int": 6,
    "sum": 2.5,
    "schema": 1,
    "zero_threshold": 0.001,
    "zero_count_int": 1,
    "positive_spans": [(0, 2), (1, 1)],
    "positive_deltas": [1, 1, 0],
}
FLOAT_HISTOGRAM = {
    "count_float": 3.5,
    "sum": 2.5,
    "schema": 0,
    "zero_count_float": 0.5,
    "negative_spans": [(0, 2)],
    "negative_counts": [1.0, 2.0],
}
CUSTOM_HISTOGRAM = {
    "count_int": 3,
    "sum": 1.0,
    "schema": -53,
    "positive_spans": [(0, 2)],
    "positive_deltas": [1, 1],
    "custom_values": [0.5, 1.0],
}


def up(**labels: str) -> dict[str, str]:
    return {"__name__": "up", **labels}


async def test_samples_of_1_0_are_stored_and_sorted_and_nothing_is_told_of_them(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        labels = [("job", "a"), ("__name__", "up"), ("empty", ""), ("instance", "i")]
        reply = await edge.write(Series(labels, [(now, 1.5), (now + 1, math.inf)]), Series(up(), [(now, STALE)]))
        assert (reply.status, reply.text, reply.written) == (204, "", None)
        first = '{__name__="up", instance="i", job="a"}'
        assert edge.lines == [f'{{__name__="up"}} NaN {now}', f"{first} 1.5 {now}", f"{first} +Inf {now + 1}"]
        assert edge.count("received_total", kind="samples") == 3
        assert edge.count("requests_total", version="1.0", code="204") == 1


async def test_2_0_is_told_what_is_written(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        exemplars = [Exemplar({"trace_id": "t"}, 1.0, now)]
        reply = await edge.write2(
            Series([("job", "a"), ("__name__", "up")], [(now, 1.5)], exemplars=exemplars),
            Series(up(kind="h"), histograms=[{**HISTOGRAM, "timestamp": now}]),
        )
        assert (reply.status, reply.text, reply.written) == (204, "", (1, 1, 1))
        assert edge.lines[0] == f'{{__name__="up", job="a"}} 1.5 {now}'
        assert edge.store.head.exemplar_count == 1


@pytest.mark.parametrize("fields", [HISTOGRAM, FLOAT_HISTOGRAM, CUSTOM_HISTOGRAM], ids=["whole", "float", "custom"])
@pytest.mark.parametrize("version", [1, 2])
async def test_native_histograms_are_stored_as_sent(tmp_path: Path, version: int, fields: dict[str, object]) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        series = Series(up(), histograms=[{**fields, "timestamp": now, "reset_hint": 3}])
        reply = await (edge.write if version == 1 else edge.write2)(series)
        assert reply.status == 204, reply.text
        ((t, histogram),) = edge.histograms(up(), now, now)
        assert (t, histogram.reset_hint, histogram.schema) == (now, "gauge", fields["schema"])
        assert histogram.count == fields.get("count_int", fields.get("count_float"))
        assert histogram.positive_spans == fields.get("positive_spans", [])
        assert histogram.negative_spans == fields.get("negative_spans", [])
        assert histogram.custom_bounds == fields.get("custom_values", [])
        assert histogram.is_float == ("count_float" in fields)


async def test_metadata_of_both_versions_is_told_of_series(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        rows = ["http_seconds_bucket", "http_seconds_sum", "http_seconds", "http_seconds_other"]
        await edge.write(*(Series({"__name__": name}, [(now, 1.0)]) for name in rows))
        reply = await edge.write(families={"http_seconds": Metadata("histogram", "Time.", "seconds")})
        assert reply.status == 204
        reply = await edge.write2(Series(up(), [(now, 1.0)], metadata=Metadata("gauge", "Is it up?")))
        assert reply.written == (1, 0, 0)
        histogram = [("histogram", "seconds", "Time.")]
        assert edge.store.head.metadata() == {
            "http_seconds_bucket": histogram,
            "http_seconds_sum": histogram,
            "http_seconds": histogram,
            "up": [("gauge", "", "Is it up?")],
        }


INVALID = {
    "no name": [("job", "a")],
    "empty name": [("__name__", "")],
    "no labels": [],
    "twice": [("__name__", "up"), ("job", "a"), ("job", "a")],
    "twice, once empty": [("__name__", "up"), ("job", "a"), ("job", "")],
    "label without a name": [("__name__", "up"), ("", "a")],
}


@pytest.mark.parametrize("labels", INVALID.values(), ids=INVALID)
async def test_series_with_invalid_labels_are_left_out(tmp_path: Path, labels: list[tuple[str, str]]) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        bad, good = Series(labels, [(now, 1.0)], exemplars=[Exemplar({}, 1.0, now)]), Series(up(), [(now, 2.0)])
        assert (await edge.write(bad, good)).status == 204
        reply = await edge.write2(bad, good)
        assert (reply.status, reply.written) == (400, (1, 0, 0))
        assert "invalid" in reply.text
        assert edge.lines == [f'{{__name__="up"}} 2 {now}']
        assert edge.count("left_out_total", reason="labels") == 4


async def test_labels_that_are_no_utf8_are_left_out(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        body = snappy.uncompress(v1(Series(up(job="\x01\x01"), [(now, 1.0)]), Series(up(), [(now, 2.0)])))
        reply = await edge.post(snappy.compress(body.replace(b"\x01\x01", b"\xff\xfe")), V1)
        assert reply.status == 204
        body = snappy.uncompress(v2(Series(up(job="\x01\x01"), [(now, 1.0)]), Series(up(), [(now, 2.0)])))
        reply = await edge.post(snappy.compress(body.replace(b"\x01\x01", b"\xff\xfe")), V2)
        assert (reply.status, reply.written) == (400, (1, 0, 0))
        assert reply.text == 'invalid metric name or labels, got {__name__="up", job="\\xff\\xfe"}\n'
        assert edge.lines == [f'{{__name__="up"}} 2 {now}']


async def test_order_errors_refuse_all_of_1_0_and_their_samples_of_2_0(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        await edge.write(Series(up(), [(now, 1.0)]))
        bad = [Series(up(), [(now - 1, 0.0), (now, 7.0), (now + 2, 2.0)]), Series(up(job="new"), [(now, 1.0)])]
        reply = await edge.write(*bad)
        assert reply.status == 400
        assert reply.text == (f'out of order sample: {{__name__="up"}} at {now - 1}, the series\' newest is at {now}\n')
        assert edge.lines == [f'{{__name__="up"}} 1 {now}']
        reply = await edge.write2(*bad)
        assert (reply.status, reply.written) == (400, (2, 0, 0))
        first, second = reply.text.splitlines()
        assert first.startswith("out of order sample")
        assert second.startswith("duplicate sample for timestamp")
        assert len(edge.lines) == 3
        assert edge.count("left_out_total", reason="out_of_order") == 1
        assert edge.count("left_out_total", reason="duplicate") == 1
        assert edge.count("refused_requests_total", reason="out_of_order") == 1


async def test_a_request_that_is_sent_again_is_taken_again(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        request = [Series(up(), [(now, 1.0), (now + 1, 2.0), (now + 2, 2.0)]), Series(up(job="b"), [(now, 1.0)])]
        assert (await edge.write(*request)).status == 204
        before = edge.lines
        assert (await edge.write(*request)).status == 204
        reply = await edge.write2(*request)
        assert (reply.status, reply.written) == (204, (4, 0, 0))
        assert edge.lines == before


async def test_samples_far_ahead_are_out_of_bounds(tmp_path: Path) -> None:
    now = now_ms()
    ahead = now + 11 * 60 * 1000
    async with writer(tmp_path) as edge:
        rows = [
            Series(up(), [(now, 1.0), (ahead, 1.0)]),
            Series(up(job="h"), histograms=[{**HISTOGRAM, "timestamp": ahead}]),
        ]
        reply = await edge.write(*rows)
        assert reply.status == 400
        assert reply.text.startswith("out of bounds: timestamp is too far in the future")
        assert edge.lines == []
        assert (await edge.write2(*rows)).written == (1, 0, 0)
        near = Series(up(job="near"), [(now + 9 * 60 * 1000, 1.0)])
        assert (await edge.write(near)).status == 204
        past = await edge.write(Series(up(job="past"), [(-(1 << 63), 1.0)]))
        assert past.status == 400
        assert past.text.startswith("out of bounds: timestamp is too far in the past")


async def test_the_window_for_late_samples_is_honoured(tmp_path: Path) -> None:
    now = now_ms()
    storage = Storage(wal=SMALL, out_of_order_time_window=Duration("10m"))
    async with writer(tmp_path, storage=storage) as edge:
        await edge.write(Series(up(), [(now, 1.0)]))
        assert (await edge.write(Series(up(), [(now - 60_000, 0.5)]))).status == 204
        reply = await edge.write(Series(up(), [(now - 11 * 60_000, 0.5)]))
        assert reply.status == 400
        assert reply.text.startswith("too old sample")
        assert edge.lines == [f'{{__name__="up"}} 0.5 {now - 60_000}', f'{{__name__="up"}} 1 {now}']


async def test_histograms_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        bad = Series(up(), histograms=[{**HISTOGRAM, "count_int": 99, "timestamp": now}])
        reply = await edge.write(bad, Series(up(job="b"), [(now, 1.0)]))
        assert reply.status == 400
        assert "6 observations found in buckets, but the Count field is 99" in reply.text
        assert edge.lines == []
        reply = await edge.write2(bad, Series(up(job="b"), [(now, 1.0)]))
        assert (reply.status, reply.written) == (400, (1, 0, 0))


async def test_late_exemplars_are_told_of_in_2_0_only(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:

        def with_exemplar(at: int, t: int) -> Series:
            return Series(up(), [(at, 1.0)], exemplars=[Exemplar({"id": str(t)}, 1.0, t)])

        assert (await edge.write2(with_exemplar(now, now))).written == (1, 0, 1)
        assert (await edge.write(with_exemplar(now + 1, now - 5000))).status == 204
        reply = await edge.write2(with_exemplar(now + 2, now - 5000))
        assert (reply.status, reply.written) == (400, (1, 0, 0))
        assert reply.text == f'out of order exemplar: {{__name__="up"}} at {now - 5000}\n'
        long = Series(up(), [(now + 3, 1.0)], exemplars=[Exemplar({"id": "x" * 200}, 1.0, now)])
        reply = await edge.write2(long)
        assert (reply.status, reply.written) == (204, (1, 0, 0))
        assert edge.count("left_out_total", reason="out_of_order_exemplar") == 2


async def test_2_0_wants_data_and_references_that_lead_somewhere(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        good = Series(up(), [(now, 1.0)])
        for bad, text in [
            (Series(up(job="x")), "TimeSeries must contain at least one sample or histogram"),
            (Series(up(job="x"), exemplars=[Exemplar({}, 1.0, now)]), "TimeSeries must contain at least one"),
        ]:
            reply = await edge.write2(good, bad)
            assert (reply.status, reply.written) == (400, (1, 0, 0))
            assert text in reply.text
        for number, text in [(99, "outside of symbols table (size 3)"), (None, "invalid labelRefs length 3")]:
            message = message_2(good, good)
            message.timeseries[0].labels_refs.extend([1] if number is None else [1, number])
            reply = await edge.post(snappy.compress(message.SerializeToString()), V2)
            assert (reply.status, reply.written) == (400, (1, 0, 0))
            assert text in reply.text
        message = message_2(good)
        message.timeseries[0].metadata.help_ref = 77
        reply = await edge.post(snappy.compress(message.SerializeToString()), V2)
        assert (reply.status, reply.written) == (400, (0, 0, 0))
        assert "metadata help_ref 77 outside of symbols table" in reply.text


async def test_an_answer_names_ten_mistakes_and_counts_the_others(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        reply = await edge.write2(*(Series({"job": str(n)}, [(now, 1.0)]) for n in range(40)))
        *told, last = reply.text.splitlines()
        assert (reply.status, len(told), last) == (400, 10, "and 30 more")


async def test_start_times_are_ignored_or_become_a_sample_once(tmp_path: Path) -> None:
    now = now_ms()
    start = now - 5000
    rows = [Series(up(), [(now, 3.0, start), (now + 1, 4.0, start)])]
    async with writer(tmp_path / "a") as edge:
        assert (await edge.write2(*rows)).written == (2, 0, 0)
        assert len(edge.lines) == 2
    async with writer(tmp_path / "b", start_timestamps="zero_sample") as edge:
        reply = await edge.write2(*rows)
        assert (reply.status, reply.written) == (204, (2, 0, 0))
        reply = await edge.write2(Series(up(), [(now + 2, 5.0, start), (now + 3, 1.0, now + 3)]))
        assert (reply.status, reply.written) == (204, (2, 0, 0))
        values = [line.split()[-2:] for line in edge.lines]
        assert values[0] == ["0", str(start)]
        assert [value for value, _ in values] == ["0", "3", "4", "5", "1"]
        begun = Series(up(kind="h"), histograms=[{**HISTOGRAM, "timestamp": now, "start_timestamp": start}])
        assert (await edge.write2(begun)).written == (0, 1, 0)
        found = edge.histograms(up(kind="h"), 0, now)
        assert [(t, histogram.count) for t, histogram in found] == [(start, 0), (now, 6)]


async def test_nothing_is_acknowledged_that_is_not_durable(tmp_path: Path) -> None:
    async with writer(tmp_path, broken=True) as edge:
        reply = await edge.write(Series(up(), [(now_ms(), 1.0)]))
        assert (reply.status, reply.text) == (503, "disk full\n")
        assert int(reply.headers["Retry-After"]) > 0
        assert edge.count("refused_requests_total", reason="unavailable") == 1


async def test_the_empty_request_is_taken(tmp_path: Path) -> None:
    async with writer(tmp_path) as edge:
        assert (await edge.write()).status == 204
        assert (await edge.write2()).written == (0, 0, 0)
        assert (await edge.post(b"", V1)).status == 400


async def test_a_series_is_known_again_however_its_labels_are_sent(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        for at in range(3):
            await edge.write(Series([("__name__", "up"), ("a", "1")], [(now + 4 * at, 1.0)]))
            await edge.write(Series([("a", "1"), ("__name__", "up")], [(now + 4 * at + 1, 1.0)]))
            await edge.write2(Series([("a", "1"), ("__name__", "up")], [(now + 4 * at + 2, 1.0)]))
            await edge.write2(Series([("x", ""), ("__name__", "up"), ("a", "1")], [(now + 4 * at + 3, 1.0)]))
        assert edge.lines == [f'{{__name__="up", a="1"}} 1 {now + at}' for at in range(12)]
        assert edge.store.head.series == 1
