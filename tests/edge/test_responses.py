"""Answers and refusals as they reach the client."""

from __future__ import annotations

import logging

import pytest
from starlette.types import Receive, Scope, Send

from bridge.edge import Answering, ClientGone, send_empty, send_json, send_text
from bridge.errors import BadInput, BridgeError, TooLarge, Unauthorized, Unavailable
from tests.edge.serving import Wire, serving

pytestmark = pytest.mark.anyio


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    match scope["path"]:
        case "/text":
            await send_text(send, 201, "né")
        case "/json":
            await send_json(send, 200, {"a": [1, "é"]})
        case "/empty":
            await send_empty(send, 202)
        case "/none":
            await send_empty(send, 204, [(b"x-a", b"b")])
        case "/bug":
            raise ZeroDivisionError
        case "/gone":
            raise ClientGone
        case path:
            raise REFUSALS[path]


REFUSALS: dict[str, BridgeError] = {
    "/bad": BadInput('no\n "way" \udcff'),
    "/large": TooLarge(),
    "/busy": Unavailable("later"),
    "/who": Unauthorized("Unauthorized"),
}


async def test_what_clients_get() -> None:
    async with serving(Answering(app)) as port, Wire.to(port) as wire:
        text = await wire.ask("GET", "/text")
        assert (text.status, text.body) == (201, "né\n".encode())
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert text.headers["x-content-type-options"] == "nosniff"
        assert "server" not in text.headers
        json = await wire.ask("GET", "/json")
        assert (json.headers["content-type"], json.body) == ("application/json", '{"a":[1,"é"]}'.encode())
        empty = await wire.ask("PUT", "/empty")
        assert (empty.status, empty.headers["content-length"], empty.body) == (202, "0", b"")
        none = await wire.ask("GET", "/none")
        assert (none.status, none.headers["x-a"]) == (204, "b")
        assert not {"content-length", "transfer-encoding"} & set(none.headers)
        head = await wire.ask("GET", "/text")
        assert head.status == 201


async def test_what_refusals_become() -> None:
    async with serving(Answering(app)) as port, Wire.to(port) as wire:
        bad = await wire.ask("GET", "/bad")
        assert (bad.status, bad.body) == (400, b'no\n "way" \\udcff\n')
        large = await wire.ask("GET", "/large")
        assert (large.status, large.body) == (413, b"Request Entity Too Large\n")
        busy = await wire.ask("GET", "/busy")
        assert (busy.status, busy.headers["retry-after"], busy.body) == (503, "5", b"later\n")
        who = await wire.ask("GET", "/who")
        assert (who.status, who.headers["www-authenticate"]) == (401, "Basic")


async def test_another_protocol_may_say_it_in_its_own_words() -> None:
    def render(error: BridgeError) -> tuple[bytes, bytes]:
        return b"application/json", b'{"error":"%s"}' % str(error).encode()

    async with serving(Answering(app, render)) as port, Wire.to(port) as wire:
        busy = await wire.ask("GET", "/busy")
        assert (busy.status, busy.headers["retry-after"], busy.body) == (503, "5", b'{"error":"later"}')


async def test_a_bug_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "uvicorn.error"):
        async with serving(Answering(app)) as port, Wire.to(port) as wire:
            assert (await wire.ask("GET", "/bug")).status == 500
    assert "ZeroDivisionError" in caplog.text
