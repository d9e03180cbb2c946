"""Points deleted by hand at a real InfluxDB and a real VictoriaMetrics are found and brought back."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from anyio import to_thread

from tests.bridge_process import BridgeProcess, wait_until
from tests.cli.running import Ran, pushbridge
from tests.faults.sinks import sink_row
from tests.interop.influxdbs import Influxd1
from tests.interop.peers import VictoriaMetrics

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

JOBS, PUSHES = 5, 6


def push_all(bridge: BridgeProcess) -> None:
    """Some gauges of a few jobs, several times, until the sink has them."""
    for n in range(PUSHES):
        for job in range(JOBS):
            body = f"rows {n}\nseconds {n / 10}\n"
            assert bridge.request("PUT", f"/metrics/job/job{job}", body).status == 200
    wait_until("all is sent", lambda: sink_row(bridge, "main")["pending"] == 0, 30)


async def reconcile(bridge: BridgeProcess, *options: str) -> Ran:
    return await pushbridge(
        "reconcile", "--config", bridge.config_file, "--data", bridge.data, "--from", "-1h", "--to", "now", *options
    )


def missing(ran: Ran) -> dict[str, int]:
    """Points that are missing, by measurement."""
    found: dict[str, int] = {}
    for one in (one for hour in json.loads(ran.out) for one in hour["differences"]):
        found[one["measurement"]] = found.get(one["measurement"], 0) + one["missing"]
    return found


async def test_influxdb(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with Influxd1(peer("influxd"), tmp_path / "influxd") as influxd:
        influxd.query('CREATE DATABASE "d"')
        text = f"influxdb: [{{name: main, url: '{influxd.url}', db: d}}]\n"
        with BridgeProcess(tmp_path, text) as bridge:
            await to_thread.run_sync(push_all, bridge)
            ran = await reconcile(bridge)
            assert ran.code == 0, ran

            before = influxd.query("SELECT * FROM rows GROUP BY *")
            influxd.query("DELETE FROM rows WHERE job = 'job3'")
            ran = await reconcile(bridge, "-o", "json")
            assert (ran.code, missing(ran)) == (1, {"rows": PUSHES})
            ran = await reconcile(bridge, "--repair")
            assert ran.code == 0, ran
            assert influxd.query("SELECT * FROM rows GROUP BY *") == before


@pytest.mark.parametrize("mapping", ["prom-value", "telegraf-v1"])
async def test_influxdb_that_is_not_sent_what_stays_the_same(
    peer: Callable[[str], Path], tmp_path: Path, mapping: str
) -> None:
    with Influxd1(peer("influxd"), tmp_path / "influxd") as influxd:
        influxd.query('CREATE DATABASE "d"')
        elided = f"send_unchanged: false, heartbeat: 1h, mapping: {mapping}"
        text = f"influxdb: [{{name: main, url: '{influxd.url}', db: d, {elided}}}]\n"
        with BridgeProcess(tmp_path, text) as bridge:
            for _ in range(3):
                await to_thread.run_sync(push_all, bridge)
            for n in range(8):  # one that stays the same
                body = f'idle{{value="x y","odd.name"="a,b=c"}} {7 if n < 6 else 8}\nrest 1\n'
                assert bridge.request("PUT", "/metrics/job/idle", body).status == 200
                wait_until("all is sent", lambda: sink_row(bridge, "main")["pending"] == 0, 30)
            assert sink_row(bridge, "main")["unrepresentable"] >= 10
            before = influxd.query("SELECT * FROM idle GROUP BY *")
            assert len(before[0]["values"]) == 2
            ran = await reconcile(bridge, "--repair", "-o", "json")
            assert (ran.code, missing(ran)) == (0, {}), ran
            assert sum(hour["unchanged"] for hour in json.loads(ran.out)) >= 10
            assert influxd.query("SELECT * FROM idle GROUP BY *") == before, "nothing is sent"

            second = before[0]["values"][1][0]
            influxd.query(f"DELETE FROM idle WHERE time = {int(second)}ms")
            ran = await reconcile(bridge, "-o", "json")
            assert (ran.code, missing(ran)) == (1, {"idle": 2}), ran
            ran = await reconcile(bridge, "--repair")
            assert ran.code == 0, ran
            repaired = influxd.query("SELECT * FROM idle GROUP BY *")
            assert len(repaired[0]["values"]) == 8, "the hour, whole"
            ran = await reconcile(bridge, "--repair", "-o", "json")
            assert (ran.code, missing(ran)) == (0, {}), ran


async def test_victoriametrics_as_a_remote_write_receiver(peer: Callable[[str], Path], tmp_path: Path) -> None:
    with VictoriaMetrics(peer("victoria-metrics"), tmp_path / "vm") as server:
        text = f"remote_write: [{{name: main, url: '{server.url}/api/v1/write'}}]\n"
        with BridgeProcess(tmp_path, text) as bridge:
            await to_thread.run_sync(push_all, bridge)
            started = time.time()
            while (ran := await reconcile(bridge)).code != 0:
                server.get("/internal/force_flush")  # what was written is seen within seconds
                assert time.time() - started < 60, ran

            chosen = urllib.parse.urlencode({"match[]": '{__name__="rows",job="job3"}'})
            server.get(f"/api/v1/admin/tsdb/delete_series?{chosen}")
            ran = await reconcile(bridge, "-o", "json")
            assert (ran.code, missing(ran)) == (1, {"rows": PUSHES})
            ran = await reconcile(bridge, "--repair")
            server.get("/internal/force_flush")
            ran = await reconcile(bridge)
            assert ran.code == 0, ran
