"""Exemplars that leave the log before a sink has come to them: they are nowhere else, so they are counted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.buffer import CURSORS, Cursors, Files, Gap, MissedExemplars, Position, Schema, State
from bridge.native import Batch
from tests.edge.serving import until
from tests.forward.exemplars import TIME, batch
from tests.forward.kinds import KINDS
from tests.forward.remote_rig import RemoteRig
from tests.forward.rig import Rig

pytestmark = pytest.mark.anyio


def exemplars_at(r: Rig, kind: str) -> set[int]:
    """The times of exemplars of `hits_total` that a sink was sent, of whatever kind it is."""
    if KINDS[kind].is_remote:
        assert isinstance(r, RemoteRig)
        sent = [one for write in r.receiver.writes for one in write.exemplars]
        return {t for labels, _, _, t in sent if ("__name__", "hits_total") in labels}
    lines = [line for write in r.fake.writes for line in write.lines if line.startswith("hits_total_exemplar")]
    return {int(line.rsplit(" ", 1)[1]) for line in lines}


def hits(t: int) -> Batch:
    """A push at `t` with an exemplar a millisecond later."""
    return batch(f'# TYPE hits counter\nhits_total 7 # {{trace_id="x"}} 1 {(t + 1) / 1000:.3f}\n# EOF\n', t)


async def stopped(r: Rig) -> None:
    """The sink has come to here, and no farther."""
    r.now = TIME
    await r.store.append(hits(TIME))
    await r.drained()
    await r.stop_sink()


async def lose_log(r: Rig, *times: int) -> None:
    """Push at these times, then let the log go."""
    for t in times:
        await r.store.append(hits(t))
    r.now = max(r.now, *times)
    await r.cut()
    assert await r.truncate() == ["main"]


async def caught_up(r: Rig) -> None:
    """Wait until all is sent."""
    await r.drained()
    await until(lambda: r.sink.status().account.catching_up is None)


def lost(r: Rig) -> Any:
    """How many exemplars are lost, by the account and by the metric."""
    by_metric = r.sink_registry.get_sample_value("pushbridge_sink_exemplars_lost_total", {"sink": "main"})
    assert r.sink.status().account.exemplars_lost == by_metric
    return by_metric


@pytest.mark.parametrize("kind", KINDS)
async def test_of_a_gap_the_exemplars_that_the_log_still_has_are_sent(tmp_path: Path, kind: str) -> None:
    """History has none, so those of the part that has gone are too; the samples of both arrive."""
    async with KINDS[kind].running(tmp_path, KINDS[kind].fake(), send_exemplars="true") as r:
        await stopped(r)
        await lose_log(r, TIME + 1_000, TIME + 2_000)
        await r.store.append(hits(r.now + 1_000))
        assert lost(r) == 0
        with capture_logs() as logs:
            r.start_sink()
            await caught_up(r)
        assert exemplars_at(r, kind) == {TIME + 1, r.now + 1_001}
        keys = r.held() if KINDS[kind].is_remote else r.fake.points
        samples = {t for key, t in keys if "hits_total" in str(key) and "_exemplar" not in str(key)}
        assert samples == {TIME, TIME + 1_000, TIME + 2_000, r.now + 1_000}
        assert r.sink.status().identity_holds
        assert lost(r) == 2
        (told,) = [entry for entry in logs if entry["event"].startswith("exemplars are not sent")]
        assert (told["sink"], told["exemplars"]) == ("main", 2)
        assert (told["first_ms"], told["last_ms"]) == (TIME + 1_001, TIME + 2_001)
        assert "storage.wal_keep" in told["advice"]


@pytest.mark.parametrize("kind", KINDS)
async def test_who_wants_none_misses_none(tmp_path: Path, kind: str) -> None:
    async with KINDS[kind].running(tmp_path, KINDS[kind].fake()) as r:
        await stopped(r)
        await lose_log(r, TIME + 1_000, TIME + 2_000)
        with capture_logs() as logs:
            r.start_sink()
            await caught_up(r)
        assert lost(r) == 0
        assert not [entry for entry in logs if entry["log_level"] == "warning"]


@pytest.mark.parametrize("kind", ["influxdb v2", "remote write 2.0"])
async def test_they_count_once_over_all_gaps_and_restarts(tmp_path: Path, kind: str) -> None:
    async with KINDS[kind].running(tmp_path, KINDS[kind].fake(), send_exemplars="true") as r:
        await stopped(r)
        await lose_log(r, TIME + 1_000, TIME + 2_000)
        await lose_log(r, TIME + 3_000)
        await r.restart()
        await caught_up(r)
        assert lost(r) == 3
        await r.stop_sink()
        await lose_log(r, TIME + 10_000)
        for _ in range(5):
            r.start_sink()
            await asyncio.sleep(0)
            await r.kill_sink()
        r.start_sink()
        await caught_up(r)
        assert lost(r) == 4
        await r.restart()
        assert lost(r) == 4
        assert r.sink.status().identity_holds


async def test_gaps_of_an_older_version_tell_of_none(tmp_path: Path) -> None:
    older = Schema(CURSORS.name, CURSORS.steps[:2])
    state = State.open(tmp_path / "state.db", [older], Files())
    row = ("main", 3, 0, 70, json.dumps([[1, 9]]))
    await state.write(lambda connection: connection.execute("INSERT INTO gaps VALUES (?, ?, ?, ?, ?)", row))
    await state.close()
    state = State.open(tmp_path / "state.db", [CURSORS], Files())
    cursors = Cursors(state)
    assert cursors.gap("main", Position(0, 0)) == Gap(Position(3, 0), 70, ((1, 9),))
    newer = Gap(Position(4, 0), 90, ((11, 12),), MissedExemplars(5, -2, 12))
    await cursors.note_gap("main", newer)
    await cursors.note_gap("main", Gap(Position(5, 0), 95, ((13, 14),), MissedExemplars(1, 3, 20)))
    for book in (cursors, Cursors(state)):
        gap = book.gap("main", Position(0, 0))
        assert gap is not None
        assert gap.exemplars == MissedExemplars(6, -2, 20)
        assert book.gap("main", Position(4, 0)) == Gap(Position(5, 0), 95, ((13, 14),), MissedExemplars(1, 3, 20))
    await state.close()
