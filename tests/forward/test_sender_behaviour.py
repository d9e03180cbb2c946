"""How a remote-write sink behaves: retries, back-off, responses and fall-back, as Prometheus' compliance suite for
senders names them, and who it speaks to and how."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bridge.buffer import Spans
from bridge.clock import SystemClock
from bridge.forward import Pace, Replay, ReplayState, StoredHistory
from tests.bridge_process import free_port
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import serving, until
from tests.forward.fake_receiver import FakeReceiver, Write, answers, slow
from tests.forward.remote_rig import V2, remote_rig

pytestmark = pytest.mark.anyio

REAL = cast("Pace", None)  # as in production: what queue_config says
MUTE: dict[str, Any] = {"metadata_config": {"send": "false"}}  # nothing but retries waits for the time to go by
PKI = Path(__file__).parents[1] / "edge" / "pki"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_retry_on(tmp_path: Path, status: int) -> None:
    receiver = FakeReceiver()
    receiver.faults.extend([answers(status, "later")] * 3)
    async with remote_rig(tmp_path, receiver, pace=REAL, protobuf_message=V2) as r:
        await r.push(3)
        await r.check()
    assert [write.headers.get("retry-attempt") for write in receiver.writes] == [None, "1", "2", "3"]
    assert len({write.message.SerializeToString() for write in receiver.writes}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_no_retry_on(tmp_path: Path, status: int) -> None:
    receiver = FakeReceiver(always=answers(status, "Bad request"))
    async with remote_rig(tmp_path, receiver, pace=REAL, protobuf_message=V2) as r:
        for _ in range(5):
            await r.push(3)
            await anyio.sleep(0.1)
        await anyio.sleep(0.5)
        assert len(receiver.writes) <= 2
        assert list(r.letters.letters()) == []
        assert r.sink.status().pending == 15
        await r.kill_sink()
        receiver.always = None
        r.start_sink()
        await r.check()


async def test_backoff_grows_up_to_its_limit(tmp_path: Path) -> None:
    receiver, clock = FakeReceiver(), ToldClock()
    receiver.faults.extend([answers(500, "no")] * 8)
    settings = {"queue_config": {"min_backoff": "20ms", "max_backoff": "160ms"}, **MUTE}
    async with remote_rig(tmp_path, receiver, pace=REAL, clock=clock, **settings) as r:
        await r.push(1)
        for most in [20, 40, 80, 160, 160, 160, 160, 160]:
            assert most / 2 <= await clock.wait() <= most
        await r.check()


async def test_retry_after_is_waited_for(tmp_path: Path) -> None:
    receiver, clock = FakeReceiver(), ToldClock()
    receiver.faults.append(answers(429, "slow down", Retry_After="1"))
    async with remote_rig(tmp_path, receiver, pace=REAL, clock=clock, **MUTE) as r:
        await r.push(1)
        assert await clock.wait() == 1000
        await r.check()


async def test_fallback_on_415_is_remembered(tmp_path: Path) -> None:
    receiver = FakeReceiver(versions=(1,))
    kinds: list[str] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        kinds.extend(v.decode() for k, v in scope.get("headers", []) if k == b"content-type")
        await receiver(scope, receive, send)

    async with serving(note) as port:
        url = f"http://127.0.0.1:{port}/"
        async with remote_rig(tmp_path, receiver, protobuf_message=V2, url=url) as r:
            for _ in range(4):
                await r.push(3)
                await r.drained()
            await r.check()
    assert kinds[0] == f"application/x-protobuf;proto={V2}"
    assert set(kinds[1:]) == {"application/x-protobuf"}


async def test_no_fallback_on_2xx(tmp_path: Path) -> None:
    async with remote_rig(tmp_path, protobuf_message=V2) as r:
        for _ in range(4):
            await r.push(3)
            await r.drained()
        assert {write.version for write in r.receiver.writes} == {2}


async def test_a_receiver_that_takes_2_0_for_nothing_is_sent_1_0(tmp_path: Path) -> None:
    receiver = FakeReceiver(silent=True)
    async with remote_rig(tmp_path, receiver, protobuf_message=V2) as r:
        for _ in range(4):
            await r.push(3)
            await r.drained()
        await r.check()
    assert sum(1 for write in receiver.writes if not write.rows) == 1


@pytest.mark.parametrize("body", [b"OK", b"x" * 3_000_000])
async def test_a_body_on_success_says_nothing(tmp_path: Path, body: bytes) -> None:
    async def talk(sink: FakeReceiver, write: Write) -> Response:
        sink.serve(write)
        return Response(body, 200)

    async with remote_rig(tmp_path, FakeReceiver(always=talk)) as r:
        await r.push(3)
        await r.check()


async def test_a_large_error_is_cut_where_it_is_shown(tmp_path: Path) -> None:
    receiver = FakeReceiver(always=answers(500, "Error: Invalid label name '__invalid__' " * 100_000))
    async with remote_rig(tmp_path, receiver) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "retrying")
        assert r.sink.status().problem.startswith("500: Error: Invalid label name '__invalid__'")
        assert len(r.sink.status().problem) < 600
        receiver.always = None
        await r.check()


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 999 What\r\n\r\n", b"what?\r\n\r\n", b"HTTP/1.1 20"])
async def test_answers_that_are_none(tmp_path: Path, reply: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with remote_rig(tmp_path, url=f"http://127.0.0.1:{port}/") as r:
        await r.push(3)
        await until(lambda: r.sink.status().state in {"retrying", "held"})
        server.close()
        await server.wait_closed()
        async with serving(r.receiver, port=port):
            await r.check()
            await r.stop_sink()


@pytest.mark.parametrize("url", ["http://does-not-exist.invalid/write", "http://127.0.0.1:{port}/write"])
async def test_nobody_there(tmp_path: Path, url: str) -> None:
    async with remote_rig(tmp_path) as r:
        await r.stop_sink()
        right = r.settings
        r.settings = right.model_copy(update={"url": url.format(port=free_port())})
        r.start_sink()
        await r.push(3)
        await until(lambda: r.sink.status().state == "retrying")
        assert "onnect" in r.sink.status().problem
        await r.stop_sink()
        r.settings = right
        r.start_sink()
        await r.check()


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PKI / "server.pem", PKI / "server.key")
    receiver = FakeReceiver()
    async with (
        serving(receiver, tls=server) as port,
        remote_rig(tmp_path, receiver, url=f"https://127.0.0.1:{port}/") as r,
    ):
        await r.push(3)
        await until(lambda: r.sink.status().state == "retrying")
        assert "certificate" in r.sink.status().problem.lower()
        await r.stop_sink()
        tls = type(r.settings.tls_config)(ca_file=PKI / "ca.pem")
        r.settings = r.settings.model_copy(update={"tls_config": tls})
        r.start_sink()
        await r.check()
        await r.stop_sink()


CREDENTIALS: list[tuple[dict[str, Any], str]] = [
    ({"basic_auth": {"username": "u", "password": "p:ä"}}, "Basic " + base64.b64encode("u:p:ä".encode()).decode()),
    ({"authorization": {"credentials": "t"}}, "Bearer t"),
    ({"authorization": {"type": "Token", "credentials": "t"}}, "Token t"),
]


@pytest.mark.parametrize(("settings", "header"), CREDENTIALS)
async def test_credentials(tmp_path: Path, settings: dict[str, Any], header: str) -> None:
    async with remote_rig(tmp_path, headers={"X-Scope-OrgID": "me"}, **settings) as r:
        await r.push(1)
        await r.check()
        (write,) = r.receiver.writes
        assert write.headers["authorization"] == header
        assert write.headers["x-scope-orgid"] == "me"


async def test_a_token_is_fetched_and_used_until_its_end(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def tokens(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append((await receive())["body"])
        answer = {"access_token": f"t{len(asked)}", "expires_in": 3600}
        await (JSONResponse(answer) if len(asked) > 1 else PlainTextResponse("not now", 500))(scope, receive, send)

    async with serving(tokens) as port:
        oauth2 = {
            "client_id": "c",
            "client_secret": "s",
            "token_url": f"http://127.0.0.1:{port}/",
            "scopes": ("a", "b"),
        }
        async with remote_rig(tmp_path, oauth2=oauth2) as r:
            await r.push(1)
            await r.drained()
            await r.push(1)
            await r.check()
            r.receiver.faults.append(answers(401, "expired"))
            await r.push(1)
            await r.check()
            await r.stop_sink()
    assert {write.headers["authorization"] for write in r.receiver.writes} == {"Bearer t2", "Bearer t3"}
    assert asked[0] == b"grant_type=client_credentials&scope=a+b"


async def test_redirects_are_followed_if_allowed(tmp_path: Path) -> None:
    receiver = FakeReceiver()

    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/old":
            await Response(status_code=308, headers={"Location": "/new"})(scope, receive, send)
        else:
            await receiver(scope, receive, send)

    async with serving(moved) as port:
        url = f"http://127.0.0.1:{port}/old"
        async with remote_rig(tmp_path, receiver, url=url, follow_redirects="false") as r:
            await r.push(1)
            await until(lambda: r.sink.status().state == "held")
            await r.stop_sink()
            r.settings = r.settings.model_copy(update={"follow_redirects": True})
            r.start_sink()
            await r.check()
            await r.stop_sink()


# -- what is sent ------------------------------------------------------------------------------------------------------

RULES = [
    {"source_labels": ("n",), "regex": "[0-4]", "action": "drop"},
    {"source_labels": ("dc", "n"), "separator": "-", "target_label": "place"},
    {"regex": "n|dc", "action": "labeldrop"},
]


async def test_external_labels_and_rules(tmp_path: Path) -> None:
    labels = {"dc": "one", "n": "mine"}
    async with remote_rig(tmp_path, external_labels=labels, write_relabel_configs=RULES) as r:
        await r.push(10)
        await r.drained()
        assert r.receiver.stored.keys() == {(("__name__", "m"), ("place", f"one-{n}")) for n in range(5, 10)}
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (5, {"filtered": 5})
        assert r.sink.status().identity_holds


async def test_old_samples_are_not_sent_beyond_a_limit(tmp_path: Path) -> None:
    now = SystemClock().now_ms()
    async with remote_rig(tmp_path, queue_config={"sample_age_limit": "1h"}) as r:
        await r.add([({"__name__": "m"}, now - 3_700_000, 1.0), ({"__name__": "m"}, now, 2.0)])
        await r.drained()
        account = r.sink.status().account
        assert (account.sent, account.unrepresentable) == (1, {"sample_age_limit": 1})


async def test_lanes_keep_the_order_of_each_series(tmp_path: Path) -> None:
    queue = {"max_shards": "8", "max_samples_per_send": "10"}
    async with remote_rig(tmp_path, FakeReceiver(always=slow(0.01)), queue_config=queue) as r:
        await r.stop_sink()
        for _ in range(60):
            await r.push(30)
        r.start_sink()
        await r.check()  # a sample out of order would be a dead letter
        assert r.sink.status().account.dead_lettered == 0
        assert r.receiver.side_by_side > 2
        await r.stop_sink()
        seen = r.receiver.side_by_side = 0
        await r.push(1)
        r.start_sink()
        await r.check()
        assert r.receiver.side_by_side == 1 + seen


async def test_what_the_log_has_lost_comes_from_history(tmp_path: Path) -> None:
    async with remote_rig(tmp_path) as r:
        await r.push(5)
        await r.check()
        await r.stop_sink()
        for _ in range(12):
            await r.push(10)
        await r.cut()
        r.wanted |= {
            (tuple(sorted({"__name__": "filler", "n": "0", "pad": key[0].split("pad=")[1]}.items())), key[1]): 0.0
            for key in r.accepted
            if key[0].startswith("filler")
        }
        await r.push(10)
        await r.truncate()
        r.start_sink()
        await r.push(5)
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


async def test_history_is_sent_again(tmp_path: Path) -> None:
    async with remote_rig(tmp_path) as r:
        await r.push(10)
        await r.push(10)
        await r.check()
        r.receiver.stored.clear()
        saved: list[ReplayState] = []

        async def save(state: ReplayState) -> None:
            saved.append(state)

        spans: Spans = ((0, 10_000),)
        history, state = StoredHistory(r.store.querier), ReplayState.of(*spans[0])
        replay = Replay(r.settings, history, state, save=save, clock=SystemClock(), pace=r.pace)
        assert await replay.run()
        assert saved[-1].sent == 20
        await r.check()


@pytest.mark.parametrize("kill", [True, False])
async def test_a_log_that_is_sent_twice_after_a_crash_leaves_no_dead_letters(tmp_path: Path, kill: bool) -> None:
    """Many samples of few series: what was sent before is out of order when it is sent again."""
    queue = {"max_samples_per_send": "1000", "max_shards": "2"}
    async with remote_rig(tmp_path, queue_config=queue) as r:
        await r.stop_sink()
        for _ in range(150):
            await r.push(3)
        saved: Callable[..., Any] = r.cursors.save

        async def forget(*_: Any) -> None:
            """The account that says that all has arrived is lost; that something may have left is not."""
            if _[1].seq == 0:
                await saved(*_)

        r.cursors.save = forget  # type: ignore[method-assign,assignment]
        r.start_sink()
        await r.drained()
        await (r.kill_sink() if kill else r.stop_sink())
        r.cursors.save = saved  # type: ignore[method-assign]
        r.start_sink()
        await r.check()
        assert r.sink.status().account.dead_lettered == 0
        assert r.sink.status().account.seq == r.store.seq
