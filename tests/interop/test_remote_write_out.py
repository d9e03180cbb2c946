"""We remote-write to real receivers, which are killed, as we are: values are equal afterwards, and in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import BridgeProcess, wait_until
from tests.faults.sinks import drained, sink_row
from tests.interop.peers import Prometheus, VictoriaMetrics

pytestmark = pytest.mark.interop

Key = frozenset[tuple[str, str]]


def config(url: str, more: str = "") -> str:
    """A bridge with one sink."""
    return f"remote_write: [{{name: s, url: '{url}/api/v1/write'{more}}}]\n"


def push(bridge: BridgeProcess, first: int, count: int = 40) -> None:
    """Push batches whose values count up."""
    for n in range(first, first + count):
        page = "".join(f'm{{n="{i}"}} {n}.{i}\n' for i in range(30))
        assert bridge.request("PUT", f"/metrics/job/j{n % 3}", page).status == 200


def stored(bridge: BridgeProcess) -> dict[Key, list[tuple[int, float]]]:
    """All float samples `m` of the bridge's own store, from its dump."""
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    command = [sys.executable, "-m", "bridge", "tsdb", "dump", "--match", '{__name__="m"}', "--data", str(bridge.data)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found: dict[Key, list[tuple[int, float]]] = {}
    for line in lines:
        series, value, t = line.rsplit(" ", 2)
        pairs = (part.split("=", 1) for part in series[1:-1].split(", "))
        found.setdefault(frozenset((name, text.strip('"')) for name, text in pairs), []).append((int(t), float(value)))
    return found


def at_prometheus(peer: Prometheus) -> dict[Key, list[tuple[int, float]]]:
    """What it has of `m`."""
    data: list[Any] = peer.api("query", query="m[1h]")["result"]
    return {
        frozenset(series["metric"].items()): [(round(t * 1000), float(v)) for t, v in series["values"]]
        for series in data
    }


def at_victoria(peer: VictoriaMetrics) -> dict[Key, list[tuple[int, float]]]:
    """What it has of `m`: a point that was sent twice is there twice."""
    return {
        frozenset(series["metric"].items()): sorted(set(zip(series["timestamps"], series["values"], strict=True)))
        for series in peer.export()
        if series["metric"]["__name__"] == "m"
    }


@pytest.mark.parametrize("message", ["", ", protobuf_message: io.prometheus.write.v2.Request"])
def test_a_prometheus_gets_all(peer: Callable[[str], Path], tmp_path: Path, message: str) -> None:
    program = peer("prometheus")
    theirs = Prometheus(program, tmp_path / "peer", tmp_path / "theirs", receives=True)
    with theirs, BridgeProcess(tmp_path, config(theirs.url, message)) as bridge:
        push(bridge, 0)
        drained(bridge)
        # Debian's Prometheus knows no 2.0: it answers a request of it with 400 or 204, and gets 1.0 instead.
        assert at_prometheus(theirs) == stored(bridge)
        assert sink_row(bridge)["dead_lettered"] == 0


def test_a_prometheus_that_is_killed_gets_all(peer: Callable[[str], Path], tmp_path: Path) -> None:
    program = peer("prometheus")
    theirs = Prometheus(program, tmp_path / "peer", tmp_path / "theirs", receives=True)
    with BridgeProcess(tmp_path, config(theirs.url)) as bridge:
        for n in range(3):
            with theirs:
                push(bridge, 100 * n, 20)
            push(bridge, 100 * n + 50, 20)  # while it is down
        with theirs:
            drained(bridge)
            assert at_prometheus(theirs) == stored(bridge)
            assert sink_row(bridge)["identity_holds"]
            assert sink_row(bridge)["dead_lettered"] == 0


def test_a_killed_bridge_sends_all(peer: Callable[[str], Path], tmp_path: Path) -> None:
    program = peer("prometheus")
    theirs = Prometheus(program, tmp_path / "peer", tmp_path / "theirs", receives=True)
    with theirs:
        bridge = BridgeProcess(tmp_path, config(theirs.url))
        for n in range(4):
            with bridge:
                push(bridge, 100 * n)  # and then it is killed
        with bridge:
            drained(bridge)
            assert at_prometheus(theirs) == stored(bridge)
            assert sink_row(bridge)["identity_holds"]
            assert sink_row(bridge)["dead_lettered"] == 0


def test_a_prometheus_catches_up_in_order(peer: Callable[[str], Path], tmp_path: Path) -> None:
    program = peer("prometheus")
    theirs = Prometheus(program, tmp_path / "peer", tmp_path / "theirs", receives=True)
    with BridgeProcess(tmp_path, config(theirs.url, ", queue_config: {max_samples_per_send: 100}")) as bridge:
        push(bridge, 0, 200)
        wait_until("the sink is tried", lambda: sink_row(bridge)["state"] == "retrying")
        with theirs:
            wait_until("all is sent", lambda: sink_row(bridge)["pending"] == 0, 60)
            assert at_prometheus(theirs) == stored(bridge)
            assert sink_row(bridge)["dead_lettered"] == 0


def test_samples_that_a_prometheus_refuses_are_dead_letters(peer: Callable[[str], Path], tmp_path: Path) -> None:
    program = peer("prometheus")
    theirs = Prometheus(program, tmp_path / "peer", tmp_path / "theirs", receives=True)
    text = "push: {timestamps: accept, timestamp_max_age: 10h}\nstorage: {out_of_order_time_window: 9h}\n"
    with theirs, BridgeProcess(tmp_path, text + config(theirs.url)) as bridge:
        push(bridge, 0, 5)
        now = json.loads(bridge.request("GET", "/api/v1/status/sinks").body)["data"]["sinks"][0]["position"]
        assert now
        newest = max(t for samples in stored(bridge).values() for t, _ in samples)
        late = f'm{{n="1"}} 7 {newest - 3_600_000}\n'
        assert bridge.request("POST", "/metrics/job/j1", late).status == 200
        push(bridge, 10, 5)
        drained(bridge)
        row = sink_row(bridge)
        assert (row["dead_lettered"], row["identity_holds"]) == (1, True)


@pytest.mark.parametrize("message", ["", ", protobuf_message: io.prometheus.write.v2.Request"])
def test_victoriametrics_gets_all(peer: Callable[[str], Path], tmp_path: Path, message: str) -> None:
    program = peer("victoria-metrics")
    theirs = VictoriaMetrics(program, tmp_path / "peer")
    with theirs:  # which is not killed: it has the last seconds in memory only
        bridge = BridgeProcess(tmp_path, config(theirs.url, message))
        for n in range(3):
            with bridge:
                push(bridge, 100 * n)  # and then it is killed
        with bridge:
            drained(bridge)
            assert at_victoria(theirs) == stored(bridge)
            assert sink_row(bridge)["dead_lettered"] == 0
