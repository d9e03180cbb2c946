"""A real server around any ASGI app, and a client that can misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import anyio
import anyio.from_thread
from starlette.types import ASGIApp

from bridge.config import Listen, Web
from bridge.edge import Server, bind

__all__ = ["Reply", "Wire", "served", "serving", "until"]


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, web: Web | None = None, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Serve `app` on a port, any free one by default; `as` names it."""
    server = Server(app, web or Web(), tls)
    listener = bind(Listen("127.0.0.1", port))
    port = int(listener.getsockname()[1])
    serving = anyio.CancelScope()
    stopped = anyio.Event()

    async def serve() -> None:
        try:
            with serving:
                await server.serve([listener])
        finally:
            stopped.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            await until(lambda: server.started)
            yield port
        finally:
            # Also when the test has failed: a server that is only cancelled leaves its sockets open.
            with anyio.CancelScope(shield=True):
                if server.server_state.tasks:
                    server.stop()
                else:
                    await _close(server, listener)
                    serving.cancel()
                await stopped.wait()


@contextlib.contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve `app` in a thread of its own, that outlives bridges; its address."""
    with (
        anyio.from_thread.start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving(app)) as port,
    ):
        yield f"http://127.0.0.1:{port}"


async def _close(server: Server, listener: socket.socket) -> None:
    """What uvicorn does to stop when no request is in progress, without its pauses of 0.2 s in each of 300 tests."""
    for one in server.servers:
        one.close()
    listener.close()
    connections = server.server_state.connections
    for connection in list(connections):
        connection.shutdown()
    await until(lambda: not connections)


async def until(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    """Wait for something that other tasks do."""
    with anyio.fail_after(timeout):
        while not condition():
            await anyio.sleep(0.005)


@dataclass(frozen=True)
class Reply:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection, written to byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
        """Connect to a server on this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def send(self, *lines: str | bytes, body: bytes = b"") -> None:
        """A request head and what follows it."""
        head = b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines)
        self.writer.write(head + b"\r\n" + body)
        await self.writer.drain()

    async def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> Reply:
        """The next response; its body must have a Content-Length or none."""
        with anyio.fail_after(60):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return Reply(int(head[0].split(" ")[1]), headers, body)

    async def ask(self, method: str, path: str, *headers: str, body: bytes = b"") -> Reply:
        """A whole request and its response."""
        length = (f"Content-Length: {len(body)}",) if body or method in {"PUT", "POST"} else ()
        await self.send(f"{method} {path} HTTP/1.1", "Host: x", *headers, *length, body=body)
        return await self.reply()
