"""Forwarding to a real InfluxDB of each generation: odd names, lines that are refused, databases that are not there yet
or keep points for a while only, and kills. It was run with 1.6 (Debian's), 2.8.0 and 3.6.0."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from bridge.forward import Ranges
from bridge.native import Batch, parse_lines
from tests.buffer.samples import dump, open_store
from tests.edge.serving import until
from tests.forward.exemplars import TIME, batch
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig
from tests.interop.influxdbs import Influxd, Influxd2, Influxd3, Point

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

NOW = int(time.time() * 1000)
HOUR = 3_600_000

ODD: list[Mapping[str, str]] = [
    {"__name__": "plain", "job": "x"},
    {"__name__": "no_labels"},
    {"__name__": "a,b c=d", "job": "x"},
    {"__name__": '"quoted"', "job": 'a "b" c'},
    {"__name__": "#comment", "job": "#"},
    {"__name__": "_reserved", "_field": "f", "_x": "y"},
    {"__name__": "names", "a b": "1", "c,d": "2", "e=f": "3", "g\\": "4", "ü": "5"},
    {"__name__": "values", "space": "a b", "comma": "a,b", "equals": "a=b", "unicode": "naïve ☃"},
    {"__name__": "backslash", "end": "C:\\", "middle": "C:\\dir", "two": "a\\\\b", "comma": "a\\,b", "quote": 'a\\"'},
    {"__name__": "breaks", "newline": "a\nb", "tab": "a\tb", "cr": "a\rb", "nul": "a\0b"},
    {"__name__": "percent", "plain": "50% a%20b", "code": "%0A", "stuffed": "%250A", "end": "%"},
    {"__name__": "time", "time": "noon", "label_time": "later"},
    {"__name__": "backslash\\", "x": "y"},
    {"__name__": "tab\there", "x": "y"},
]
VALUES = [0.0, -0.0, 1.0, -1.5, 1e15, 1e16, 1.5e-7, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]


def odd_batch() -> Batch:
    rows: list[tuple[Mapping[str, str], int | None, float]] = [
        (labels, NOW + i, VALUES[i % len(VALUES)]) for i, labels in enumerate(ODD)
    ]
    rows += [({"__name__": "float", "n": str(i)}, NOW, value) for i, value in enumerate(VALUES)]
    return Batch.from_rows(rows, NOW)


def gauges(*names: str, count: int = 20, t: int = NOW) -> Batch:
    """`count` series of each of these metrics."""
    rows: list[tuple[Mapping[str, str], int | None, float]] = [
        ({"__name__": name, "n": str(n)}, t, float(n)) for name in names for n in range(count)
    ]
    return Batch.from_rows(rows, t)


def forwarding(influxd: Influxd, folder: Path, database: str = "d", **more: Any) -> Any:
    """A rig whose sink writes there."""
    return rig(folder / "bridge", FakeInflux(version=influxd.version), **influxd.sink(database, **more))


async def points(influxd: Influxd, measurement: str | None = None, database: str = "d") -> list[Point]:
    return await to_thread.run_sync(influxd.points, measurement, database)


async def read_back(influxd: Influxd, folder: Path) -> str:
    """All that it holds, as our own line-protocol edge reads it."""
    lines = "\n".join(point.line for point in await points(influxd))
    found, _ = parse_lines(lines.encode(), "ms", 0, 1 << 20)
    store = open_store(folder)
    await store.append(found)
    text = dump(store)
    await store.close()
    return text


async def test_odd_names_and_values_arrive_as_they_are(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path) as r:
        await r.store.append(odd_batch())
        await r.drained()
        status = r.sink.status()
        assert (status.account.sent, status.account.dead_lettered) == (len(ODD) + len(VALUES), 0)
        assert await read_back(influxd, tmp_path / "second") == dump(r.store)


async def test_a_sink_that_was_down_while_the_log_went_gets_all_of_it(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path) as r:
        await until(lambda: r.cursors.load("main") is not None)
        await r.stop_sink()
        await r.store.append(odd_batch())
        r.now = NOW + 100  # the store takes no samples that are much older than its newest
        await r.cut()
        assert await r.truncate() == ["main"]
        r.start_sink()
        await r.drained()
        await until(lambda: r.sink.status().account.catching_up is None)
        account = r.sink.status().account
        assert (account.sent, account.expired, account.resent, account.holds) == (r.store.seq, 0, 0, True)
        assert await read_back(influxd, tmp_path / "second") == dump(r.store)


CONFLICT = {1: "field type conflict", 2: "field type conflict", 3: "invalid column type"}


async def test_field_type_conflicts_are_dead_letters_and_can_be_sent_again(influxd: Influxd, tmp_path: Path) -> None:
    assert influxd.write(f"m,n=3 value=7i {NOW}".encode())[0] == 204
    async with forwarding(influxd, tmp_path) as r:
        await r.store.append(gauges("m", "good"))
        await r.drained()
        letters = list(r.letters.letters())
        assert {letter.line.split(",")[0] for letter in letters} == {"m"}
        assert len(letters) == r.sink.status().account.dead_lettered == 20
        assert all(CONFLICT[influxd.version] in letter.reason for letter in letters)

        await to_thread.run_sync(influxd.drop, "m")
        r.letters.requeue(Ranges([(1, 20)]))
        await until(lambda: r.letters.counts().resent == 20)
        assert {point.value for point in await points(influxd, "m")} == set(range(20))


async def test_lines_that_are_too_long_cost_the_others_nothing(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path) as r:
        rows: list[tuple[Mapping[str, str], int | None, float]] = [
            ({"__name__": "m", "n": "x" * 70_000 if n == 5 else str(n)}, NOW, float(n)) for n in range(20)
        ]
        await r.store.append(Batch.from_rows(rows, NOW))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (19, 1)
        (letter,) = r.letters.letters()
        told = "String is greater than 64KB" if influxd.version == 3 else "max key length exceeded"
        assert told in letter.reason
        assert len(await points(influxd)) == 19


async def push_old_and_new(r: Rig) -> None:
    for t in (NOW - 50 * HOUR, NOW - 49 * HOUR, NOW - 1000):
        await r.store.append(gauges("m", count=30, t=t))
    await r.drained()


@pytest.mark.parametrize("learnt", [True, False])
async def test_points_that_a_database_does_not_keep_are_expired(influxd: Influxd, tmp_path: Path, learnt: bool) -> None:
    influxd.make("short", hours=1 if learnt else 0)
    async with forwarding(influxd, tmp_path, "short") as r:
        await r.push(1, metric="first", time=NOW - 51 * HOUR)
        await r.drained()
        if not learnt:
            await to_thread.run_sync(lambda: influxd.shorten("short", hours=1))
        await push_old_and_new(r)
        account = r.sink.status().account
        # 3 takes what it does not keep, and says nothing of it.
        sent = {(1, True): 30, (2, True): 30, (3, True): 30, (3, False): 91}.get((influxd.version, learnt), 31)
        assert (account.sent, account.expired) == (sent, 91 - sent)
        assert (account.dead_lettered, account.holds) == (0, True)
        assert list(r.letters.letters()) == []


async def test_a_database_that_is_not_there_is_made_when_that_is_wanted(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path, "new", auto_create="true") as r:
        await r.push(3, time=NOW)
        await r.drained()
        assert len(await points(influxd, "m", "new")) == 3


@pytest.mark.parametrize("influxd", [Influxd2, Influxd3], ids=["2", "3"], indirect=True)
async def test_a_token_that_may_not_write_loses_nothing(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path, token="apiv3_wrong") as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert r.sink.status().problem.startswith("401")
        assert r.sink.status().pending == 3


FIELDS = {
    "prom-value": ("m0", "value"),
    "influx1-compat": ("m0", "value"),
    "telegraf-rw": ("prometheus_remote_write", "m0"),
    "telegraf-v1": ("m0", "value"),
    "telegraf-v2": ("prometheus", "m0"),
    "otel-v1": ("m0", "gauge"),
}


@pytest.mark.parametrize("mapping", FIELDS)
async def test_each_mapping_is_read_back_by_a_query(influxd: Influxd, tmp_path: Path, mapping: str) -> None:
    async with forwarding(influxd, tmp_path, mapping=mapping) as r:
        for t in range(NOW, NOW + 5):
            rows: list[tuple[Mapping[str, str], int | None, float]] = [
                ({"__name__": f"m{n}", "x": "a b"}, t, n + 0.1 + 0.2) for n in range(4)
            ]
            await r.store.append(Batch.from_rows(rows, t))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (20, 0)
        measurement, field = FIELDS[mapping]
        found = [point for point in await points(influxd, measurement) if point.field == field]
        assert [(point.time, point.value) for point in found] == [(t, 0.1 + 0.2) for t in range(NOW, NOW + 5)]
        own = {"__name__": "m0"} if mapping == "influx1-compat" else {}
        assert all(dict(point.tags) == {"x": "a b"} | own for point in found)


async def test_exemplars_and_metadata_are_read_back(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path, send_exemplars="true", send_metadata="true") as r:
        await r.store.append(batch())
        await r.drained()
        await r.stop_sink()
        r.start_sink()  # asks at once what the metrics are, which the first run did before there were any

        def told() -> dict[str, Any]:
            found = [point for point in influxd.points("prom_metadata") if dict(point.tags)["metric"] == "hits_total"]
            return {point.field: point.value for point in found}

        await until(lambda: "help" in told())
        assert told() == {"help": 'Requests, "all"\\nof \\ them.', "type": "counter", "unit": ""}
        hits = await points(influxd, "hits_total_exemplar")
        tags = (("job", "j"), ("path", "/a b"))
        assert [(point.tags, point.time) for point in hits] == [(tags, TIME + 1)] * 3
        assert {point.field: point.value for point in hits} == {"span_id": 's"\\1', "trace_id": "t 1", "value": 1.0}
        buckets = await points(influxd, "took_seconds_bucket_exemplar")
        assert {(dict(point.tags)["le"], point.time, point.field, point.value) for point in buckets} >= {
            ("0.5", TIME + 2, "trace_id", "t2"),
            ("0.5", TIME + 2, "value", 0.25),
            ("+Inf", TIME + 3, "user", "line\\nbreak"),
            ("+Inf", TIME + 3, "value", 2.5),
        }
        status = r.sink.status()
        assert status.account.sent + sum(status.account.unrepresentable.values()) == r.store.seq
        assert status.account.dead_lettered == 0
        assert not list(r.letters.letters())


async def test_a_server_that_is_killed_gets_all_of_it(influxd: Influxd, tmp_path: Path) -> None:
    async with forwarding(influxd, tmp_path) as r:
        for n in range(60):
            if n == 20:
                await to_thread.run_sync(influxd.kill)
            if n == 40:
                await to_thread.run_sync(influxd.start)
            await r.push(50, time=NOW + n)
        await r.drained()
        assert len(await points(influxd)) == 3000
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (3000, 0)
