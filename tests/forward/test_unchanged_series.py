"""A sink that is not sent what it knows: what makes two samples of a series show the same, and what does not."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest

from bridge.native import Batch, WriteMessage, WriteRules
from tests.forward.exemplars import batch
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig
from tests.forward.test_unchanged import NAN, STALE, add, points, settled, unchanged_rig
from tests.remote_write.writing import Series, v1

pytestmark = pytest.mark.anyio

EDGE = (1 << 63) // 1_000_000  # ms: the last time whose nanoseconds InfluxDB takes


async def append(r: Rig, t: int, value: float, **labels: str) -> None:
    await r.store.append(Batch.from_rows([({"__name__": "m"} | labels, t, value)], t))
    await r.drained()


def of_m(r: Rig) -> dict[int, str]:
    """What the sink has of series `m`, by time."""
    return {t: fields for (series, t), fields in r.fake.points.items() if series.startswith("m,")}


async def test_series_that_rules_make_one_are_one(tmp_path: Path) -> None:
    rules = ({"regex": "n", "action": "labeldrop"},)
    async with unchanged_rig(tmp_path, write_relabel_configs=rules) as r:
        await append(r, 1_000, 1.0, n="a")
        await append(r, 1_100, 2.0, n="b")
        await append(r, 1_200, 1.0, n="a")
        await append(r, 1_300, 1.0)
        assert points(r.fake)["m"] == [(1_000, 1.0), (1_100, 2.0), (1_200, 1.0)]


async def test_a_type_that_is_told_may_change_the_field(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path, mapping="telegraf-v1") as r:
        for now in (1_000, 1_100):
            await r.store.append(batch("# TYPE m unknown\nm 7\n# EOF\n", now))
            await r.drained()
        assert of_m(r) == {1_000: "value=7"}
        for now in (1_200, 1_300):
            await r.store.append(batch("# TYPE m gauge\nm 7\n# EOF\n", now))
            await r.drained()
        assert of_m(r) == {1_000: "value=7", 1_200: "gauge=7"}


async def test_the_type_decides_behind_a_late_sample_too(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path, mapping="telegraf-v1") as r:
        await r.store.append(batch("# TYPE m gauge\nm 7\n# EOF\n", 1_000))
        await r.drained()
        for t in (1_100, 1_200, 1_050, 1_300):
            await append(r, t, 8.0 if t == 1_050 else 7.0, job="j")
        assert of_m(r) == {1_000: "gauge=7", 1_050: "gauge=8", 1_100: "gauge=7"}


async def test_floats_of_a_series_with_native_histograms_are_all_sent(tmp_path: Path) -> None:
    """In the log they stand before the histograms of the same batch."""
    async with unchanged_rig(tmp_path) as r:
        fields = {"schema": 0, "positive_spans": [(0, 1)], "positive_deltas": [1], "count_int": 1, "sum": 1.0}
        both = Series({"__name__": "m"}, [(1_000, 7.0), (1_100, 7.0)], histograms=[fields | {"timestamp": 1_050}])
        await r.stop_sink()
        message = WriteMessage.open(v1(both), 1, 1 << 20)
        await r.store.append(message.decode(r.store.head, WriteRules(), newest=1 << 60).batch)
        r.start_sink()
        await r.drained()
        await append(r, 1_200, 7.0)
        assert [t for series, t in sorted(r.fake.points) if series == "m"] == [1_000, 1_100, 1_200]


async def test_what_the_sink_is_not_sent_for_its_age_hides_nothing(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    async with unchanged_rig(tmp_path, FakeInflux(keeps="1h0m0s"), heartbeat="10m") as r:
        await append(r, now - 3_700_000, 7.0)
        await append(r, now - 3_400_000, 7.0)
        account = r.sink.status().account
        assert (account.sent, account.expired, account.unrepresentable) == (1, 1, {})


async def test_what_no_line_can_say_hides_nothing(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        for t in (-EDGE - 200, -EDGE + 200, -EDGE + 300):
            await append(r, t, 7.0)
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (1, {"time_range": 1, "unchanged": 1})


async def test_each_that_is_no_number_counts_as_such(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        for t in range(1_000, 1_400, 100):
            await append(r, t, NAN)
        assert r.sink.status().account.unrepresentable == {"nan": 4}


@pytest.mark.parametrize("settings", [{}, {"non_finite": "sentinel"}])
async def test_a_late_sample_before_one_that_is_no_number(tmp_path: Path, settings: dict[str, Any]) -> None:
    async with unchanged_rig(tmp_path, **settings) as r:
        for t, value in [(1_000, 1.0), (1_200, NAN), (1_300, 1.0), (1_400, 1.0), (1_100, 1.0), (1_500, 1.0)]:
            await append(r, t, value)
        await settled_numbers(r)
        assert {1_000, 1_100, 1_300} <= {t for t, _ in points(r.fake)["m"]}


async def settled_numbers(r: Rig) -> None:
    """Where a sentinel stands for NaN, what the sink shows then is no number of the store."""
    shown = {t: value for t, value in points(r.fake)["m"] if value != -1.0}
    assert set(shown.values()) == {1.0}
    if len(shown) == len(points(r.fake)["m"]):
        await settled(r)


async def test_a_late_sample_of_long_ago_costs_no_more_than_itself(tmp_path: Path) -> None:
    """What holds now is no matter of it."""
    async with unchanged_rig(tmp_path) as r:
        for t, value in [
            (1_000, 1.0),
            (5_000, 2.0),
            (5_100, 2.0),
            (1_100, 3.0),
            (5_200, 2.0),
            (1_050, 1.0),
            (5_300, 2.0),
        ]:
            await append(r, t, value)
        await settled(r)
        sent = sorted(int(line.rsplit(" ", 1)[1]) for write in r.fake.writes for line in write.lines)
        assert sent == [1_000, 1_050, 1_100, 1_100, 5_000]


async def test_zeros_of_both_signs_are_two_values_and_no_number_ends_one(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        for t, value in enumerate([0.0, 0.0, -0.0, -0.0, 0.0, NAN, 0.0, math.inf, 0.0, 0.0], start=1_000):
            await add(r, t, m=value)
            await r.drained()
        await settled(r)
        assert [t - 1_000 for t, _ in points(r.fake)["m"]] == [0, 2, 4, 6, 8]


async def test_a_series_that_goes_and_comes_back_is_sent_at_once(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path, stale="marker") as r:
        await add(r, 1_000, m=7.0)
        await r.drained()
        await add(r, 1_100, m=STALE)
        await r.drained()
        await add(r, 1_200, m=7.0)
        await r.drained()
        assert ("m", 1_200) in r.fake.points
        assert r.fake.points["m", 1_100] == "value_stale=true"
