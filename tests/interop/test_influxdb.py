"""Forwarding to the real InfluxDB 1.x and to VictoriaMetrics: odd names, lines that are refused, databases that are not
there yet; and that we read line protocol as influxd does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from anyio import to_thread

from bridge.config import Secret
from bridge.forward import Ranges
from bridge.native import Batch, LineError, parse_lines
from tests.buffer.samples import dump, open_store
from tests.cli.running import pushbridge
from tests.edge.serving import until
from tests.forward.exemplars import TIME, batch
from tests.forward.rig import Rig, rig
from tests.interop.peers import Influxd, VictoriaMetrics

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

NOW = int(time.time() * 1000)

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


@pytest.fixture
def influxd(peer: Callable[[str], Path], tmp_path: Path) -> Iterator[Influxd]:
    with Influxd(peer("influxd"), tmp_path / "influxd") as server:
        server.query('CREATE DATABASE "d"')
        yield server


def lines_of(influxd: Influxd) -> bytes:
    """All that it holds, as line protocol again."""
    escape = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
    lines = []
    for series in influxd.query("SELECT * FROM /.*/ GROUP BY *"):
        measurement = series["name"].replace(",", "\\,").replace(" ", "\\ ")
        tags = {key: value for key, value in series.get("tags", {}).items() if value}
        key = measurement + "".join(f",{k.translate(escape)}={v.translate(escape)}" for k, v in tags.items())
        lines += [f"{key} value={value!r} {int(t)}" for t, value in series["values"]]
    return "\n".join(lines).encode()


async def test_odd_names_and_values_arrive_as_they_are(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
        await r.store.append(odd_batch())
        await r.drained()
        status = r.sink.status()
        assert (status.account.sent, status.account.dead_lettered) == (len(ODD) + len(VALUES), 0)

        batch, _ = parse_lines(await to_thread.run_sync(lines_of, influxd), "ms", 0, 1 << 20)
        second = open_store(tmp_path / "second")
        await second.append(batch)
        assert dump(second) == dump(r.store)
        await second.close()


async def test_field_type_conflicts_are_dead_letters_and_can_be_sent_again(influxd: Influxd, tmp_path: Path) -> None:
    assert influxd.write(f"m,n=3 value=7i {NOW}".encode())[0] == 204
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": name, "n": str(n)}, NOW, float(n)) for name in ("m", "good") for n in range(20)
        ]
        await r.store.append(Batch.from_rows(rows, NOW))
        await r.drained()
        letters = list(r.letters.letters())
        assert {letter.line.split(",")[0] for letter in letters} == {"m"}
        assert len(letters) == r.sink.status().account.dead_lettered == 20
        assert all("field type conflict" in letter.reason for letter in letters)

        await to_thread.run_sync(influxd.query, 'DROP MEASUREMENT "m"')
        r.letters.requeue(Ranges([(1, 20)]))
        await until(lambda: r.letters.counts().resent == 20)
        (count,) = await to_thread.run_sync(influxd.query, "SELECT COUNT(value) FROM m")
        assert count["values"][0][1] == 20


async def test_exemplars_and_metadata_are_read_back(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", send_exemplars="true", send_metadata="true") as r:
        await r.store.append(batch())
        await r.drained()
        await r.stop_sink()
        r.start_sink()  # asks at once what the metrics are, which the first run did before there were any
        await until(lambda: len(influxd.query("SELECT help FROM prom_metadata WHERE metric = 'hits_total'")) == 1)
        (told,) = influxd.query("SELECT help, type, unit FROM prom_metadata WHERE metric = 'hits_total'")
        assert told["values"][0][1:] == ['Requests, "all"\\nof \\ them.', "counter", ""]
        (hits,) = influxd.query("SELECT span_id, trace_id, value FROM hits_total_exemplar GROUP BY *")
        assert hits["tags"] == {"job": "j", "path": "/a b"}
        assert hits["values"] == [[TIME + 1, 's"\\1', "t 1", 1.0]]
        buckets = influxd.query('SELECT "user", trace_id, value FROM took_seconds_bucket_exemplar GROUP BY le')
        assert {series["tags"]["le"]: series["values"] for series in buckets} == {
            "0.5": [[TIME + 2, None, "t2", 0.25]],
            "+Inf": [[TIME + 3, "line\\nbreak", None, 2.5]],
        }
        status = r.sink.status()
        assert status.account.sent + sum(status.account.unrepresentable.values()) == r.store.seq
        assert status.account.dead_lettered == 0
        assert not list(r.letters.letters())


async def push_old_and_new(r: Rig) -> None:
    hour = 3_600_000
    for t in (NOW - 50 * hour, NOW - 49 * hour, NOW - 1000):
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "m", "n": str(n)}, t, 1.0) for n in range(30)
        ]
        await r.store.append(Batch.from_rows(rows, t))
    await r.drained()


@pytest.mark.parametrize("learnt", [True, False])
async def test_points_beyond_the_retention_policy_are_expired(influxd: Influxd, tmp_path: Path, learnt: bool) -> None:
    create = 'CREATE RETENTION POLICY "short" ON "d" DURATION 1h REPLICATION 1'
    influxd.query(create if learnt else create.replace("1h", "INF"))
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", rp="short") as r:
        await r.push(1, metric="first", time=NOW - 51 * 3_600_000)
        await r.drained()
        if not learnt:
            await to_thread.run_sync(
                influxd.query, 'ALTER RETENTION POLICY "short" ON "d" DURATION 1h SHARD DURATION 1h'
            )
        await push_old_and_new(r)
        account = r.sink.status().account
        assert (account.sent, account.expired) == ((30, 61) if learnt else (31, 60))
        assert (account.dead_lettered, account.holds) == (0, True)
        assert list(r.letters.letters()) == []


async def test_a_database_that_is_not_there_is_made_when_that_is_wanted(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db='new "one"', auto_create="true") as r:
        await r.push(3)
        await r.drained()
        found = await to_thread.run_sync(influxd.query, "SELECT COUNT(value) FROM m", 'new "one"')
        assert found[0]["values"][0][1] == 3


QUERIES = {
    "prom-value": 'SELECT value FROM "m0"',
    "influx1-compat": 'SELECT value FROM "m0" WHERE "__name__" = \'m0\'',
    "telegraf-rw": "SELECT m0 FROM prometheus_remote_write",
    "telegraf-v1": 'SELECT value FROM "m0"',
    "telegraf-v2": "SELECT m0 FROM prometheus",
    "otel-v1": 'SELECT gauge FROM "m0"',
}


@pytest.mark.parametrize("mapping", QUERIES)
async def test_each_mapping_is_read_back_by_a_query(influxd: Influxd, tmp_path: Path, mapping: str) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", mapping=mapping) as r:
        for t in range(NOW, NOW + 5):
            rows: list[tuple[dict[str, str], int | None, float]] = [
                ({"__name__": f"m{n}", "x": "a b"}, t, n + 0.1 + 0.2) for n in range(4)
            ]
            await r.store.append(Batch.from_rows(rows, t))
        await r.drained()
        assert (r.sink.status().account.sent, r.sink.status().account.dead_lettered) == (20, 0)
        (series,) = await to_thread.run_sync(influxd.query, QUERIES[mapping])
        assert [(int(t), value) for t, value in series["values"]] == [(t, 0.1 + 0.2) for t in range(NOW, NOW + 5)]


async def test_a_database_that_was_lost_is_filled_again(influxd: Influxd, tmp_path: Path) -> None:
    config = tmp_path / "bridge.yml"
    config.write_text(f'influxdb: [{{name: main, url: "{influxd.url}", db: d, batch_samples: 7}}]')
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
        await r.store.append(odd_batch())
        await r.drained()
        before = sorted((await to_thread.run_sync(lines_of, influxd)).splitlines())
        await to_thread.run_sync(influxd.query, 'DROP DATABASE "d"')
        await to_thread.run_sync(influxd.query, 'CREATE DATABASE "d"')
        assert influxd.write(f"float,n=3 value=7i {NOW}".encode())[0] == 204

        ran = await pushbridge("replay", "--config", config, "--data", r.folder, "--from", "-1h", "--to", "now")
        assert ran.code == 1, "a line of another type was there before"
        assert ran.out.splitlines()[:2] == [f"{len(ODD) + len(VALUES) - 10} sent", "10 refused"], ran
        assert "field type conflict" in ran.out

        await to_thread.run_sync(influxd.query, 'DROP MEASUREMENT "float"')
        ran = await pushbridge("replay", "--config", config, "--data", r.folder, "--from", "-1h")
        assert (ran.code, ran.out.splitlines()[0]) == (0, f"{len(ODD) + len(VALUES)} sent"), ran
        assert sorted((await to_thread.run_sync(lines_of, influxd)).splitlines()) == before


async def test_a_sink_that_was_down_while_the_log_went_gets_all_of_it(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
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
        batch, _ = parse_lines(await to_thread.run_sync(lines_of, influxd), "ms", 0, 1 << 20)
        second = open_store(tmp_path / "second")
        await second.append(batch)
        assert dump(second) == dump(r.store)
        await second.close()


async def test_a_database_that_is_not_there_is_waited_for(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="later") as r:
        await r.push(10)
        await until(lambda: r.sink.status().state == "held")
        assert 'database not found: "later"' in r.sink.status().problem
        await to_thread.run_sync(influxd.query, 'CREATE DATABASE "later"')
        await r.drained()
        assert r.sink.status().account.sent == 10


async def test_a_retention_policy_that_is_not_there_is_waited_for(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", rp="later") as r:
        await r.push(10)
        await until(lambda: r.sink.status().state == "held")
        create = 'CREATE RETENTION POLICY "later" ON "d" DURATION INF REPLICATION 1'
        await to_thread.run_sync(influxd.query, create)
        await r.drained()
        assert r.sink.status().account.sent == 10


async def test_a_key_that_is_too_long_is_a_dead_letter_alone(influxd: Influxd, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
        rows: list[tuple[dict[str, str], int | None, float]] = [
            ({"__name__": "m", "n": "x" * (70_000 if n == 5 else n + 1)}, NOW, 1.0) for n in range(20)
        ]
        await r.store.append(Batch.from_rows(rows, NOW))
        await r.drained()
        account = r.sink.status().account
        assert (account.sent, account.dead_lettered) == (19, 1)


async def test_credentials_are_waited_for(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with Influxd(peer("influxd"), tmp_path / "influxd", INFLUXDB_HTTP_AUTH_ENABLED="true") as influxd:
        influxd.query("CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
        async with rig(tmp_path / "bridge", url=influxd.url, db="d", username="admin", password="wrong") as r:
            await r.push(10)
            await until(lambda: r.sink.status().state == "held")
            assert r.sink.status().problem.startswith("401")
            await r.stop_sink()
            r.settings = r.settings.model_copy(update={"password": Secret("secret")})
            r.start_sink()
            await until(lambda: r.sink.status().problem.startswith("404"))  # in, but there is no database


async def test_victoria_metrics_takes_the_v2_dialect(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with VictoriaMetrics(peer("victoria-metrics"), tmp_path / "vm") as vm:
        async with rig(tmp_path / "bridge", url=vm.url, dialect="v2", bucket="b", org="o", db=None) as r:
            rows: list[tuple[dict[str, str], int | None, float]] = [
                ({"__name__": "m", "n": str(n), "text": "a b,c=d\\e"}, NOW, n / 4) for n in range(500)
            ]
            await r.store.append(Batch.from_rows(rows, NOW))
            await r.drained()
            assert r.sink.status().account.sent == 500
            exported = await to_thread.run_sync(vm.export)
            found = {series["metric"]["n"]: series for series in exported}
            assert len(found) == 500
            for n in range(500):
                series = found[str(n)]
                assert series["metric"]["text"] == "a b,c=d\\e"
                assert (series["timestamps"], series["values"]) == ([NOW], [n / 4])


LINES = (Path(__file__).parent / "lines.txt").read_text().splitlines()


def verdict(line: bytes) -> int:
    """What our edge answers to a line."""
    try:
        parse_lines(line, "ms", 0, 1 << 20)
    except LineError:
        return 400
    return 204


async def test_we_read_lines_as_influxd_does(influxd: Influxd) -> None:
    differ = {}
    for i, line in enumerate(LINES):
        influxd.query(f'CREATE DATABASE "l{i}"')  # types of fields belong to a database
        status, text = influxd.write(line.encode(), f"l{i}")
        if verdict(line.encode()) != status:
            differ[line] = text
    assert differ == {}
