"""What the bridge says about itself, also while it is still reading its log."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.types import Receive, Scope, Send

from bridge.api import Entrance, WalReplay
from tests.api.asking import ask, data, write
from tests.bridge_process import BridgeProcess

CONFIG = """
global: {external_labels: {dc: x}}
web: {enable_admin_api: true}
storage: {retention: {time: 30d, size: 1GiB}, max_block_duration: 2h}
influxdb: [{name: main, url: "http://127.0.0.1:1", bucket: b, token: very-secret}]
"""


def test_configuration_flags_and_versions(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, CONFIG) as bridge:
        config = data(ask(bridge, "/status/config"))["yaml"]
        assert "very-secret" not in config
        assert yaml.safe_load(config)["global"] == {"external_labels": {"dc": "x"}}
        flags = data(ask(bridge, "/status/flags"))
        assert flags["storage.tsdb.min-block-duration"] == flags["storage.tsdb.max-block-duration"] == "2h"
        assert flags["storage.tsdb.retention.time"] == "30d"
        assert flags["web.enable-admin-api"] == "true"
        assert flags["storage.tsdb.path"] == str(bridge.data / "tsdb")
        assert data(ask(bridge, "/status/buildinfo"))["version"] == "3.14.0"
        info = data(ask(bridge, "/status/runtimeinfo"))
        assert (info["reloadConfigSuccess"], info["storageRetention"]) == (True, "30d or 1GiB")
        assert info["startTime"] <= info["serverTime"]

        bridge.config_file.write_text("global: {externals: {}}\n")
        assert bridge.request("POST", "/-/reload").status == 500
        assert data(ask(bridge, "/status/runtimeinfo"))["reloadConfigSuccess"] is False
        bridge.config_file.write_text("global: {external_labels: {dc: y}}\n")
        assert bridge.request("POST", "/-/reload").status == 200
        assert data(ask(bridge, "/status/runtimeinfo"))["reloadConfigSuccess"] is True
        assert yaml.safe_load(data(ask(bridge, "/status/config"))["yaml"])["global"] == {"external_labels": {"dc": "y"}}


def test_the_log_has_been_read_when_it_serves(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        assert data(ask(bridge, "/status/walreplay")) == {"min": 0, "max": 0, "current": 0, "state": "done"}
        write(bridge, "up value=1 1000")
        assert bridge.stop() == 0
        bridge.start()
        write(bridge, "up value=1 2000")
        bridge.kill()
        bridge.start()
        assert data(ask(bridge, "/status/walreplay")) == {"min": 0, "max": 1, "current": 1, "state": "done"}


@pytest.mark.anyio
async def test_who_asks_during_the_replay_is_told_or_waits() -> None:
    async def bridge(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    replay = WalReplay()
    entrance = Entrance(replay, "/x")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(entrance), base_url="http://test") as client:
        assert (await client.get("/x/api/v1/status/walreplay")).json()["data"]["state"] == "waiting"
        replay.note(3, 7, 4)
        answer = await client.get("/x/api/v1/status/walreplay")
        assert json.loads(answer.content)["data"] == {"min": 3, "max": 7, "current": 4, "state": "in progress"}
        assert (await client.get("/x/-/healthy")).text == "OK"
        ready = await client.get("/x/-/ready")
        assert (ready.status_code, ready.text) == (503, "Service Unavailable")
        assert ready.headers["x-prometheus-stopping"] == "false"
        push = asyncio.create_task(client.put("/x/metrics/job/a", content=b"a 1\n"))
        await asyncio.sleep(0)
        entrance.open(bridge)
        assert (await push).text == "/x/metrics/job/a"
        assert (await client.get("/x/-/ready")).text == "/x/-/ready"


def test_a_bridge_that_nobody_queries_has_no_numpy(tmp_path: Path) -> None:
    def has_numpy(bridge: BridgeProcess) -> bool:
        return "numpy" in Path(f"/proc/{bridge.pid}/maps").read_text()

    with BridgeProcess(tmp_path) as bridge:
        write(bridge, "up value=1 1000")
        assert bridge.request("GET", "/federate?match%5B%5D=up").status == 200
        assert data(ask(bridge, "/series", {"match[]": "up"}))
        assert not has_numpy(bridge)
        assert data(ask(bridge, "/query", {"query": "1"}))
        assert has_numpy(bridge)
