"""Series whose samples change their kind within a request: taken, kept over `kill -9`, shown and sent in its order."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import Answer, BridgeProcess
from tests.faults.sinks import drained
from tests.forward.fake_receiver import FakeReceiver
from tests.forward.sender_traffic import receiver_thread
from tests.remote_write.writing import STALE, V1, V2, Series, now_ms, v1, v2

MESSAGES = {1: "prometheus.WriteRequest", 2: "io.prometheus.write.v2.Request"}
KINDS: dict[str, dict[str, Any]] = {
    "integer": {"count_int": 2, "sum": 1.5, "positive_spans": [(0, 1)], "positive_deltas": [2]},
    "parts": {"count_float": 2.5, "sum": 1.5, "positive_spans": [(0, 1)], "positive_counts": [2.5]},
}


def series(name: str, kinds: Sequence[str], times: Sequence[int]) -> list[Series]:
    """A sample of each kind as a series of the message, as Prometheus sends them."""

    def one(kind: str, t: int) -> Series:
        labels = {"__name__": "m", "n": name}
        if kind in KINDS:
            return Series(labels, histograms=[KINDS[kind] | {"timestamp": t}])
        return Series(labels, [(t, STALE if kind == "stale" else 7.0)])

    return [one(kind, t) for kind, t in zip(kinds, times, strict=True)]


def write(bridge: BridgeProcess, version: int, *rows: Series) -> Answer:
    body, headers = (v1(*rows), V1) if version == 1 else (v2(*rows), V2)
    return bridge.request("POST", "/api/v1/write", body, headers)


def found(bridge: BridgeProcess, name: str) -> list[tuple[int, str]]:
    """(ms, value or count) of all samples of a series, as a query shows them."""
    path = f"/api/v1/query?query=m%7Bn=%22{name}%22%7D%5B1h%5D"
    answer = json.loads(bridge.request("GET", path).body)["data"]["result"]
    samples = [(t, v) for row in answer for t, v in row.get("values", [])]
    samples += [(t, v["count"]) for row in answer for t, v in row.get("histograms", [])]
    return sorted((round(t * 1000), v) for t, v in samples)


def sent(receiver: FakeReceiver, name: str) -> list[tuple[int, str]]:
    """(ms, kind) of what a receiver got of a series, in the order in which it came."""

    def kind(value: Any) -> str:
        if isinstance(value, float):
            return "float"
        if math.isnan(value.sum):
            return "end"
        return "parts" if value.positive_counts else "integer"

    rows = [row for one in receiver.writes for row in one.rows if dict(row.labels)["n"] == name]
    return [(row.t, kind(row.value)) for row in rows]


@pytest.fixture(params=[1, 2])
def version(request: pytest.FixtureRequest) -> int:
    """Of what comes in and what goes out."""
    return int(request.param)


@pytest.fixture
def receiver() -> FakeReceiver:
    """One that wants order."""
    return FakeReceiver()


@pytest.fixture
def bridge(tmp_path: Path, receiver: FakeReceiver, version: int) -> Iterator[BridgeProcess]:
    """A bridge that sends on what it gets."""
    with receiver_thread(receiver) as url:
        config = (
            f"remote_write: [{{name: s, url: '{url}', protobuf_message: {MESSAGES[version]},"
            " send_native_histograms: true, queue_config: {max_samples_per_send: 3}}]\n"
        )
        with BridgeProcess(tmp_path, config) as bridge:
            yield bridge


def test_a_request_keeps_the_order_of_its_series(bridge: BridgeProcess, receiver: FakeReceiver, version: int) -> None:
    t = now_ms() - 60_000
    times = [t + n for n in range(6)]
    wanted = {
        "down": (["integer", "float"], [(t, "2"), (t + 1, "7")]),
        "up": (["float", "integer"], [(t, "7"), (t + 1, "2")]),
        "many": (
            ["parts", "integer", "float", "float", "integer", "parts"],
            [(t, "2.5"), (t + 1, "2"), (t + 2, "7"), (t + 3, "7"), (t + 4, "2"), (t + 5, "2.5")],
        ),
        "plain": (["float", "float"], [(t, "7"), (t + 1, "7")]),
    }
    rows = [row for name, (kinds, _) in wanted.items() for row in series(name, kinds, times[: len(kinds)])]
    answer = write(bridge, version, *rows)
    assert (answer.status, answer.text) == (204, "")
    if version == 2:
        assert answer.headers["x-prometheus-remote-write-samples-written"] == "6"
        assert answer.headers["x-prometheus-remote-write-histograms-written"] == "6"
    for restarted in (False, True):
        if restarted:
            bridge.kill()
            bridge.start()
        assert {name: found(bridge, name) for name in wanted} == {name: shown for name, (_, shown) in wanted.items()}
    assert write(bridge, version, *rows).status == 204, "sent again it is known"
    drained(bridge)
    for name, (kinds, _) in wanted.items():
        got = sent(receiver, name)
        assert sorted(set(got)) == list(zip(times[: len(kinds)], kinds, strict=True)), name
    assert len(receiver.rows) == 12
    assert json.loads(bridge.request("GET", "/api/v1/status/sinks").body)["data"]["sinks"][0]["dead_lettered"] == 0


def test_disorder_is_what_is_behind_a_newer_sample_of_any_kind(bridge: BridgeProcess, version: int) -> None:
    t = now_ms() - 60_000
    rows = [*series("a", ["integer", "float", "integer"], [t + 2, t + 1, t + 3]), *series("b", ["float"], [t])]
    answer = write(bridge, version, *rows)
    assert answer.status == 400
    assert answer.text.startswith("out of order sample")
    if version == 2:
        assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
        assert answer.headers["x-prometheus-remote-write-histograms-written"] == "2"
    wanted = [] if version == 1 else [(t + 2, "2"), (t + 3, "2")]
    assert (found(bridge, "a"), found(bridge, "b")) == (wanted, wanted and [(t, "7")])


def test_a_series_ends_as_what_it_was(bridge: BridgeProcess, version: int, receiver: FakeReceiver) -> None:
    t = now_ms() - 60_000
    kinds = ["float", "parts", "stale", "float"]
    assert write(bridge, version, *series("a", kinds, [t, t + 1, t + 2, t + 3])).status == 204
    bridge.kill()
    bridge.start()
    assert found(bridge, "a") == [(t, "7"), (t + 1, "2.5"), (t + 3, "7")]
    drained(bridge)
    assert sorted(set(sent(receiver, "a"))) == [(t, "float"), (t + 1, "parts"), (t + 2, "end"), (t + 3, "float")]


def test_history_is_sent_in_the_order_of_each_series(
    bridge: BridgeProcess, version: int, receiver: FakeReceiver
) -> None:
    """More than one request of it: floats must not go before the histograms between them."""
    t = now_ms() - 60_000
    kinds = ["integer", "float", "parts", "float", "integer"] * 4
    times = [t + n for n in range(len(kinds))]
    assert write(bridge, version, *series("a", kinds, times), *series("b", kinds, times)).status == 204
    drained(bridge)
    receiver.stored.clear()
    receiver.writes.clear()
    command = [
        sys.executable,
        "-m",
        "bridge",
        "replay",
        "--config",
        str(bridge.config_file),
        "--data",
        str(bridge.data),
    ]
    done = subprocess.run([*command, "--sink", "s", "--from", "-1h"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("a", "b"):
        assert sent(receiver, name) == list(zip(times, kinds, strict=True))


@pytest.mark.parametrize("restarted", [False, True])
def test_late_samples_of_any_kind_are_taken_within_the_window(tmp_path: Path, restarted: bool) -> None:
    t = now_ms() - 60_000
    kinds = ["integer", "float", "parts", "float", "integer", "float"]
    with BridgeProcess(tmp_path, "storage: {out_of_order_time_window: 1h}\n") as bridge:
        rows = series("a", kinds, [t + 3, t + 1, t + 2, t + 4, t, t])  # of two late ones at a time the first stands
        assert write(bridge, 1, *rows).status == 204
        if restarted:
            bridge.kill()
            bridge.start()
        assert found(bridge, "a") == [(t, "2"), (t + 1, "7"), (t + 2, "2.5"), (t + 3, "2"), (t + 4, "7")]
