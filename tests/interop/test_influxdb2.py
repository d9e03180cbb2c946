"""Forwarding to a real InfluxDB 2: odd names, lines that are refused, buckets that are not there yet or keep
points for a while only, and points deleted by hand, which are found and brought back. It was run with 2.8.0."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from bridge.forward import Ranges
from bridge.native import Batch, parse_lines
from tests.bridge_process import BridgeProcess
from tests.buffer.samples import dump, open_store
from tests.edge.serving import until
from tests.forward.exemplars import TIME, batch
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import rig
from tests.interop.peers import Influxd2
from tests.interop.test_influxdb import NOW, ODD, VALUES, odd_batch, push_old_and_new
from tests.interop.test_reconcile import PUSHES, missing, push_all, reconcile

pytestmark = [pytest.mark.interop, pytest.mark.anyio]


@pytest.fixture
def influxd(guest: Callable[[str], Path], tmp_path: Path) -> Iterator[Influxd2]:
    with Influxd2(guest("influxd2"), tmp_path / "influxd") as server:
        yield server


def to(influxd: Influxd2, **more: str) -> dict[str, Any]:
    """Settings of a sink that writes there."""
    return {"url": influxd.url, "bucket": "b", "org": "o", "token": "t"} | more


def milliseconds(text: str) -> int:
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def lines_of(influxd: Influxd2) -> bytes:
    """All that it holds in fields called `value`, as line protocol again."""
    escape = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
    lines = []
    for row in influxd.query(""):
        own = {"_measurement", "_field", "_value", "_time"}
        tags = sorted((key, value) for key, value in row.items() if key not in own and value)
        assert row["_field"] == "value"
        key = row["_measurement"].replace(",", "\\,").replace(" ", "\\ ")
        key += "".join(f",{name.translate(escape)}={value.translate(escape)}" for name, value in tags)
        lines.append(f"{key} value={row['_value']} {milliseconds(row['_time'])}")
    return "\n".join(lines).encode()


async def test_odd_names_and_values_arrive_as_they_are(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd)) as r:
        await r.store.append(odd_batch())
        await r.drained()
        status = r.sink.status()
        assert (status.account.sent, status.account.dead_lettered) == (len(ODD) + len(VALUES), 0)
        batch, _ = parse_lines(await to_thread.run_sync(lines_of, influxd), "ms", 0, 1 << 20)
        second = open_store(tmp_path / "second")
        await second.append(batch)
        assert dump(second) == dump(r.store)
        await second.close()


async def test_field_type_conflicts_are_dead_letters_and_can_be_sent_again(influxd: Influxd2, tmp_path: Path) -> None:
    assert influxd.write(f"m,n=3 value=7i {NOW}".encode())[0] == 204
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd)) as r:
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": name, "n": str(n)}, NOW, float(n)) for name in ("m", "good") for n in range(20)
        ]
        await r.store.append(Batch.from_rows(rows, NOW))
        await r.drained()
        letters = list(r.letters.letters())
        assert {letter.line.split(",")[0] for letter in letters} == {"m"}
        assert len(letters) == r.sink.status().account.dead_lettered == 20
        assert all("field type conflict" in letter.reason for letter in letters)

        await to_thread.run_sync(influxd.delete, '_measurement="m"')
        r.letters.requeue(Ranges([(1, 20)]))
        await until(lambda: r.letters.counts().resent == 20)
        found = await to_thread.run_sync(influxd.query, '|> filter(fn: (r) => r._measurement == "m")')
        assert {row["n"] for row in found} == {str(n) for n in range(20)}


async def test_lines_that_are_too_long_cost_the_others_nothing(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd)) as r:
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "m", "n": "x" * 66_000 if n == 3 else str(n)}, NOW, float(n)) for n in range(7)
        ]
        await r.store.append(Batch.from_rows(rows, NOW))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (6, 1)
        (letter,) = r.letters.letters()
        assert "max key length exceeded" in letter.reason
        assert len(await to_thread.run_sync(influxd.query, "")) == 6


@pytest.mark.parametrize("learnt", [True, False])
async def test_points_that_a_bucket_does_not_keep_are_expired(influxd: Influxd2, tmp_path: Path, learnt: bool) -> None:
    bucket = influxd.make_bucket("short", seconds=3600 if learnt else 0)
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, bucket="short")) as r:
        await r.push(1, metric="first", time=NOW - 51 * 3_600_000)
        await r.drained()
        if not learnt:
            rules = [{"type": "expire", "everySeconds": 3600, "shardGroupDurationSeconds": 3600}]
            change = {"retentionRules": rules}
            await to_thread.run_sync(influxd.call, "PATCH", f"/api/v2/buckets/{bucket}", change)
        await push_old_and_new(r)
        account = r.sink.status().account
        assert (account.sent, account.expired) == ((30, 61) if learnt else (31, 60))
        assert (account.dead_lettered, account.holds) == (0, True)
        assert list(r.letters.letters()) == []


async def test_a_bucket_that_is_not_there_is_made_in_its_organization(influxd: Influxd2, tmp_path: Path) -> None:
    influxd.call("POST", "/api/v2/orgs", {"name": "other"})
    influxd.make_bucket("new", org="other", seconds=3600)
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, bucket="new", auto_create="true")) as r:
        await r.push(3, time=NOW - 7_200_000)
        await r.drained()
        assert len(await to_thread.run_sync(influxd.query, "", "new")) == 3
        assert await to_thread.run_sync(influxd.query, "", "new", "other") == []


async def test_a_bucket_that_is_not_there_is_waited_for(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, bucket="later")) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert 'bucket "later" not found' in r.sink.status().problem
        await to_thread.run_sync(influxd.make_bucket, "later")
        await r.drained()
        assert len(await to_thread.run_sync(influxd.query, "", "later")) == 3


async def test_a_token_that_may_not_write_loses_nothing(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, token="wrong")) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert r.sink.status().pending == 3


QUERIES = {
    "prom-value": ("m0", "value"),
    "influx1-compat": ("m0", "value"),
    "telegraf-rw": ("prometheus_remote_write", "m0"),
    "telegraf-v1": ("m0", "value"),
    "telegraf-v2": ("prometheus", "m0"),
    "otel-v1": ("m0", "gauge"),
}


@pytest.mark.parametrize("mapping", QUERIES)
async def test_each_mapping_is_read_back_by_a_query(influxd: Influxd2, tmp_path: Path, mapping: str) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, mapping=mapping)) as r:
        for t in range(NOW, NOW + 5):
            rows: list[tuple[dict[str, str], int | None, float]] = [
                ({"__name__": f"m{n}", "x": "a b"}, t, n + 0.1 + 0.2) for n in range(4)
            ]
            await r.store.append(Batch.from_rows(rows, t))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (20, 0)
        measurement, field = QUERIES[mapping]
        chosen = f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}")'
        found = await to_thread.run_sync(influxd.query, chosen)
        assert [(milliseconds(row["_time"]), float(row["_value"])) for row in found] == [
            (t, 0.1 + 0.2) for t in range(NOW, NOW + 5)
        ]


async def test_exemplars_and_metadata_are_read_back(influxd: Influxd2, tmp_path: Path) -> None:
    more = {"send_exemplars": "true", "send_metadata": "true"}
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd, **more)) as r:
        await r.store.append(batch())
        await r.drained()
        await r.stop_sink()
        r.start_sink()  # asks at once what the metrics are, which the first run did before there were any

        def fields(measurement: str) -> dict[str, str]:
            found = influxd.query(f'|> filter(fn: (r) => r._measurement == "{measurement}")')
            return {row["_field"]: row["_value"] for row in found if row.get("metric", "hits_total") == "hits_total"}

        await until(lambda: "help" in fields("prom_metadata"))
        assert fields("prom_metadata") == {"help": 'Requests, "all"\\nof \\ them.', "type": "counter", "unit": ""}
        assert fields("hits_total_exemplar") == {"span_id": 's"\\1', "trace_id": "t 1", "value": "1"}
        found = influxd.query('|> filter(fn: (r) => r._measurement == "hits_total_exemplar" and r._field == "value")')
        assert [(row["path"], milliseconds(row["_time"])) for row in found] == [("/a b", TIME + 1)]
        assert r.sink.status().account.dead_lettered == 0


async def test_a_server_that_is_killed_gets_all_of_it(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **to(influxd)) as r:
        start = int(time.time() * 1000)
        for n in range(60):
            if n == 20:
                await to_thread.run_sync(influxd.__exit__, None, None, None)
            if n == 40:
                await to_thread.run_sync(influxd.__enter__)
            await r.push(50, time=start + n)
        await r.drained()
        found = await to_thread.run_sync(influxd.query, '|> group(columns: ["_field"]) |> count()')
        assert [row["_value"] for row in found] == ["3000"]
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (3000, 0)


async def test_points_deleted_by_hand_are_found_and_brought_back(influxd: Influxd2, tmp_path: Path) -> None:
    text = f"influxdb: [{{name: main, url: '{influxd.url}', org: o, bucket: b, token: t}}]\n"
    with BridgeProcess(tmp_path, text) as bridge:
        await to_thread.run_sync(push_all, bridge)
        ran = await reconcile(bridge)
        assert ran.code == 0, ran

        chosen = '|> filter(fn: (r) => r._measurement == "rows")'
        before = influxd.query(chosen)
        influxd.delete('_measurement="rows" AND job="job3"')
        assert influxd.query(chosen) != before
        ran = await reconcile(bridge, "-o", "json")
        assert (ran.code, missing(ran)) == (1, {"rows": PUSHES})
        ran = await reconcile(bridge, "--repair")
        assert ran.code == 0, ran
        assert influxd.query(chosen) == before
