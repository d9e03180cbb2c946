"""The main job against the real InfluxDB: every acknowledged push is there once, at its push time, whoever is
killed."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from tests.bridge_process import BridgeProcess, wait_until
from tests.interop.influxdbs import Influxd1

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

SECONDS = float(os.environ.get("MAIN_JOB_SECONDS", "20"))


@pytest.fixture
def influxd(peer: Callable[[str], Path], tmp_path: Path) -> Iterator[Influxd1]:
    with Influxd1(peer("influxd"), tmp_path / "influxd") as server:
        server.make("d")
        yield server


def config(influxd: Influxd1) -> str:
    return f"influxdb: [{{name: s, url: '{influxd.url}', db: d}}]\n"


def drained(bridge: BridgeProcess) -> bool:
    (row,) = json.loads(bridge.request("GET", "/api/v1/status/sinks").body)["data"]["sinks"]
    assert row["identity_holds"]
    return bool(row["pending"] == 0 and row["dead_lettered"] == 0 and row["accepted"] == row["sent"])


def stored(data: Path, name: str) -> dict[tuple[str, int], float]:
    """(job, time) -> value, as the bridge's own store has it."""
    found = Directory(Files(), data / "tsdb", SystemClock()).select([("__name__", "=", name)])
    return {(s.labels["job"], t): v for s in found for t, v in zip(s.timestamps, s.values, strict=True)}


def at_sink(influxd: Influxd1, name: str) -> dict[tuple[str, int], float]:
    found = influxd.points(name)
    points = {(dict(point.tags)["job"], point.time): float(point.value) for point in found}
    assert len(points) == len(found), "a point is there twice"
    return points


def test_each_push_once_at_its_push_time(influxd: Influxd1, tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, config(influxd)) as bridge:
        began = int(time.time() * 1000)
        for value in range(50):
            body = f'rows{{table="a b,c=d"}} {value}\n'
            assert bridge.request("PUT", "/metrics/job/one/zone/x%20y", body).status == 200
        ended = int(time.time() * 1000)
        wait_until("all is sent", lambda: drained(bridge))
        points = influxd.points("rows")
        tags = (("job", "one"), ("table", "a b,c=d"), ("zone", "x y"))
        assert [(point.tags, point.value) for point in points] == [(tags, value) for value in range(50)]
        times = [point.time for point in points]
        assert len(set(times)) == 50
        assert began <= times[0]
        assert times[-1] <= ended + 50  # pushes within one millisecond are moved on
        assert at_sink(influxd, "rows") == stored(bridge.data, "rows")


class Pusher(threading.Thread):
    """Pushes numbers for one job until told to stop; a number is remembered when it has been acknowledged."""

    def __init__(self, port: int, job: str) -> None:
        super().__init__(name=job)
        self.job = job
        self.acknowledged: list[float] = []
        self.stop = threading.Event()
        self._port = port

    def run(self) -> None:
        number = 0
        connection: http.client.HTTPConnection | None = None
        while not self.stop.wait(0.005):
            number += 1
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
                connection.request("PUT", f"/metrics/job/{self.job}", f"number {number}\n")
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.acknowledged.append(number)
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()


def test_kill_bridge_and_influxd_in_turn(influxd: Influxd1, tmp_path: Path) -> None:
    bridge = BridgeProcess(tmp_path, config(influxd)).start()
    pushers = [Pusher(bridge.port, f"job{n}") for n in range(4)]
    for pusher in pushers:
        pusher.start()
    until = time.monotonic() + SECONDS
    turn = 0
    try:
        while time.monotonic() < until or turn < 4:
            enough = sum(len(p.acknowledged) for p in pushers) + 150
            wait_until("more pushes", lambda enough=enough: sum(len(p.acknowledged) for p in pushers) >= enough, 60)
            if turn % 2:
                influxd.kill()
                influxd.start()
            else:
                bridge.kill()
                bridge.start()
            turn += 1
    finally:
        for pusher in pushers:
            pusher.stop.set()
        for pusher in pushers:
            pusher.join()
    with bridge:
        wait_until("all is sent", lambda: drained(bridge), 120)
    mine = stored(bridge.data, "number")
    assert at_sink(influxd, "number") == mine
    for pusher in pushers:
        assert set(pusher.acknowledged) <= {value for (job, _), value in mine.items() if job == pusher.job}
