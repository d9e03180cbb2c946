"""While a sink fails in each of its ways, samples go on coming, and the bridge ends in the middle, with and without a
goodbye. Afterwards the sink has what the store has."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.edge.serving import serving, until
from tests.forward.kinds import KINDS, Kind
from tests.forward.rig import Rig
from tests.forward.troubles import TROUBLES, each

pytestmark = pytest.mark.anyio

ENDS = pytest.mark.parametrize("end", ["killed", "restarted"])
ALL = pytest.mark.parametrize("kind", KINDS)


@contextlib.asynccontextmanager
async def counted(r: Rig) -> AsyncIterator[None]:
    """At every look from here on, each accepted sample is in exactly one place."""

    async def look() -> None:
        while True:
            status = r.sink.status()
            account = status.account
            places = account.sent + sum(account.unrepresentable.values()) + account.expired + account.dead_lettered
            assert status.accepted == places + status.pending, status
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    try:
        yield
        assert not looking.done(), looking.exception()
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def end_and_start(r: Rig, end: str) -> None:
    """The sink ends without a goodbye, or the whole bridge with one."""
    if end == "killed":
        await r.kill_sink()
        r.start_sink()
    else:
        await r.restart()


async def live_through(r: Rig, fake: Any, end: str, state: str, let_go: Callable[[], object]) -> None:
    """Push, end, start, push, and only then let the sink be well."""
    await r.push(20)
    await until(lambda: len(fake.writes) >= 2 and r.sink.status().state == state)
    await end_and_start(r, end)
    await r.push(20)
    seen = len(fake.writes)
    await until(lambda: len(fake.writes) > seen and r.sink.status().state == state)
    await r.push(20)
    let_go()
    await r.check()


@ENDS
@pytest.mark.parametrize(("name", "kind"), each())
async def test_nothing_is_lost_when_the_bridge_ends_while_a_sink_fails(
    tmp_path: Path, name: str, kind: str, end: str
) -> None:
    trouble, fake = TROUBLES[name], KINDS[kind].fake()
    fake.always = trouble.of(KINDS[kind])

    def let_go() -> None:
        fake.always = None

    async with KINDS[kind].running(tmp_path, fake, timeout="200ms") as r, counted(r):
        await live_through(r, fake, end, trouble.state, let_go)
        assert r.sink.status().account.dead_lettered == 0
        assert r.held() == r.stored()


@dataclass(frozen=True)
class Refusal:
    """What a sink never takes: `set_up` makes it so, and `dead` of the 60 samples of `m` are letters."""

    set_up: Callable[[Any, Kind], object]
    dead: int = 0


def _seventh(attribute: str, reason: str) -> Callable[[Any, Kind], object]:
    """All samples of one series."""

    def set_up(fake: Any, kind: Kind) -> None:
        if kind.is_remote:
            fake.refuse = lambda labels, _t, _value: reason if ("n", "7") in labels else None
        else:
            setattr(fake, attribute, lambda line: reason if line.startswith("m,n=7 ") else None)

    return set_up


def _too_old(fake: Any, kind: Kind) -> None:
    """Samples of the first push: InfluxDB 1 and 2 do not keep them, a receiver has newer ones."""
    if kind.is_remote:
        fake.refuse = lambda labels, t, _value: "too old sample" if labels[0][1] == "m" and t == 1_002 else None
    else:
        fake.oldest = 1_003


REFUSALS = {
    "a conflict of types": Refusal(_seventh("conflicting", "field type conflict"), dead=3),
    "no line that it can read": Refusal(_seventh("unparsable", "invalid sample"), dead=3),
    "a body that is too large": Refusal(lambda fake, _kind: setattr(fake, "max_body", 150)),
}


async def refused_things(r: Rig, fake: Any, end: str, before: str) -> None:
    """The bridge ends among samples of which the sink takes some."""
    await r.push(1, metric=before)
    await r.drained()
    await live_through(r, fake, end, "up", lambda: None)


@ENDS
@ALL
@pytest.mark.parametrize("name", REFUSALS)
async def test_what_a_sink_never_takes_is_a_letter_and_the_others_arrive(
    tmp_path: Path, name: str, kind: str, end: str
) -> None:
    refusal, fake = REFUSALS[name], KINDS[kind].fake()
    refusal.set_up(fake, KINDS[kind])
    async with KINDS[kind].running(tmp_path, fake) as r, counted(r):
        await refused_things(r, fake, end, "w")
        assert r.sink.status().account.dead_lettered == refusal.dead
        assert len(list(r.letters.letters())) == refusal.dead
        assert len(r.stored()) == len(r.held()) + refusal.dead


@ENDS
@pytest.mark.parametrize(
    ("kind", "dead"), [("influxdb v1", 0), ("influxdb v2", 0), *((k, 20) for k in list(KINDS)[3:])]
)
async def test_what_is_too_old_for_a_sink(tmp_path: Path, kind: str, dead: int, end: str) -> None:
    """InfluxDB speaks of its retention: such points are expired. What a receiver calls too old is a letter."""
    fake = KINDS[kind].fake()
    _too_old(fake, KINDS[kind])
    async with KINDS[kind].running(tmp_path, fake) as r, counted(r):
        await r.push(20)
        await r.push(20)
        # Of what a kill finds under way nobody knows whether late samples are those that were sent before it.
        await until(lambda: (cursor := r.cursors.load("main")) is not None and cursor.seq == r.store.seq)
        await end_and_start(r, end)
        await r.push(20)
        await r.drained()
        account = r.sink.status().account
        old = 20 if KINDS[kind].is_remote else 40
        assert (account.dead_lettered, account.expired) == ((dead, 0) if dead else (0, 40))
        assert r.held() == {key: value for key, value in r.stored().items() if key in r.held()}
        assert len(r.stored()) == len(r.held()) + old


async def found_later(r: Rig, **settings: Any) -> None:
    """The sink is not reached as it is configured, nor after a restart; then it is configured as `settings` say."""
    await r.push(5)
    await until(lambda: r.sink.status().state == "retrying")
    await r.push(5)
    await r.restart()
    await until(lambda: r.sink.status().state == "retrying")
    assert r.sink.status().pending == 10
    await r.stop_sink()
    r.settings = r.settings.model_copy(update=settings)
    r.start_sink()
    await r.check()
    assert r.held() == r.stored()


@ALL
async def test_a_name_that_nobody_knows(tmp_path: Path, kind: str) -> None:
    async with KINDS[kind].running(tmp_path, KINDS[kind].fake()) as r:
        found = r.settings.url
        await r.stop_sink()
        r.settings = r.settings.model_copy(update={"url": found.replace("127.0.0.1", "sink.invalid")})
        r.start_sink()
        async with counted(r):
            await found_later(r, url=found)


PKI = Path(__file__).parents[1] / "edge" / "pki"


@ALL
async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, kind: str) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PKI / "server.pem", PKI / "server.key")
    fake = KINDS[kind].fake()
    where = "/api/v1/write" if KINDS[kind].is_remote else ""
    async with (
        serving(fake, tls=server) as port,
        KINDS[kind].running(tmp_path, fake, url=f"https://127.0.0.1:{port}{where}") as r,
        counted(r),
    ):
        trusting = r.settings.tls_config.model_copy(update={"ca_file": PKI / "ca.pem"})
        await found_later(r, tls_config=trusting)
