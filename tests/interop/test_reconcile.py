"""Points deleted by hand at real InfluxDBs and a real VictoriaMetrics are found and brought back; what an InfluxDB
was not sent, as nothing had changed, is not missing."""

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
from tests.interop.influxdbs import Influxd, Influxd1, Influxd2
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


def sink(influxd: Influxd, **more: str) -> str:
    """Configuration of a sink that writes there."""
    return json.dumps({"influxdb": [{"name": "main"} | influxd.sink(**more)]})


async def test_points_deleted_by_hand(influxd: Influxd, tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, sink(influxd)) as bridge:
        await to_thread.run_sync(push_all, bridge)
        ran = await reconcile(bridge)
        assert ran.code == 0, ran

        before = influxd.points("rows")
        if isinstance(influxd, Influxd1 | Influxd2):
            influxd.delete("rows", "job", "job3")
            lost = PUSHES
        else:  # 3 deletes no points
            influxd.drop("rows")
            lost = JOBS * PUSHES
        ran = await reconcile(bridge, "-o", "json")
        assert (ran.code, missing(ran)) == (1, {"rows": lost})
        ran = await reconcile(bridge, "--repair")
        assert ran.code == 0, ran
        assert influxd.points("rows") == before


@pytest.mark.parametrize("mapping", ["prom-value", "telegraf-v1"])
async def test_what_stays_the_same_and_is_not_sent_is_no_difference(
    influxd: Influxd, tmp_path: Path, mapping: str
) -> None:
    text = sink(influxd, send_unchanged="false", heartbeat="1h", mapping=mapping)
    with BridgeProcess(tmp_path, text) as bridge:
        for _ in range(3):
            await to_thread.run_sync(push_all, bridge)
        for n in range(8):  # one that stays the same
            body = f'idle{{text="x y","odd.name"="a,b=c"}} {7 if n < 6 else 8}\nrest 1\n'
            assert bridge.request("PUT", "/metrics/job/idle", body).status == 200
            wait_until("all is sent", lambda: sink_row(bridge, "main")["pending"] == 0, 30)
        assert sink_row(bridge, "main")["unrepresentable"] >= 10
        before = influxd.points("idle")
        assert [point.value for point in before] == [7, 8]
        ran = await reconcile(bridge, "--repair", "-o", "json")
        assert (ran.code, missing(ran)) == (0, {}), ran
        assert sum(hour["unchanged"] for hour in json.loads(ran.out)) >= 10
        assert influxd.points("idle") == before, "nothing is sent"

        if isinstance(influxd, Influxd1 | Influxd2):
            influxd.delete("idle", time=before[1].time)
            lost = 2
        else:
            influxd.drop("idle")
            lost = 8
        ran = await reconcile(bridge, "-o", "json")
        assert (ran.code, missing(ran)) == (1, {"idle": lost}), ran
        ran = await reconcile(bridge, "--repair")
        assert ran.code == 0, ran
        assert len(influxd.points("idle")) == 8, "the hour, whole"
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
