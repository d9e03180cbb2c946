"""Bodies over real sockets: limits, disconnects, what is in flight."""

from __future__ import annotations

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from bridge.edge import Answering, ClientGone, Gate, header, read_body, send_text
from bridge.edge.patience import Patience
from tests.edge.serving import Wire, serving, until

pytestmark = pytest.mark.anyio

LIMIT = 1000


class Echo:
    """Answers with the size of the body."""

    def __init__(self, gate_limit: int = 10_000) -> None:
        self.gate = Gate(gate_limit)
        self.gone = 0
        self.app = Answering(self.handle)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.gate.hold() as hold:
            try:
                body = await read_body(scope, receive, LIMIT, hold)
            except ClientGone:
                self.gone += 1
                raise
            assert hold.size == len(body) <= self.gate.used
            await send_text(send, 200, f"{len(body)} {header(scope, b'x-tag')!r}")


async def test_a_body_in_one_piece_and_in_many() -> None:
    echo = Echo()
    async with serving(echo.app) as port, Wire.to(port) as wire:
        assert (await wire.ask("PUT", "/", "X-Tag: a", body=b"x" * 1000)).body == b"1000 b'a'\n"
        await wire.send("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
        for _ in range(9):
            await wire.raw(b"64\r\n" + b"y" * 100 + b"\r\n")
            await until(lambda: echo.gate.used > 0)
        await wire.raw(b"0\r\n\r\n")
        assert (await wire.reply()).body == b"900 None\n"
    assert echo.gate.used == 0


async def test_a_declared_length_over_the_limit_is_refused_before_the_body_is_sent() -> None:
    echo = Echo()
    async with serving(echo.app) as port, Wire.to(port) as wire:
        await wire.send("PUT / HTTP/1.1", "Host: x", f"Content-Length: {LIMIT + 1}")
        reply = await wire.reply()
        assert (reply.status, reply.body) == (413, b"request body larger than 1000 bytes\n")
        # The client may send the body all the same and go on; nothing of it is kept.
        await wire.raw(b"x" * (LIMIT + 1))
        assert (await wire.ask("PUT", "/", body=b"x")).status == 200


async def test_chunks_over_the_limit_are_refused() -> None:
    echo = Echo()
    async with serving(echo.app) as port, Wire.to(port) as wire:
        await wire.send("PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
        await wire.raw(b"3e9\r\n" + b"x" * 1001)
        assert (await wire.reply()).status == 413
    assert echo.gate.used == 0


async def test_a_large_body_gets_its_413_through_a_plain_client() -> None:
    async with serving(Echo().app) as port, httpx.AsyncClient() as client:
        response = await client.put(f"http://127.0.0.1:{port}/", content=b"x" * 5_000_000)
        assert response.status_code == 413


async def test_nothing_is_held_for_a_client_that_has_gone() -> None:
    echo = Echo()
    async with serving(echo.app) as port:
        async with Wire.to(port) as wire:
            await wire.send("PUT / HTTP/1.1", "Host: x", "Content-Length: 900", body=b"x" * 500)
            await until(lambda: echo.gate.used == 500)
        await until(lambda: echo.gone == 1)
        assert echo.gate.used == 0


async def test_a_full_gate_answers_503_and_when_to_come_back() -> None:
    echo = Echo(gate_limit=800)
    async with serving(echo.app) as port, Wire.to(port) as slow, Wire.to(port) as other:
        await slow.send("PUT / HTTP/1.1", "Host: x", "Content-Length: 900", body=b"x" * 500)
        await until(lambda: echo.gate.used == 500)
        reply = await other.ask("PUT", "/", body=b"y" * 400)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert (await other.ask("PUT", "/", body=b"y" * 300)).status == 200
        # Alone it may have more than the gate's limit: what one request may have is bounded by its own.
        await slow.raw(b"x" * 400)
        assert (await slow.reply()).status == 200
    assert echo.gate.used == 0


async def test_a_body_that_trickles_is_given_up() -> None:
    echo = Echo()
    echo.gate.patience = Patience(grace=0.2, rate=10, look_interval=0.02)
    async with serving(echo.app) as port, Wire.to(port) as wire, Wire.to(port) as steady:
        await wire.send("PUT / HTTP/1.1", "Host: x", "Content-Length: 900", body=b"x")
        reply = await wire.reply()
        assert (reply.status, reply.body) == (408, b"the body of the request came too slowly\n")
        # Bytes earn time, these 900 a minute and a half, so a body that takes longer than the grace arrives.
        await steady.send("PUT / HTTP/1.1", "Host: x", "Content-Length: 901", body=b"x" * 900)
        await until(lambda: echo.gate.used == 900)
        await anyio.sleep(0.5)
        await steady.raw(b"x")
        assert (await steady.reply()).status == 200
    assert echo.gate.used == 0
