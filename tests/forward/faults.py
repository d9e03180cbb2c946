"""The ways in which a sink fails, by name."""

from __future__ import annotations

import asyncio

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from tests.forward.fake_influx import FakeInflux, Fault, Write, error

__all__ = [
    "Hang",
    "answers",
    "half_stored",
    "not_stored",
    "reset_after_commit",
    "reset_before_commit",
    "slow",
    "torn",
    "web_page",
]


def answers(status: int, text: str = "", *, code: str = "", retry_after: str | None = None) -> Fault:
    """Nothing is stored and this is said."""

    async def fault(sink: FakeInflux, _write: Write) -> Response:
        response = error(sink.version, status, text, code)
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after
        return response

    return fault


async def reset_after_commit(sink: FakeInflux, write: Write) -> None:
    """All is stored, and nobody told."""
    sink.serve(write)


async def reset_before_commit(_sink: FakeInflux, _write: Write) -> None:
    """Nothing is stored, and nobody told."""


async def half_stored(sink: FakeInflux, write: Write) -> Response:
    """A timeout in the middle of the work."""
    for line in write.lines[: len(write.lines) // 2]:
        sink.store(line)
    return error(sink.version, 500, "timeout")


async def not_stored(sink: FakeInflux, _write: Write) -> Response:
    """Something went wrong inside."""
    return error(sink.version, 500, "engine: cache-max-memory-size exceeded", "internal error")


def slow(seconds: float) -> Fault:
    """All is stored, and said too late."""

    async def fault(sink: FakeInflux, write: Write) -> Response:
        response = sink.serve(write)
        await asyncio.sleep(seconds)
        return response

    return fault


class Hang:
    """No answer before `let_go`. May be let go from another thread."""

    def __init__(self) -> None:
        self.held = True

    async def __call__(self, _sink: FakeInflux, _write: Write) -> None:
        """Wait, then reset."""
        while self.held:
            await asyncio.sleep(0.01)

    def let_go(self) -> None:
        """End the waiting of all requests."""
        self.held = False


async def web_page(_sink: FakeInflux, _write: Write) -> Response:
    """Somebody else answers there."""
    return HTMLResponse("<h1>Welcome!</h1>", 200)


class _Torn(Response):
    """An answer in chunks of which only the first comes."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": []})
        await send({"type": "http.response.body", "body": b'{"error":"partial wr', "more_body": True})
        receive.__self__.transport.close()  # type: ignore[attr-defined]


async def torn(sink: FakeInflux, write: Write) -> Response:
    """All is stored, and the answer breaks off."""
    sink.serve(write)
    return _Torn(status_code=400)
