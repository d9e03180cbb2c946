"""A sink that is not sent what it knows: whatever happens, it shows what the store has.

What it shows at a time is the last point up to then, if that is younger than a heartbeat.
"""

from __future__ import annotations

import asyncio
import math
import struct
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config import Storage
from bridge.native import Batch
from tests.buffer.samples import SMALL
from tests.edge.serving import until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

HEARTBEAT = 1_000
NAN = float("nan")
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
STORAGE = Storage(wal=SMALL, out_of_order_time_window="1h")


def unchanged_rig(folder: Path, fake: FakeInflux | None = None, **settings: Any) -> Any:
    """A rig of such a sink, and of a store that takes late samples."""
    given: dict[str, Any] = {
        "send_unchanged": "false",
        "heartbeat": "1s",
        "gzip": "false",
        "storage": STORAGE,
    } | settings
    return rig(folder, fake or FakeInflux(), **given)


async def add(r: Rig, t: int, **values: float) -> None:
    """Append one sample of each of these series."""
    rows: list[tuple[dict[str, str], int | None, float]] = [({"__name__": n}, t, v) for n, v in values.items()]
    await r.store.append(Batch.from_rows(rows, t))


async def add_all(r: Rig, times: range, value: float = 7.0) -> None:
    for t in times:
        await add(r, t, m=value)


def points(fake: FakeInflux) -> dict[str, list[tuple[int, float]]]:
    """What the sink has of each series, in time order."""
    found = defaultdict(list)
    for (series, t), fields in fake.points.items():
        found[series].append((t, float(fields.removeprefix("value="))))
    return {series: sorted(of_series) for series, of_series in found.items()}


def misses(r: Rig, heartbeat: int = HEARTBEAT) -> list[tuple[str, int, float, Any]]:
    """Stored numbers that the sink does not show at their time, and what it shows instead; dead letters left out."""
    dead = {r._key(letter.line) for letter in r.letters.letters()}
    at_sink, found = points(r.fake), []
    for (series, t), value in r.stored().items():
        if not math.isfinite(value) or (series, t) in dead:
            continue
        shown = [point for point in at_sink.get(series, []) if point[0] <= t]
        age, told = (t - shown[-1][0], shown[-1][1]) if shown else (heartbeat, NAN)
        if str(told) != str(value) or (age >= heartbeat and age > 0):
            found.append((series, t, value, shown[-1:]))
    return found


async def settled(r: Rig) -> None:
    """Wait until nothing is pending, and check the account."""
    await r.drained()
    await until(lambda: r.sink.status().account.catching_up is None)
    assert r.sink.status().identity_holds
    assert misses(r) == []


