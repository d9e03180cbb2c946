"""What only InfluxDB 3 has: refused lines told by number, limits on databases and columns, a log that cannot
be written, and columns that are tags or fields, never both. It was run with Core 3.6.0."""

from __future__ import annotations

from pathlib import Path

import pytest
from anyio import to_thread

from bridge.native import Batch
from tests.edge.serving import until
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig
from tests.interop.influxdbs import Influxd3
from tests.interop.test_influxdb import NOW, gauges

pytestmark = [
    pytest.mark.interop,
    pytest.mark.anyio,
    pytest.mark.parametrize("influxd", [Influxd3], ids=["3"], indirect=True),
]


def requests(r: Rig, kind: str) -> float:
    """Requests that were answered so."""
    return r.sink_registry.get_sample_value("pushbridge_sink_requests_total", {"sink": "main", "class": kind}) or 0


async def test_refused_lines_are_told_by_number_and_nothing_is_sent_again(influxd: Influxd3, tmp_path: Path) -> None:
    assert influxd.write(f"m,n=3 value=7i {NOW}".encode())[0] == 204
    async with rig(tmp_path / "bridge", FakeInflux(version=3), **influxd.sink()) as r:
        await r.store.append(gauges("m", "good"))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (20, 20)
        assert len(await to_thread.run_sync(influxd.points, "good")) == 20
        assert (requests(r, "partial"), requests(r, "ok")) == (1, 0)


async def test_a_limit_of_columns_holds_what_is_beyond_and_stores_the_others(influxd: Influxd3, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=3), **influxd.sink(mapping="telegraf-rw")) as r:
        await r.store.append(gauges(*(f"m{n}" for n in range(450)), count=1))
        await r.drained()
        await r.store.append(gauges(*(f"m{n}" for n in range(550)), count=1, t=NOW + 1))
        await until(lambda: r.sink.status().state == "held")
        assert "exceed number of columns per table limit" in r.sink.status().problem
        assert r.sink.status().account.dead_lettered == 0
        assert r.sink.status().pending > 0


async def test_a_database_too_many_is_waited_for(influxd: Influxd3, tmp_path: Path) -> None:
    for n in range(4):
        influxd.make(f"d{n}")
    async with rig(tmp_path / "bridge", FakeInflux(version=3), **influxd.sink("more", auto_create="true")) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert r.sink.status().account.dead_lettered == 0
        assert r.sink.status().pending == 3


@pytest.mark.parametrize("dialect", ["v3", "v2"])
async def test_a_log_that_cannot_be_written_is_waited_for(influxd: Influxd3, tmp_path: Path, dialect: str) -> None:
    where = influxd.sink(dialect=dialect) | ({"bucket": "d", "org": "o"} if dialect == "v2" else {})
    async with rig(tmp_path / "bridge", FakeInflux(version=3), **where) as r:
        await r.push(10, time=NOW)
        await r.drained()
        with influxd.without_log():
            await r.push(10, time=NOW + 1)
            await until(lambda: "error from wal" in r.sink.status().last_error, 60)  # after its own ten seconds
        await until(lambda: r.sink.status().pending == 0, 60)
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (20, 0)
        assert len(await to_thread.run_sync(influxd.points, "m")) == 20


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_label_that_is_called_as_the_field(influxd: Influxd3, tmp_path: Path, renamed: bool) -> None:
    rules = [{"action": "labelmap", "regex": "(value)", "replacement": "label_$1"}]
    rules += [{"action": "labeldrop", "regex": "value"}]
    where = influxd.sink() | ({"write_relabel_configs": rules} if renamed else {})
    async with rig(tmp_path / "bridge", FakeInflux(version=3), **where) as r:
        for labels in ({"x": "a"}, {"value": "a"}):  # the other way round InfluxDB makes it a tag, and refuses both
            await r.store.append(Batch.from_rows([({"__name__": "m"} | labels, NOW, 1.0)], NOW))
            await r.drained()
        account = r.sink.status().account
        assert (account.sent, account.dead_lettered) == ((2, 0) if renamed else (1, 1))
        assert all("invalid column type for column 'value'" in letter.reason for letter in r.letters.letters())
