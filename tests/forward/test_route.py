"""What selectors and rules of an InfluxDB sink leave out is in its account, and what they change is sent so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.clock import SystemClock
from bridge.config import InfluxSink
from bridge.forward import open_outlet
from bridge.forward.lines import LineEncoder
from bridge.forward.payload import samples_in
from bridge.forward.reconcile import HOUR, Place
from bridge.forward.reconcile.stored import count_stored
from bridge.native import Lines
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

RULES = [
    {"source_labels": ("n",), "regex": "[0-4]", "action": "drop"},
    {"source_labels": ("__name__", "n"), "separator": "_", "target_label": "__name__"},
    {"regex": "n", "action": "labeldrop"},
]


def sent(r: Rig) -> set[str]:
    return {series for series, _ in r.fake.points}


async def test_only_series_that_a_selector_finds_are_sent(tmp_path: Path) -> None:
    async with rig(tmp_path, match=('{n=~"[0-3]"}', 'other{n="7"}')) as r:
        await r.push(10)
        await r.push(10, metric="other")
        await r.drained()
        few = {f"{metric},n={n}" for metric in ("m", "other") for n in range(4)}
        assert sent(r) == few | {"other,n=7"}
        status = r.sink.status()
        assert (status.account.sent, status.account.unrepresentable) == (9, {"filtered": 11})
        assert status.identity_holds


async def test_rules_change_and_drop_series(tmp_path: Path) -> None:
    async with rig(tmp_path, write_relabel_configs=RULES) as r:
        await r.push(7)
        await r.push(7)
        await r.drained()
        assert sent(r) == {"m_5", "m_6"}
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (4, {"filtered": 10})
        assert r.sink.status().identity_holds


async def test_what_is_left_out_is_not_remembered_as_unchanged(tmp_path: Path) -> None:
    async with rig(tmp_path, match=('{n="0"}',), send_unchanged="false", heartbeat="1h") as r:
        for _ in range(2):
            await r.push(3, value=lambda _: 1.0)
            await r.drained()
        assert r.sink.status().account.unrepresentable == {"filtered": 4, "unchanged": 1}


async def test_samples_from_history_go_the_same_way(tmp_path: Path) -> None:
    async with rig(tmp_path, write_relabel_configs=RULES) as r:
        await r.push(7)
        await r.drained()
        await r.stop_sink()
        for _ in range(3):
            await r.push(7, metric="late")
        await r.cut()
        assert await r.truncate() == ["main"]
        r.start_sink()
        await r.drained()
        assert {"m_5", "m_6", "late_5", "late_6"} <= sent(r)
        assert not {series for series in sent(r) if "n=" in series or series.endswith("_4")}
        status = r.sink.status()
        assert status.account.unrepresentable["filtered"] >= 20
        assert status.identity_holds


@pytest.mark.parametrize("mapping", ["prom-value", "telegraf-rw", "telegraf-v1"])
@pytest.mark.parametrize("settings", [{}, {"match": ('{n=~"[0-3]"}',)}, {"write_relabel_configs": RULES}])
async def test_the_log_and_history_give_the_same_lines(tmp_path: Path, mapping: str, settings: dict[str, Any]) -> None:
    async with rig(tmp_path) as r:
        for _ in range(4):
            await r.push(7)
        await r.drained()
        encoder = LineEncoder(InfluxSink(name="x", url="http://h", db="d", mapping=mapping, **settings))
        log, _ = r.store.read(r.store.oldest(), 1000)
        logged = encoder.encode_slice(r.store.head, log)
        columns = r.history(0, 1 << 60, 0)
        stored = [columns.encode(start, min(start + 5, 28), encoder) for start in range(0, 28, 5)]
        lines = []
        for piece in stored:
            assert isinstance(piece, Lines)
            lines += piece.singly().body.splitlines()
        assert sorted(logged.singly().body.splitlines()) == sorted(lines)
        left_out = [sum(piece.unrepresentable.values()) for piece in (logged, *stored)]
        assert sum(left_out[1:]) == left_out[0] == 28 - samples_in(logged)


async def test_the_store_is_counted_as_it_is_sent(tmp_path: Path) -> None:
    async with rig(tmp_path, match=('{n!="6"}',), write_relabel_configs=RULES) as r:
        await r.push(8)
        await r.push(8)
        await r.drained()
        outlet = open_outlet(r.settings, SystemClock())
        found = count_stored(r.history, outlet, (0, HOUR - 1), HOUR)
        assert found == {Place("m_5", "value", 0): 2, Place("m_7", "value", 0): 2}
        await outlet.transport.close()


@pytest.mark.parametrize("match", ["{", '{a=~"("}', "a b", "1"])
def test_what_is_no_selector_is_refused(match: str) -> None:
    with pytest.raises(ValidationError):
        InfluxSink(name="x", url="http://h", db="d", match=(match,))
