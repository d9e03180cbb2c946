"""Where there is no database it is made, if that is wanted; what a sink would not keep is not sent, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.clock import SystemClock
from bridge.config import InfluxSink
from bridge.forward.influx_admin import AdminFailed, InfluxAdmin, parse_go_duration
from bridge.forward.retention import Retention
from tests.edge.serving import serving, until
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

HOUR = 3_600_000


def settings(port: int, version: int, **more: Any) -> InfluxSink:
    where = {"bucket": "b", "org": "o"} if version == 2 else {"db": "d"}
    return InfluxSink(name="s", url=f"http://127.0.0.1:{port}", **where | more)


@pytest.mark.parametrize(("version", "closed"), [(1, False), (2, False), (3, False), (3, True)])
@pytest.mark.parametrize(("keeps", "ms"), [("0s", None), ("168h0m0s", 168 * HOUR)])
async def test_retention_is_asked_for(version: Any, closed: bool, keeps: str, ms: int | None) -> None:
    async with serving(FakeInflux(version=version, closed=closed, keeps=keeps)) as port:
        assert await InfluxAdmin(settings(port, version)).retention() == ms


async def test_a_retention_policy_that_is_named_is_the_one() -> None:
    async with serving(FakeInflux(keeps="168h0m0s")) as port:
        assert await InfluxAdmin(settings(port, 1, rp="short")).retention() == HOUR
        with pytest.raises(AdminFailed):
            await InfluxAdmin(settings(port, 1, rp="none")).retention()


async def test_a_bucket_of_another_organization_is_not_the_one() -> None:
    async with serving(FakeInflux(version=2, keeps="168h0m0s")) as port:
        with pytest.raises(AdminFailed, match="there is no bucket b"):
            await InfluxAdmin(settings(port, 2, org="other")).retention()


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0s", None), ("1h0m0s", HOUR), ("90m", 90 * 60_000), ("1.5s", 1500), ("10ms", 10), ("2h3m4s", 7_384_000)],
)
def test_durations_are_those_of_go(text: str, ms: int | None) -> None:
    assert parse_go_duration(text) == ms


@pytest.mark.parametrize("text", ["", "1", "h", "1d", "1h 2m", "-1h", "1hx"])
def test_what_is_no_duration_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_go_duration(text)


async def test_a_sink_that_does_not_tell_is_sent_everything(free_port: int) -> None:
    retention = Retention(InfluxAdmin(settings(free_port, 1)).retention, SystemClock(), "s")
    await retention.learn()
    assert retention.oldest() is None


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_what_is_missing_is_made_when_that_is_wanted(tmp_path: Path, version: Any) -> None:
    fake = FakeInflux(version=version, missing=True)
    async with rig(tmp_path, fake, auto_create="true") as r:
        await r.push(3)
        await r.check()
        assert any("b" in asked or "d" in asked for asked in fake.asked)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("wanted", ["false", "true"])
async def test_what_cannot_be_made_is_waited_for(tmp_path: Path, version: Any, wanted: str) -> None:
    fake = FakeInflux(version=version, missing=True, may_create=False)
    async with rig(tmp_path, fake, auto_create=wanted) as r:
        await r.push(3)
        await until(lambda: len(fake.writes) > 3)
        assert r.sink.status().state == "held"
        assert fake.missing
        fake.missing = False
        await r.check()


async def account_of(r: Rig) -> tuple[int, int, int]:
    await r.drained()
    account = r.sink.status().account
    assert r.sink.status().identity_holds
    return account.sent, account.expired, account.dead_lettered


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_points_that_a_sink_would_not_keep_are_not_sent(tmp_path: Path, version: Any) -> None:
    fake = FakeInflux(version=version, keeps="1h0m0s")
    now = SystemClock().now_ms()
    async with rig(tmp_path, fake) as r:
        await r.push(3, time=now - 2 * HOUR)
        await r.push(4, time=now)
        assert await account_of(r) == (4, 3, 0)
        assert all(int(line.rsplit(" ", 1)[1]) == now for write in fake.writes for line in write.lines)
        assert len(r.store.select((), 0, now)) == 4, "all of it is kept here"
        assert sum(len(series.timestamps) for series in r.store.select((), 0, now)) == 7


@pytest.mark.parametrize("version", [1, 2])
async def test_points_that_it_refuses_for_their_age_are_expired_and_no_letters(tmp_path: Path, version: Any) -> None:
    fake = FakeInflux(
        version=version, oldest=1_003, conflicting=lambda line: "x" if line.startswith("m,n=2 ") else None
    )
    async with rig(tmp_path, fake) as r:
        for _ in range(4):
            await r.push(4)
        sent, expired, dead = await account_of(r)
        assert (sent, expired, dead) == (6, 8, 2)
        assert {letter.line.split(" ")[0] for letter in r.letters.letters()} == {"m,n=2"}
