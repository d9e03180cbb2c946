"""What only InfluxDB 1.x has: retention policies, users, databases that are waited for; what VictoriaMetrics takes in
its place; and that we read line protocol as influxd does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio import to_thread

from bridge.config import Secret
from bridge.native import Batch, LineError, parse_lines
from tests.cli.running import pushbridge
from tests.edge.serving import until
from tests.forward.rig import rig
from tests.interop.influxdbs import Influxd1
from tests.interop.peers import VictoriaMetrics
from tests.interop.test_influxdb import HOUR, NOW, ODD, VALUES, odd_batch, push_old_and_new

pytestmark = [pytest.mark.interop, pytest.mark.anyio]


@pytest.fixture
def influxd(peer: Callable[[str], Path], tmp_path: Path) -> Iterator[Influxd1]:
    with Influxd1(peer("influxd"), tmp_path / "influxd") as server:
        server.make("d")
        yield server


async def test_it_is_the_retention_policy_that_is_learnt(influxd: Influxd1, tmp_path: Path) -> None:
    influxd.query('CREATE RETENTION POLICY "short" ON "d" DURATION 1h REPLICATION 1')
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", rp="short") as r:
        await r.push(1, metric="first", time=NOW - 51 * HOUR)
        await push_old_and_new(r)
        account = r.sink.status().account
        assert (account.sent, account.expired, account.dead_lettered) == (30, 61, 0)


async def test_a_database_that_was_lost_is_filled_again(influxd: Influxd1, tmp_path: Path) -> None:
    config = tmp_path / "bridge.yml"
    config.write_text(f'influxdb: [{{name: main, url: "{influxd.url}", db: d, batch_samples: 7}}]')
    async with rig(tmp_path / "bridge", url=influxd.url, db="d") as r:
        await r.store.append(odd_batch())
        await r.drained()
        before = [point.line for point in await to_thread.run_sync(influxd.points)]
        await to_thread.run_sync(influxd.query, 'DROP DATABASE "d"')
        await to_thread.run_sync(influxd.query, 'CREATE DATABASE "d"')
        assert influxd.write(f"float,n=3 value=7i {NOW}".encode())[0] == 204

        ran = await pushbridge("replay", "--config", config, "--data", r.folder, "--from", "-1h", "--to", "now")
        assert ran.code == 1, "a line of another type was there before"
        assert ran.out.splitlines()[:2] == [f"{len(ODD) + len(VALUES) - 10} sent", "10 refused"], ran
        assert "field type conflict" in ran.out

        await to_thread.run_sync(influxd.drop, "float")
        ran = await pushbridge("replay", "--config", config, "--data", r.folder, "--from", "-1h")
        assert (ran.code, ran.out.splitlines()[0]) == (0, f"{len(ODD) + len(VALUES)} sent"), ran
        assert [point.line for point in await to_thread.run_sync(influxd.points)] == before


async def test_a_database_that_is_not_there_is_waited_for(influxd: Influxd1, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="later") as r:
        await r.push(10)
        await until(lambda: r.sink.status().state == "held")
        assert 'database not found: "later"' in r.sink.status().problem
        await to_thread.run_sync(influxd.query, 'CREATE DATABASE "later"')
        await r.drained()
        assert r.sink.status().account.sent == 10


async def test_a_retention_policy_that_is_not_there_is_waited_for(influxd: Influxd1, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", url=influxd.url, db="d", rp="later") as r:
        await r.push(10)
        await until(lambda: r.sink.status().state == "held")
        create = 'CREATE RETENTION POLICY "later" ON "d" DURATION INF REPLICATION 1'
        await to_thread.run_sync(influxd.query, create)
        await r.drained()
        assert r.sink.status().account.sent == 10


async def test_credentials_are_waited_for(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with Influxd1(peer("influxd"), tmp_path / "influxd", INFLUXDB_HTTP_AUTH_ENABLED="true") as influxd:
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


async def test_we_read_lines_as_influxd_does(influxd: Influxd1) -> None:
    differ = {}
    for i, line in enumerate(LINES):
        influxd.query(f'CREATE DATABASE "l{i}"')  # types of fields belong to a database
        status, text = influxd.write(line.encode(), f"l{i}")
        if verdict(line.encode()) != status:
            differ[line] = text
    assert differ == {}
