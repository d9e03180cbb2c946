"""While a sink fails in each of its ways, samples go on coming, and the bridge ends in the middle, with and without a
goodbye. Afterwards the sink has what the store has."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge.serving import serving, until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux, Fault
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

ANSWERS: dict[str, Fault] = {
    "500": faults.not_stored,
    "500 with half of it stored": faults.half_stored,
    "429": faults.answers(429, "too many requests"),
    "429 with Retry-After": faults.answers(429, "too many requests", retry_after="1"),
    "503": faults.answers(503, "request throttled, queue full"),
    "slow": faults.slow(0.4),
    "reset after commit": faults.reset_after_commit,
    "reset before commit": faults.reset_before_commit,
    "torn answer": faults.torn,
    "401": faults.answers(401, "unauthorized access", code="unauthorized"),
    "403": faults.answers(403, "forbidden", code="forbidden"),
    "404": faults.answers(404, 'database not found: "d"', code="not found"),
    "a limit of InfluxDB 3": faults.answers(422, "Update to schema would exceed number of tables per database"),
    "a full buffer told as 400": faults.answers(400, "error from wal: wal buffer full with 9 ops", code="invalid"),
    "no retention policy": faults.answers(500, "retention policy not found: x"),
    "a web page": faults.web_page,
    "a redirect": faults.answers(302),
}


async def live_through(r: Rig, kill: bool, let_go: Callable[[], object]) -> None:
    """Push, end, start, push, and only then let the sink be well."""
    await r.push(20)
    await until(lambda: len(r.fake.writes) >= 2)
    await (r.kill_sink() if kill else r.stop_sink())
    await r.push(20)
    r.start_sink()
    seen = len(r.fake.writes)
    await until(lambda: len(r.fake.writes) > seen)
    await r.push(20)
    let_go()
    await r.check()


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_nothing_is_lost_when_the_bridge_ends_while_a_sink_fails(
    tmp_path: Path, name: str, kill: bool, version: Any
) -> None:
    fake = FakeInflux(version=version, always=ANSWERS[name])
    async with rig(tmp_path, fake, timeout="200ms") as r:

        def let_go() -> None:
            fake.always = None

        await live_through(r, kill, let_go)
        assert r.sink.status().account.dead_lettered == 0


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("what", ["partial", "unparsable", "too large"])
async def test_bad_lines_are_letters_and_the_others_arrive_when_the_bridge_ends_among_them(
    tmp_path: Path, what: str, kill: bool, version: Any
) -> None:
    fake = FakeInflux(version=version)
    if what == "too large":
        fake.max_body = 150
    else:
        refuse = {"partial": "conflicting", "unparsable": "unparsable"}[what]
        setattr(fake, refuse, lambda line: "field type conflict" if line.startswith("m,n=7 ") else None)
    async with rig(tmp_path, fake, gzip="false") as r:
        await r.push(1, metric="w")
        await until(lambda: (cursor := r.cursors.load("main")) is not None and cursor.seq > 0)
        await live_through(r, kill, lambda: None)
        dead = 0 if what == "too large" else 3
        assert r.sink.status().account.dead_lettered == dead
        assert len(list(r.letters.letters())) == dead


async def found_later(r: Rig, **settings: Any) -> None:
    """The sink is not reached as it is configured; then it is configured as `settings` say."""
    await r.push(5)
    await until(lambda: r.sink.status().state == "retrying")
    await r.push(5)
    assert r.sink.status().pending == 10
    assert r.sink.status().identity_holds
    await r.stop_sink()
    r.settings = r.settings.model_copy(update=settings)
    r.start_sink()
    await r.check()


async def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    async with rig(tmp_path, url="http://sink.invalid:8086") as r, serving(r.fake) as port:
        await found_later(r, url=f"http://127.0.0.1:{port}")


PKI = Path(__file__).parents[1] / "edge" / "pki"


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PKI / "server.pem", PKI / "server.key")
    fake = FakeInflux()
    async with serving(fake, tls=server) as port, rig(tmp_path, fake, url=f"https://127.0.0.1:{port}") as r:
        trusting = r.settings.tls_config.model_copy(update={"ca_file": PKI / "ca.pem"})
        await found_later(r, tls_config=trusting)