async def test_a_value_that_stays_the_same_is_sent_once_a_heartbeat(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        for t in range(0, 10_000, 100):
            await add(r, t, m=7.0)
            await r.drained()
        for t in range(10_000, 10_500, 100):
            await add(r, t, m=8.0)
            await r.drained()
        await settled(r)
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (11, {"unchanged": 94})
        assert r.fake.points["m", 10_000] == "value=8"


async def test_also_when_the_sink_was_away_meanwhile(tmp_path: Path) -> None:
    """What is read in one piece relies on itself."""
    async with unchanged_rig(tmp_path) as r:
        await r.stop_sink()
        await add_all(r, range(0, 9_000, 100))
        r.start_sink()
        await settled(r)
        assert 9 <= len(r.fake.points) <= 9 + 3, "a few more: the first one, and what follows it"


async def test_after_an_end_without_goodbye_there_are_more_points_and_no_change_is_missing(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path, heartbeat="1h", batch_samples="3") as r:
        for n in range(1, 30):
            await add(r, n * 10, m=float(n // 4))
            if n % 7 == 0:
                await r.kill_sink()
                r.start_sink()
            if n % 3 == 0:
                await r.drained()
        await settled(r)
        assert len(r.fake.points) < 29


@pytest.mark.parametrize("fault", [faults.reset_after_commit, faults.reset_before_commit, faults.answers(503, "busy")])
async def test_a_request_that_is_sent_again(tmp_path: Path, fault: Any) -> None:
    async with unchanged_rig(tmp_path, batch_samples="2") as r:
        r.fake.always = fault
        await add_all(r, range(1_000, 2_000, 100))
        await until(lambda: len(r.fake.writes) > 4)
        assert r.sink.status().account.unrepresentable.get("unchanged", 0) == 0, "nothing is taken yet"
        r.fake.always = None
        await settled(r)
        await add(r, 2_000, m=7.0)
        await settled(r)


async def test_what_is_refused_is_no_reason_to_leave_others_out(tmp_path: Path) -> None:
    """In one piece and in those behind it: the sample alone is a dead letter, those that repeat it arrive."""
    fake = FakeInflux(conflicting=lambda line: "field type conflict" if line.endswith(" 1000") else None)
    async with unchanged_rig(tmp_path, fake) as r:
        await r.stop_sink()
        await add_all(r, range(1_000, 1_500, 100))
        r.start_sink()
        await settled(r)
        await add(r, 1_500, m=7.0)
        await settled(r)
        assert [letter.line for letter in r.letters.letters()] == ["m value=7 1000"]
        account = r.sink.status().account
        assert (account.sent, account.dead_lettered, account.unrepresentable) == (5, 1, {})


async def test_nor_is_what_is_too_old_for_the_sink(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path, FakeInflux(oldest=1_100)) as r:
        await r.stop_sink()
        await add_all(r, range(1_000, 1_500, 100))
        r.start_sink()
        await r.drained()
        account = r.sink.status().account
        assert (account.sent, account.expired, account.unrepresentable) == (4, 1, {})
        assert min(t for _, t in r.fake.points) == 1_100


async def test_a_late_sample_does_not_cover_what_was_left_out_behind_it(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        await add(r, 1_000, m=1.0)
        await r.drained()
        await add_all(r, range(1_100, 1_500, 100), 1.0)
        await settled(r)
        assert len(r.fake.points) == 1
        await add(r, 1_250, m=2.0)
        await settled(r)
        assert points(r.fake)["m"] == [(1_000, 1.0), (1_250, 2.0), (1_300, 1.0)]
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (2, {"unchanged": 4}), "what is told again counts once"
        await add(r, 1_500, m=2.0)
        await add(r, 1_600, m=1.0)
        await settled(r)


async def test_what_is_refused_behind_a_late_sample_covers_nothing(tmp_path: Path) -> None:
    """The sample that is told again is a dead letter: those behind it, which were left out too, are told themselves."""
    async with unchanged_rig(tmp_path) as r:
        await add(r, 1_000, m=1.0)
        await r.drained()
        await add_all(r, range(1_100, 1_500, 100), 1.0)
        await settled(r)
        r.fake.conflicting = lambda line: "field type conflict" if line.endswith(" 1300") else None
        await add(r, 1_250, m=2.0)
        await settled(r)
        assert points(r.fake)["m"] == [(1_000, 1.0), (1_250, 2.0), (1_400, 1.0)]
        assert [letter.line for letter in r.letters.letters()] == ["m value=1 1300"]
        account = r.sink.status().account
        assert (account.sent, account.dead_lettered) == (2, 0), "the letter is of a sample that counts as unchanged"


async def test_one_refusal_in_a_piece_takes_nothing_from_late_samples_of_others(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        await add(r, 1_000, m=1.0, n=1.0)
        await r.drained()
        await add(r, 1_100, m=1.0, n=1.0)
        await add(r, 1_200, m=1.0, n=1.0)
        await settled(r)
        r.fake.conflicting = lambda line: "field type conflict" if line.startswith("n ") else None
        await add(r, 1_050, m=2.0, n=2.0)
        await settled(r)
        assert points(r.fake)["m"] == [(1_000, 1.0), (1_050, 2.0), (1_100, 1.0), (1_200, 1.0)]


async def test_a_late_sample_after_a_restart(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        await add(r, 1_000, m=1.0)
        await r.drained()
        await add_all(r, range(1_100, 1_500, 100), 1.0)
        await r.drained()
        await r.restart()
        await add(r, 1_250, m=2.0)
        await add(r, 1_700, m=2.0)
        await settled(r)


@pytest.mark.parametrize("before", [[], [1_100]])
async def test_two_late_samples_after_a_restart(tmp_path: Path, before: list[int]) -> None:
    """Neither is the newest, though nothing is remembered: what stands behind the second one is told as well."""
    async with unchanged_rig(tmp_path) as r:
        await add(r, 900, m=2.0)
        await r.drained()
        for t in (1_500, *before, 1_600):
            await add(r, t, m=2.0)
            await settled(r)
        await r.restart()
        await r.stop_sink()
        for t in (1_000, 1_550):
            await add(r, t, m=1.0)
        r.start_sink()
        await settled(r)
        assert {(1_000, 1.0), (1_550, 1.0), (1_600, 2.0)} < set(points(r.fake)["m"])


async def test_a_restart_costs_a_point_a_series(tmp_path: Path) -> None:
    async with unchanged_rig(tmp_path) as r:
        for t in range(1_000, 1_500, 100):
            if t == 1_300:
                await r.restart()
            await add(r, t, m=7.0)
            await r.drained()
        await settled(r)
        assert [t for t, _ in points(r.fake)["m"]] == [1_000, 1_300]


async def test_what_was_sent_from_history_in_between(tmp_path: Path) -> None:
    """The gap has another value: that of before it is not what the sink shows."""
    async with unchanged_rig(tmp_path, heartbeat="1h", batch_samples="1") as r:
        await add(r, 1_000, m=1.0)
        await r.drained()
        r.fake.always = faults.answers(503, "busy")
        for t in range(1_000, 1_010):
            await add(r, t, other=float(t))  # what is read ahead
        await until(lambda: r.sink.status().state == "retrying")
        await add(r, 1_100, m=2.0)
        await r.cut()
        await r.truncate()
        r.fake.always = None
        await r.drained()
        await until(lambda: r.sink.status().account.catching_up is None)
        await add(r, 1_200, m=1.0)
        await r.drained()
        assert points(r.fake)["m"] == [(1_000, 1.0), (1_100, 2.0), (1_200, 1.0)]


async def test_a_late_sample_that_is_sent_from_history(tmp_path: Path) -> None:
    """What was left out behind it lies in no time that the log has lost, and is sent all the same."""
    minute, start = 60_000, 10_000_000
    async with unchanged_rig(tmp_path, heartbeat="1h", batch_samples="1") as r:
        await add(r, start, m=1.0)
        await r.drained()
        await add_all(r, range(start + 10 * minute, start + 40 * minute, 10 * minute), 1.0)
        await r.drained()
        r.fake.always = faults.answers(503, "busy")
        r.now = start + 40 * minute
        for _ in range(10):
            await r.push()  # what is read ahead
        await until(lambda: r.sink.status().state == "retrying")
        await add(r, start + 15 * minute, m=2.0)
        await r.cut()
        await r.truncate()
        r.fake.always = None
        await r.drained()
        await until(lambda: r.sink.status().account.catching_up is None)
        assert misses(r, 60 * minute) == []


@dataclass(frozen=True)
class Step:
    """One thing that happens, and what tells of it in a failing example."""

    name: str
    run: Callable[[Rig, list[int]], Any]

    def __repr__(self) -> str:
        return self.name


SERIES = ["a", "b"]
VALUES = [1.0, 2.0, 0.0, -0.0, NAN]


def goes_on(steps: tuple[int, ...], values: tuple[float, ...]) -> Step:
    async def run(r: Rig, now: list[int]) -> None:
        for step, value in zip(steps, values, strict=False):
            now[0] += step
            await add(r, now[0], **dict.fromkeys(SERIES, value))

    return Step(f"goes on by {steps} with {values}", run)


def comes_late(ago: int, value: float) -> Step:
    async def run(r: Rig, now: list[int]) -> None:
        t = now[0] - ago
        if ("a", t) not in r.stored():
            await add(r, t, a=value)

    return Step(f"comes {ago} late with {value}", run)


def refuses(part: int) -> Step:
    async def run(r: Rig, _now: list[int]) -> None:
        await r.drained()

        def refused(line: str) -> str | None:
            return "field type conflict" if part and int(line.rsplit(" ", 1)[1]) % part == 0 else None

        r.fake.conflicting = refused

    return Step(f"refuses times divisible by {part}", run)


async def _fails(r: Rig, _now: list[int]) -> None:
    r.fake.faults.extend([faults.reset_after_commit, faults.answers(503, "x"), faults.reset_before_commit])


async def _settles(r: Rig, _now: list[int]) -> None:
    await settled(r)


async def _is_killed(r: Rig, _now: list[int]) -> None:
    await r.kill_sink()
    r.start_sink()


async def _restarts(r: Rig, _now: list[int]) -> None:
    await r.restart()


STEPS = st.one_of(
    st.builds(
        goes_on,
        st.lists(st.integers(1, 600), min_size=1, max_size=6).map(tuple),
        st.lists(st.sampled_from(VALUES), min_size=6, max_size=6).map(tuple),
    ),
    st.builds(goes_on, st.just((100,) * 8), st.sampled_from(VALUES).map(lambda value: (value,) * 8)),
    st.builds(comes_late, st.integers(1, 3_000), st.sampled_from(VALUES)),
    st.builds(refuses, st.sampled_from([0, 2, 3, 7])),
    st.sampled_from(
        [Step("fails", _fails), Step("settles", _settles), Step("is killed", _is_killed), Step("restarts", _restarts)]
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=25), st.sampled_from(["2", "5", "100"]))
def test_at_every_sample_the_sink_shows_its_value(steps: list[Step], batch: str) -> None:
    async def live() -> None:
        now = [10_000]
        with tempfile.TemporaryDirectory() as folder:
            async with unchanged_rig(Path(folder), batch_samples=batch) as r:
                for step in steps:
                    await step.run(r, now)
                await settled(r)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live())
