"""A sink that was down while the log was truncated gets everything afterwards, with every sample accounted for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.buffer import Position, View
from bridge.config import InfluxSink
from bridge.forward import Columns, History, StoredHistory
from bridge.forward.account import Account, Landing
from bridge.forward.catchup import Catcher
from bridge.forward.lines import LineEncoder
from bridge.forward.parcel import CatchUp, Parcel
from tests.edge.serving import until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig, rig_of

pytestmark = pytest.mark.anyio


class Shelf:
    """History as a store has it, in small windows and only `since` a time."""

    def __init__(self, store: View, most: int = 30) -> None:
        self.stored = StoredHistory(store.querier)
        self.most = most
        self.since = -(1 << 62)
        self.windows: list[tuple[int, int, int]] = []
        self.failures = 0

    def __call__(self, mint: int, maxt: int, max_samples: int) -> Columns:
        if self.failures:
            self.failures -= 1
            raise OSError("a bad disk")
        found = self.stored(max(mint, self.since), maxt, min(max_samples, self.most))
        self.windows.append((mint, maxt, len(found)))
        return found


class Down(Rig):
    """A rig whose sink is down at first."""

    shelf: Shelf

    def new_history(self) -> History:
        """What the sink is given."""
        self.shelf = Shelf(self.store)
        return self.shelf


@asynccontextmanager
async def down(folder: Path, fake: FakeInflux | None = None, **settings: Any) -> AsyncIterator[Down]:
    fake = fake or FakeInflux()
    fake.always = faults.answers(503)
    async with rig_of(Down, folder, fake, **{"batch_samples": "7", "in_flight": "3"} | settings) as r:
        await until(lambda: r.cursors.load("main") is not None)
        yield r


async def lose_log(r: Rig, batches: int = 12) -> int:
    """Push, then let the log go. How many samples were accepted up to where it begins now."""
    for _ in range(batches):
        await r.push(10)
    await r.cut()
    gone = r.store.seq - 1  # the last one is in the segment that stays
    await r.push(10)
    assert await r.truncate() == ["main"]
    return gone


async def fall_behind(r: Rig, batches: int = 12) -> int:
    """The same while the sink is stopped, so that nothing of it is under way."""
    await r.stop_sink()
    gone = await lose_log(r, batches)
    r.start_sink()
    return gone


def identity(r: Rig) -> bool:
    status = r.sink.status()
    assert status.identity_holds, status
    assert status.pending >= 0
    return status.account.catching_up is None and status.pending == 0


async def test_what_the_log_lost_comes_from_history(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await fall_behind(r)
        r.fake.always = None
        await until(lambda: identity(r))
        await r.push(5)
        await r.check()
        account = r.sink.status().account
        assert (account.resent, account.expired) == (0, 0)
        assert len(r.shelf.windows) > 4
        await until(lambda: r.cursors.gap("main", Position(0, 0)) is None)


async def test_gaps_outlive_the_process(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await r.stop_sink()
        await lose_log(r, 4)
        await lose_log(r, 4)
        await r.state.close()
        r.open_state()
        r.start_sink()
        r.fake.always = None
        await r.check()
        assert r.sink.status().account.resent == 0


async def test_it_says_that_it_catches_up(tmp_path: Path) -> None:
    async with down(tmp_path, timeout="30s") as r:
        await fall_behind(r)
        passed = 0

        async def some(sink: FakeInflux, write: Any) -> Any:
            nonlocal passed
            passed += 1
            if passed > 6:
                await until(lambda: sink.always is None)
            return sink.serve(write)

        r.fake.always = some
        await until(lambda: r.sink.status().state == "catching up")
        metric = r.sink_registry.get_sample_value
        assert metric("pushbridge_sink_state", {"sink": "main", "state": "catching up"}) == 1
        assert metric("pushbridge_sink_pending", {"sink": "main"}) == r.sink.status().pending > 0
        assert metric("pushbridge_sink_lag_seconds", {"sink": "main"}) > 0  # type: ignore[operator]
        r.fake.always = None
        await until(lambda: r.sink.status().state == "up")
        await r.check()


@pytest.mark.parametrize("kills", range(12))
async def test_kills_at_any_moment_neither_lose_nor_count_twice(tmp_path: Path, kills: int) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "bad" if line.startswith("m,n=7 ") else None)
    async with down(tmp_path, fake) as r:
        await r.push(10)
        await fall_behind(r)
        r.fake.always = None
        for n in range(8):
            for _ in range((kills * 11 + n * 7) % 60):
                await asyncio.sleep(0)
                identity(r)
            await r.kill_sink()
            r.start_sink()
        await r.check()
        account = r.sink.status().account
        assert account.expired == 0
        letters = [letter.line for letter in r.letters.letters()]
        assert len(letters) == len(set(letters)) == account.dead_lettered == 14


async def test_a_log_that_goes_again_and_again(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        for _ in range(3):
            await fall_behind(r, 3)
        r.fake.always = None
        await until(lambda: len(r.fake.points) > 20)
        r.fake.always = faults.answers(503)
        for _ in range(2):
            await fall_behind(r, 3)
        await r.kill_sink()
        r.start_sink()
        r.fake.always = None
        await r.check()
        account = r.sink.status().account
        assert account.expired == 0
        assert account.resent <= 30 + 3 * 10, "one window, and what was under way"


async def test_a_sink_that_runs_is_overtaken(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        r.fake.always = None
        await r.push(10)
        await r.drained()
        r.fake.always = faults.answers(503)
        for _ in range(3):
            await lose_log(r, 5)
        r.fake.always = None
        await r.check()
        account = r.sink.status().account
        assert account.expired == 0
        assert account.resent <= 5 * 10, "what was under way: three parcels, and two read ahead"


async def test_a_gap_that_was_noted_but_did_not_happen_changes_nothing(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        for _ in range(3):
            await r.push(10)
        await r.cut()
        await r.store.note_gaps(r.cursors, Position(r.store.durable().segment, 0))
        r.fake.always = None
        await r.check()
        assert r.shelf.windows == []
        await until(lambda: r.cursors.gap("main", Position(0, 0)) is None)


async def test_what_history_has_lost_too_is_expired(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        gone = await fall_behind(r)
        r.shelf.since = 1_006
        r.fake.always = None
        await until(lambda: identity(r))
        account = r.sink.status().account
        assert (account.expired, account.sent, account.resent) == (50, r.store.seq - 50, 0)
        assert len(r.fake.points) == r.store.seq - 50
        assert gone > 100


async def test_all_of_it_is_gone(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        gone = await fall_behind(r)
        r.shelf.since = 1 << 40
        r.fake.always = None
        await until(lambda: identity(r))
        account = r.sink.status().account
        assert (account.expired, account.sent) == (gone, r.store.seq - gone)


async def test_what_was_sent_before_and_lies_in_the_time_is_resent(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        r.fake.always = None
        await r.push(4, metric="early", time=1_005)
        await r.drained()
        r.fake.always = faults.answers(503)
        await fall_behind(r)
        r.fake.always = None
        await r.check()
        account = r.sink.status().account
        assert (account.resent, account.expired, account.sent) == (4, 0, r.store.seq)


async def test_one_old_sample_does_not_send_all_since_then_again(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        r.fake.always = None
        for t in range(-1_000_000, -900_000, 10_000):
            await r.push(3, metric="sent", time=t)
        await r.drained()
        r.fake.always = faults.answers(503)
        await r.push(1, metric="old", time=-3_000_000)
        await fall_behind(r)
        r.fake.always = None
        await r.check()
        assert r.sink.status().account.resent == 0


async def test_an_instant_larger_than_a_window_is_sent_in_pieces(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await r.push(200)
        await fall_behind(r, 1)
        r.fake.always = None
        await r.check()
        assert max(len(write.lines) for write in r.fake.writes) == 7


async def test_faults_of_the_disk_are_waited_out(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await fall_behind(r, 3)
        r.shelf.failures = 1
        r.fake.always = None
        await r.check()
        assert r.shelf.failures == 0


async def test_what_no_line_can_carry_is_counted_from_history_too(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await r.push(3, metric="odd", value=lambda n: [math.inf, math.nan, 1.0][n])
        await fall_behind(r)
        r.fake.always = None
        await until(lambda: identity(r))
        account = r.sink.status().account
        assert account.unrepresentable == {"inf": 1, "nan": 1}
        assert (account.sent, account.expired, account.resent) == (r.store.seq - 2, 0, 0)


async def test_another_log_under_an_old_gap(tmp_path: Path) -> None:
    async with down(tmp_path) as r:
        await r.stop_sink()
        await lose_log(r, 3)
        gap = r.cursors.gap("main", Position(0, 0))
        assert gap is not None
        await r.store.close()
        for path in sorted((tmp_path / "tsdb" / "wal").iterdir()):
            path.unlink()
        await r.state.close()
        r.accepted = {}
        r.open()
        r.fake.always = None
        await r.push(3)
        await r.check()


# -- every parcel, without a sink --------------------------------------------------------------------------------------


def landed(account: Account, parcel: Parcel) -> Account:
    """As the feed moves it, when the sink takes all."""
    landing = Landing(
        parcel.position,
        parcel.seq,
        sent=len(parcel.payload),
        unrepresentable=parcel.unrepresentable,
        newest=parcel.payload.newest,
        from_history=parcel.from_history,
        catching_up=parcel.catching_up,
        exemplars_lost=parcel.exemplars_lost,
    )
    moved = account.after(landing)
    assert moved.holds, moved
    assert moved.seq >= account.seq
    return Account.from_cursor(moved.to_cursor())


def parcels_from(account: Account, shelf: Shelf) -> Callable[[], Parcel]:
    assert account.catching_up is not None
    return Catcher(
        account.catching_up,
        position=Position(9, 0),
        seq=account.seq,
        history=shelf,
        max_samples=7,
        encoder=LineEncoder(InfluxSink(name="s", url="http://127.0.0.1:1", db="d")),
    ).next


async def test_a_crash_behind_any_parcel_costs_one_window_and_counts_nothing_twice(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        for n in range(20):
            await r.push(1 + n % 9, value=lambda n: math.inf if n == 3 else float(n))
        total = r.store.seq
        start = Account(Position(0, 0), catching_up=CatchUp(total, ((1_000, 1_010), (1_011, 1_030)), exemplars=5))
        crash = 0
        while True:
            shelf = Shelf(r.store, most=20)
            account, read = start, parcels_from(start, shelf)
            for _ in range(crash):
                account = landed(account, read())
                if account.catching_up is None:
                    break
            done = account.catching_up is None
            left = account
            if not done:
                read = parcels_from(left, Shelf(r.store, most=13 + crash % 11))
            while left.catching_up is not None:
                left = landed(left, read())
            assert (left.seq, left.expired, left.exemplars_lost) == (total, 0, 5)
            assert left.sent + left.unrepresentable["inf"] == total
            assert left.resent <= 20
            if done:
                break
            crash += 1
        assert crash > 15
