"""A sink that fails for an hour, or for three days, by a clock that is told: with the waits that a user gets, and no
waiting. Afterwards the sink has what the store has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.config import Storage
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.forward.kinds import KINDS
from tests.forward.rig import Rig
from tests.forward.troubles import TROUBLES, each

pytestmark = pytest.mark.anyio

MINUTE, HOUR = 60_000, 3_600_000


def adds_up(r: Rig) -> bool:
    """Each accepted sample is in exactly one place."""
    status = r.sink.status()
    account = status.account
    places = account.sent + sum(account.unrepresentable.values()) + account.expired + account.dead_lettered
    return status.accepted == places + status.pending and status.pending >= 0


async def pass_time(r: Rig, clock: ToldClock, until_ms: int) -> None:
    """Let the time go by from one attempt to the next, as long as the sink makes attempts."""
    while clock.now < until_ms:
        await until(lambda: clock.due is not None)
        clock.tell(min(clock.due or until_ms, until_ms))
        assert adds_up(r)


async def well_again(r: Rig, clock: ToldClock, fake: Any) -> None:
    """The sink is put right, and the next attempt finds that out."""
    fake.always = None
    if clock.due is not None:
        clock.tell(clock.due)
    await r.check()
    assert r.held() == r.stored()
    assert r.sink.status().account.dead_lettered == 0
    assert list(r.letters.letters()) == []


HOURS = ("401", "403", "404", "429 with a long Retry-After", "429", "a full buffer told as 400")


def most_requests(name: str, kind: str) -> int:
    """In a third of an hour, by the waits that are documented: the first ones are short, and each start begins anew."""
    if TROUBLES[name].state == "held" or "long" in name:
        return 4 + 8
    return 10 + 20 * 60 // 30 if not KINDS[kind].is_remote else 10 + 20 * 60 * 2 // 5


@pytest.mark.parametrize(("name", "kind"), each(*HOURS))
async def test_an_hour(tmp_path: Path, name: str, kind: str) -> None:
    trouble, fake, clock = TROUBLES[name], KINDS[kind].fake(), ToldClock()
    fake.always = trouble.of(KINDS[kind])
    begin = clock.now
    # Metadata wait for their time too: with them it would go by without an attempt.
    alone = {"metadata_config": {"send": "false"}} if KINDS[kind].is_remote else {}
    async with KINDS[kind].running(tmp_path, fake, pace=None, clock=clock, **alone) as r:
        for step in range(6):
            if step == 2:
                await r.kill_sink()
                r.start_sink()
            elif step == 4:
                await r.restart()
            await r.push(10, time=clock.now)
            await pass_time(r, clock, begin + (step + 1) * 10 * MINUTE)
            assert r.sink.status().state == trouble.state
            assert r.sink.status().pending == r.store.seq
        assert 4 < len(fake.writes) < 3 * most_requests(name, kind), "it asks now and then, and no more"
        await well_again(r, clock, fake)


SMALL = Storage.model_validate({"wal": {"segment_size": "64KiB"}, "wal_keep": {"size": "128KiB"}})


@pytest.mark.parametrize("ends", [(24, 48), ()], ids=["restarted", "running"])
@pytest.mark.parametrize(("name", "kind"), each("503", "500 with half of it stored"))
async def test_three_days(tmp_path: Path, name: str, kind: str, ends: tuple[int, ...]) -> None:
    trouble, fake, clock = TROUBLES[name], KINDS[kind].fake(), ToldClock()
    fake.always = trouble.of(KINDS[kind])
    begin = clock.now
    async with KINDS[kind].running(tmp_path, fake, pace=None, clock=clock, storage=SMALL) as r:
        while clock.now < begin + 72 * HOUR:
            await r.push(5, time=clock.now)
            clock.tell(clock.now + 30 * MINUTE)
            if (clock.now - begin) % (2 * HOUR) == 0:
                await r.store.maintain()
                assert adds_up(r)
            if (clock.now - begin) / HOUR in ends[:1]:
                await r.kill_sink()
                r.start_sink()
            elif (clock.now - begin) / HOUR in ends[1:]:
                await r.restart()
        assert len(r.store.metas()) > 3
        assert r.store.oldest().segment > 10
        assert r.sink.status().pending == r.store.seq == 72 * 2 * 5
        fake.always = None
        for _ in range(5):
            if clock.due is not None:
                clock.tell(clock.due)
            before = len(r.held())
            await until(lambda before=before: len(r.held()) > before or r.sink.status().pending == 0)  # type: ignore[misc]
            await r.kill_sink()
            r.start_sink()
        await well_again(r, clock, fake)
        assert r.sink.status().account.expired == 0
