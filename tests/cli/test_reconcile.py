"""`pushbridge reconcile`, beside a running store, against a sink that lost points."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bridge.config import Duration, Reconcile
from bridge.forward import StoredHistory
from bridge.forward.reconcile import HOUR, ReconcileMetrics, Reconciler
from tests.buffer.told_clock import ToldClock
from tests.cli.running import Ran, pushbridge
from tests.edge.serving import serving
from tests.forward.fake_counts import FakeCounts
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

START = 1_700_000_000_000 - 1_700_000_000_000 % HOUR
CONFIG = """
storage: {{path: {path}}}
influxdb:
  - {{name: main, url: "http://127.0.0.1:{port}", dialect: v1, db: d, batch_samples: 100, {more}}}
"""


class Sink:
    """An InfluxDB 1 that can be written to and asked how much it has."""

    def __init__(self) -> None:
        self.writes = FakeInflux()
        self.counts = FakeCounts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/query" or b"q=" in scope["query_string"]:
            await self.writes(scope, receive, send)
            return
        self.counts.points = [(series.partition(",")[0], "value", time) for series, time in self.writes.points]
        self.counts.rows = [
            (name, dict(tag.split("=") for tag in tags), "value", time, float(fields.removeprefix("value=")))
            for (series, time), fields in self.writes.points.items()
            for name, *tags in [series.split(",")]
        ]
        await self.counts(scope, receive, send)

    def lose(self, part: str) -> int:
        """Forget the points of series that have `part` in their key."""
        gone = [key for key in self.writes.points if part in key[0]]
        for key in gone:
            del self.writes.points[key]
        return len(gone)


class Place:
    """A store whose samples were sent, and the sink that has them."""

    def __init__(self, r: Rig, sink: Sink, config: Path) -> None:
        self.rig = r
        self.sink = sink
        self.config = config

    def has_everything(self) -> bool:
        """Whether the sink has each accepted sample, unchanged."""
        held = {key: float(fields.removeprefix("value=")) for key, fields in self.sink.writes.points.items()}
        return held == self.rig.accepted

    async def reconcile(self, *arguments: str) -> Ran:
        since, until = str(START // 1000), str((START + 4 * HOUR) // 1000)
        return await pushbridge("reconcile", "--config", self.config, "--from", since, "--to", until, *arguments)


@asynccontextmanager
async def place(folder: Path, **more: str) -> AsyncIterator[Place]:
    sink = Sink()
    given: dict[str, Any] = {"dialect": "v1", "db": "d"} | more
    async with serving(sink) as port, rig(folder / "data", url=f"http://127.0.0.1:{port}", **given) as r:
        for n in range(30):
            await r.push(10, time=START + n * 5 * 60_000)
            await r.push(3, metric="other", time=START + n * 5 * 60_000 + 1)
        await r.drained()
        config = folder / "bridge.yml"
        told = ", ".join(f"{name}: {value}" for name, value in more.items())
        config.write_text(CONFIG.format(path=r.folder, port=port, more=told))
        yield Place(r, sink, config)


async def test_a_sink_that_has_everything_lacks_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        ran = await p.reconcile()
        assert (ran.code, ran.err) == (0, "")
        assert "5 hours: 390 stored for the sink, 390 found there, 0 missing" in ran.out


async def test_what_a_sink_has_lost_is_found_by_hour_and_sent_again(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        lost = p.sink.lose("m,n=7")
        assert lost == 30
        ran = await p.reconcile("-o", "json")
        assert ran.code == 1
        differences = [one for hour in json.loads(ran.out) for one in hour["differences"]]
        assert [(one["measurement"], one["hour"], one["missing"]) for one in differences] == [
            ("m", START, 12),
            ("m", START + HOUR, 12),
            ("m", START + 2 * HOUR, 6),
        ]
        ran = await p.reconcile()
        assert ran.code == 1
        assert "30 missing" in ran.out
        assert "--repair" in ran.out
        assert not any("GROUP BY *" in statement for statement in p.sink.counts.asked), "it is enough to count"

        ran = await p.reconcile("--repair")
        assert ran.code == 0, ran
        assert "390 samples sent again" in ran.out
        assert "0 missing" in ran.out
        assert p.has_everything()


async def test_only_hours_with_losses_are_sent_again(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        key = max(p.sink.writes.points, key=lambda key: key[1])
        del p.sink.writes.points[key]
        before = p.sink.writes.served
        ran = await p.reconcile("--repair")
        assert ran.code == 0, ran
        sent = [line for write in p.sink.writes.writes[before:] for line in write.lines]
        assert len(sent) == 6 * 13, "half an hour of it"
        assert p.has_everything()


async def test_dead_letters_are_not_missing(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        p.sink.writes.unparsable = lambda line: "bad" if line.startswith("bad") else None
        await p.rig.push(4, metric="bad", time=START + 3 * HOUR)
        await p.rig.drained()
        ran = await p.reconcile()
        assert ran.code == 0, ran
        assert "394 stored for the sink, 390 found there, 0 missing" in ran.out


async def test_a_sink_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        p.sink.counts.refusal = PlainTextResponse("unauthorized", 401)
        ran = await p.reconcile()
        assert ran.code == 1
        assert "/query answers 401: unauthorized" in ran.err


UNCHANGED = {"send_unchanged": "false", "heartbeat": "30m"}


async def test_what_is_left_out_as_unchanged_is_not_missing(tmp_path: Path) -> None:
    async with place(tmp_path, **UNCHANGED) as p:
        had, requests = dict(p.sink.writes.points), p.sink.writes.served
        assert 5 * 13 <= len(had) < 300
        ran = await p.reconcile("--repair")
        assert ran.code == 0, ran
        assert f"390 stored for the sink, {len(had)} found there, 0 missing" in ran.out
        assert f"{390 - len(had)} points need not be there" in ran.out
        assert (p.sink.writes.points, p.sink.writes.served) == (had, requests), "nothing is sent"


@pytest.mark.parametrize("last", [False, True])
async def test_a_point_whose_value_is_not_shown_is_missing_and_so_are_those_it_stood_for(
    tmp_path: Path, last: bool
) -> None:
    async with place(tmp_path, **UNCHANGED) as p:
        times = sorted(time for series, time in p.sink.writes.points if series == "m,n=7")
        lost = times[-1] if last else times[1]
        del p.sink.writes.points["m,n=7", lost]
        ran = await p.reconcile("-o", "json")
        assert ran.code == 1
        differing = [hour for hour in json.loads(ran.out) if hour["differences"]]
        assert [hour["from"] for hour in differing] == [lost - lost % HOUR]
        assert 0 < differing[0]["missing"] <= 6
        had = dict(p.sink.writes.points)
        ran = await p.reconcile("--repair")
        assert ran.code == 0, ran
        sent = {time - time % HOUR for _, time in p.sink.writes.points.keys() - had.keys()}
        assert sent == {lost - lost % HOUR}, "the hour, whole"


async def test_points_are_not_looked_at_where_there_are_more_than_stored(tmp_path: Path) -> None:
    async with place(tmp_path, **UNCHANGED) as p:
        for n in range(30):
            p.sink.writes.points |= {(f"other,x={x}", START + n * 5 * 60_000): "value=1" for x in range(9)}
        ran = await p.reconcile()
        assert ran.code == 0, ran
        assert "points more than stored" in ran.out
        looked = [statement for statement in p.sink.counts.asked if "GROUP BY *" in statement]
        assert looked
        assert not any('"other"' in statement for statement in looked)
        spans = [
            tuple(map(int, re.findall(r"time >=? ?(\d+)ms", statement.replace("<", ">=")))) for statement in looked
        ]
        for (_, end), (begin, _) in pairwise(spans):
            assert begin in {end, end - 30 * 60_000}, "each point once, but for what is shown when an hour begins"


async def test_what_is_refused_is_neither_shown_nor_missing(tmp_path: Path) -> None:
    async with place(tmp_path, **UNCHANGED) as p:
        await p.rig.push(10, time=START + 30 * 5 * 60_000)
        await p.rig.drained()
        p.sink.writes.unparsable = lambda line: "bad" if line.startswith(("m,n=3 ", "m,n=5 ")) else None
        for n in range(31, 34):  # the change that is refused has the other sent too, though it is shown
            changed = [float(i) + n * (i == 5) for i in range(10)]
            await p.rig.push(10, time=START + n * 5 * 60_000, value=changed.__getitem__)
            await p.rig.drained()
        ran = await p.reconcile()
        assert ran.code == 0, ran
        assert "0 missing" in ran.out
        assert "more than stored" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--sink", "nobody"], "no such sink: nobody"), (["--to", "1000"], "is later than --to")],
)
async def test_wrong_command_lines_say_what_is_wrong(tmp_path: Path, arguments: list[str], told: str) -> None:
    async with place(tmp_path) as p:
        ran = await p.reconcile(*arguments)
        assert ran.code == 2
        assert told in ran.err


async def test_a_running_bridge_looks_by_itself_and_mends(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        registry = CollectorRegistry()
        reconciler = Reconciler(
            StoredHistory(p.rig.store.querier),
            sinks=lambda: [p.rig.settings],
            rejected=p.rig.folder / "rejected",
            clock=ToldClock(START + 4 * HOUR),
            metrics=ReconcileMetrics(registry),
        )

        def value(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(f"pushbridge_reconcile_{name}", {"sink": "main", **labels})

        reconciler.configure(Reconcile(window=Duration("6h")))
        p.sink.lose("m,n=7")
        await reconciler.look()
        assert (value("points", kind="stored"), value("points", kind="missing")) == (390, 30)
        reconciler.configure(Reconcile(window=Duration("6h"), repair=True))
        await reconciler.look()
        assert (value("points", kind="found"), value("points", kind="missing")) == (390, 0)
        assert value("resent_total") == 390
        p.sink.counts.refusal = PlainTextResponse("", 500)
        await reconciler.look()
        assert value("failures_total") == 1
        assert value("points", kind="found") == 390, "of the last comparison"
