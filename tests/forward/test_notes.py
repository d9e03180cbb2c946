"""Exemplars and metadata at an InfluxDB: lines of their own beside the samples, which count as they did."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.config import InfluxSink
from bridge.forward.lines import LineEncoder
from bridge.native import Framer, Head, Route, WriteMessage, WriteRules, metadata_lines
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.forward import faults
from tests.forward.exemplars import TIME, batch
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import FAST, Rig, rig, rig_of
from tests.remote_write.writing import Exemplar, Series, v1

pytestmark = pytest.mark.anyio

ODD_TEXTS = r'span_id="s\"\\1",trace_id="t 1"'
RENAMED = 'exemplar_le="x",label_time="noon",trace_id="t2",exemplar_value="v"'
BUCKETS = [
    f"took_seconds_bucket_exemplar,job=j,le=0.5 value=0.25,{RENAMED} 1700000000002",
    'took_seconds_bucket_exemplar,job=j,le=+Inf value=2.5,user="line\\\\nbreak" 1700000000003',
]
OF_FAMILY = [line.replace("_bucket_exemplar", "_exemplar") for line in BUCKETS]
HITS = rf"hits_total_exemplar,job=j,path=/a\ b value=1,{ODD_TEXTS} 1700000000001"
GOLDEN = {
    "prom-value": [HITS, *BUCKETS],
    "influx1-compat": [line.replace(",job=j", f",__name__={line.split(',')[0]},job=j", 1) for line in (HITS, *BUCKETS)],
    "telegraf-rw": [HITS, *BUCKETS],
    "telegraf-v2": [HITS, *BUCKETS],
    "telegraf-v1": [HITS, *OF_FAMILY],
    "otel-v1": [HITS, *OF_FAMILY],
}


def encoded(**settings: Any) -> list[str]:
    """The lines of exemplars among all lines of a push."""
    head, framer = Head(), Framer(0, 1 << 27, "none")
    staged = head.stage(batch())
    assert framer.add(staged)
    staged.commit()
    log = framer.take()
    piece = head.read_log(log, 0, len(log), 1 << 20)
    sink = InfluxSink(name="x", url="http://h", db="d", **settings)
    lines = LineEncoder(sink).encode_slice(head, piece)
    assert lines.samples + sum(lines.unrepresentable.values()) == head.seq
    assert lines.newest == TIME
    return [line for line in lines.body.decode().splitlines() if "_exemplar" in line.split(" ", maxsplit=1)[0]]


@pytest.mark.parametrize("mapping", GOLDEN)
def test_an_exemplar_is_a_line_of_its_metric(mapping: str) -> None:
    assert sorted(encoded(mapping=mapping, send_exemplars="true")) == sorted(GOLDEN[mapping])
    assert encoded(mapping=mapping) == []


def test_exemplars_go_the_way_of_their_series() -> None:
    rules = [
        {"source_labels": ("le",), "regex": "0.5", "action": "drop"},
        {"regex": "job", "action": "labeldrop"},
    ]
    series = {line.split(" ", maxsplit=1)[0] for line in encoded(send_exemplars="true", write_relabel_configs=rules)}
    assert series == {"hits_total_exemplar,path=/a\\", "took_seconds_bucket_exemplar,le=+Inf"}
    assert len(encoded(send_exemplars="true", match=('{path!=""}',))) == 1


async def push(r: Rig) -> None:
    await r.store.append(batch())
    await r.drained()


def lines_at(r: Rig, measurement: str) -> list[str]:
    return [line for write in r.fake.writes for line in write.lines if line.startswith(measurement)]


async def test_exemplars_are_sent_and_no_sample_counts_twice(tmp_path: Path) -> None:
    async with rig(tmp_path, send_exemplars="true") as r:
        await push(r)
        assert lines_at(r, "hits_total_exemplar") == [HITS]
        status = r.sink.status()
        assert (status.account.sent, status.account.dead_lettered) == (r.store.seq, 0)
        assert status.identity_holds


async def test_exemplars_that_come_alone_are_sent(tmp_path: Path) -> None:
    async with rig(tmp_path, send_exemplars="true") as r:
        await push(r)
        await r.stop_sink()
        seq = r.store.seq
        series = Series(
            {"__name__": "hits_total", "job": "j", "path": "/a b"}, exemplars=[Exemplar({"a": "b"}, 1.0, TIME + 5)]
        )
        message = WriteMessage.open(v1(series), 1, 1 << 20)
        await r.store.append(message.decode(r.store.head, WriteRules(), newest=1 << 60).batch)
        assert r.store.seq == seq
        r.start_sink()
        await until(lambda: f'hits_total_exemplar,job=j,path=/a\\ b value=1,a="b" {TIME + 5}' in lines_at(r, "hits_"))
        assert r.sink.status().identity_holds


async def test_an_exemplar_that_is_refused_is_a_dead_letter_of_no_sample(tmp_path: Path) -> None:
    fake = FakeInflux(conflicting=lambda line: "field type conflict" if line == HITS else None)
    async with rig(tmp_path, fake, send_exemplars="true") as r:
        await push(r)
        (letter,) = r.letters.letters()
        assert letter.line == HITS
        status = r.sink.status()
        assert (status.account.sent, status.account.dead_lettered) == (r.store.seq, 0)
        assert status.identity_holds


METADATA = [
    rf'prom_metadata,metric=hits_total type="counter",unit="",help="Requests, \"all\"\\nof \\ them." {TIME}',
    f'prom_metadata,metric=odd_total type="counter",unit="",help="" {TIME}',
    *(
        f'prom_metadata,metric=took_seconds_{part} type="histogram",unit="seconds",help="" {TIME}'
        for part in ("bucket", "count", "sum")
    ),
]


def test_metadata_are_lines_of_the_metrics_that_are_sent() -> None:
    head = Head()
    head.stage(batch()).commit()
    lines = metadata_lines(head, Route(), TIME)
    told = [line for line in lines.body.decode().splitlines() if "metric=push_" not in line]
    assert told == METADATA
    assert lines.samples == 0
    few = metadata_lines(head, Route(wanted=[[("le", "=", "0.5")]]), TIME).body.decode()
    assert few.splitlines() == [line for line in METADATA if "_bucket" in line]


BEGIN = 1_700_000_400_000  # of an interval of ten minutes


def metadata_rig(folder: Path, fake: FakeInflux, clock: ToldClock) -> Any:
    """A sink that is sent metadata each ten minutes of a clock that is told the time."""
    settings: dict[str, Any] = {"send_metadata": "true", "metadata_interval": "10m", "gzip": "false"}
    return rig_of(Rig, folder, fake, FAST, clock, **settings)


def intervals_at(r: Rig) -> list[int]:
    """For which intervals the sink was sent a line of metadata, as often as it was."""
    return [int(line.rsplit(" ", 1)[1]) for line in lines_at(r, "prom_metadata,metric=hits_total")]


async def pass_time(clock: ToldClock, to: int) -> None:
    """Let it be `to`, step by step: whoever waits for less goes on in between."""
    while clock.now < to:
        clock.tell(min(clock.now + 5_000, to))
        await asyncio.sleep(0.001)


async def test_metadata_are_sent_once_an_interval(tmp_path: Path) -> None:
    clock = ToldClock(BEGIN + 1_000)
    async with metadata_rig(tmp_path, FakeInflux(), clock) as r:
        await push(r)
        await r.stop_sink()
        r.fake.writes.clear()
        r.start_sink()
        await until(lambda: intervals_at(r) == [BEGIN])
        await pass_time(clock, BEGIN + 600_000)
        assert intervals_at(r) == [BEGIN], "from when they were sent, by the clock that is told"
        await pass_time(clock, BEGIN + 601_000)
        await until(lambda: intervals_at(r) == [BEGIN, BEGIN + 600_000])
        await r.drained()
        assert r.sink.status().account.sent == r.store.seq


async def test_metadata_wait_with_the_samples_of_a_sink_that_is_held(tmp_path: Path) -> None:
    """One request at a time asks, whatever it carries; both arrive when the sink is well."""
    clock, fake = ToldClock(BEGIN), FakeInflux()
    async with metadata_rig(tmp_path, fake, clock) as r:
        await push(r)
        fake.always = faults.answers(401, "unauthorized")
        await r.push(3, time=TIME + 100)
        await pass_time(clock, BEGIN + 600_000)
        await until(lambda: r.sink.status().state == "held")
        seen = len(fake.writes)
        clock.tell(BEGIN + 601_000)
        await until(lambda: len(fake.writes) > seen)
        assert r.sink.status().state == "held"
        fake.always = None
        await pass_time(clock, BEGIN + 700_000)
        await r.drained()
        await until(lambda: BEGIN + 600_000 in {t for (series, t) in fake.points if "metric=hits_total" in series})
        assert r.sink.status().identity_holds


async def test_metadata_that_wait_do_not_hold_up_the_end(tmp_path: Path) -> None:
    clock, fake = ToldClock(BEGIN), FakeInflux()
    async with metadata_rig(tmp_path, fake, clock) as r:
        await push(r)
        await r.stop_sink()
        fake.always = faults.answers(401, "unauthorized")
        r.start_sink()
        await until(lambda: r.sink.status().state == "held")
        with capture_logs() as logs:
            await r.stop_sink()
        assert not [entry for entry in logs if entry["log_level"] == "error"]
        fake.always = None
        r.start_sink()
        await until(lambda: bool(intervals_at(r)))


async def test_metadata_too_large_for_one_request_go_in_parts(tmp_path: Path) -> None:
    clock, fake = ToldClock(BEGIN), FakeInflux(max_body=250)
    async with metadata_rig(tmp_path, fake, clock) as r:
        await push(r)
        await pass_time(clock, BEGIN + 601_000)
        await until(lambda: sum(series.startswith("prom_metadata") for series, _ in fake.points) >= len(METADATA))


async def test_a_sink_that_refuses_metadata_still_gets_samples(tmp_path: Path) -> None:
    clock = ToldClock(BEGIN)
    refused = "prom_metadata,metric=hits_total"
    fake = FakeInflux(unparsable=lambda line: "no" if line.startswith(refused) else None)
    async with metadata_rig(tmp_path, fake, clock) as r:
        await push(r)
        await pass_time(clock, BEGIN + 601_000)
        await until(lambda: any("metric=odd_total" in series for series, _ in fake.points))
        assert not any(series.startswith(refused) for series, _ in fake.points)
        await push(r)
        status = r.sink.status()
        assert (status.account.sent, status.state) == (r.store.seq, "up")
        assert not list(r.letters.letters()), "they come again by themselves"


async def test_neither_is_sent_unless_it_is_asked_for(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await push(r)
        assert not lines_at(r, "prom_metadata")
        assert not [line for write in r.fake.writes for line in write.lines if "_exemplar" in line]
