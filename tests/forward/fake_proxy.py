"""A small HTTP proxy on a real socket: CONNECT, and requests in absolute form; it can be in the way too."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Asked", "FakeProxy", "proxying"]

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Asked:
    """A request as the proxy saw it; names of headers in lower case, those that came twice joined by a comma."""

    method: str
    target: str
    headers: dict[str, str]
    connection: int


@dataclass
class FakeProxy:
    """`always` is what each request is answered while it is set: (status, body). Without `credentials` everyone may use
    it. `names` are hosts that it knows, by port."""

    credentials: str = ""
    always: tuple[int, str] | None = None
    names: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.connections += 1
        number = self.connections
        self.open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer, number):
                pass
        self.open.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(method, target, headers, number))
        if (refusal := self._refusal(headers)) is not None:
            status, text = refusal
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
            return method != "CONNECT"
        if method == "CONNECT":
            await self._tunnel((reader, writer), target)
            return False
        writer.write(await self._pass_on(method, target, headers, body))
        return True

    def _refusal(self, headers: dict[str, str]) -> tuple[int, str] | None:
        wanted = f"Basic {base64.b64encode(self.credentials.encode()).decode()}"
        if self.credentials and headers.get("proxy-authorization") != wanted:
            return 407, "who are you?"
        return self.always

    async def _to(self, host: str, port: int) -> Pair:
        return await asyncio.open_connection("127.0.0.1", self.names.get(host, port))

    async def _tunnel(self, client: Pair, target: str) -> None:
        host, _, port = target.rpartition(":")
        server = await self._to(host, int(port))
        client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.open.add(server[1])
        await asyncio.gather(_pipe(client[0], server[1]), _pipe(server[0], client[1]))
        self.open.discard(server[1])

    async def _pass_on(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        """The answer of the server in one piece, with its length, so that the client's connection stays."""
        parts = urlsplit(target)
        assert parts.scheme == "http", "absolute form"
        reader, writer = await self._to(parts.hostname or "", parts.port or 80)
        kept = {name: value for name, value in headers.items() if not name.startswith("proxy-")}
        lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items() if name != "connection")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        writer.write(f"{method} {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n".encode("latin-1") + body)
        head, _, content = (await reader.read(-1)).partition(b"\r\n\r\n")
        writer.close()
        first, *others = head.split(b"\r\n")
        skipped = (b"connection:", b"content-length:", b"transfer-encoding:")
        others = [line for line in others if not line.lower().startswith(skipped)]
        length = [] if b" 204 " in first else [f"content-length: {len(content)}".encode()]
        return b"\r\n".join([first, *others, *length, b"", content])


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxying(proxy: FakeProxy, *, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve `proxy` on a port, any free one by default; `as` names it. At the end all that goes through it breaks."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in list(proxy.open):
            writer.close()
        await server.wait_closed()
