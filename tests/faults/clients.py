"""Clients that do not behave: raw connections, written to by pieces and left at any moment."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.bridge_process import Answer

__all__ = ["Upload", "exchange", "read_answer"]


def read_answer(connection: socket.socket) -> Answer:
    """The next response on a connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def exchange(port: int, request: bytes, *, leave: bool = False) -> list[int]:
    """Send bytes, whatever they are, and read until the server closes: the statuses of its answers.

    With `leave` the client closes its half, so that the server does not wait for more; answers may get lost then.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        if leave:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := connection.recv(1 << 16):
                received += data
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3}) ", received, re.MULTILINE)]


class Upload:
    """A push whose body is sent by pieces: chunked, or of a `length` told in advance."""

    def __init__(self, port: int, path: str, *, length: int | None = None, headers: Iterable[str] = ()) -> None:
        self._chunked = length is None
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        head = [f"PUT {path} HTTP/1.1", "Host: x", framing, *headers, "", ""]
        self.connection.sendall("\r\n".join(head).encode())

    def send(self, data: bytes) -> None:
        """The next piece of the body."""
        self.connection.sendall(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def finish(self) -> Answer:
        """The end of a chunked body; the answer."""
        if self._chunked:
            self.connection.sendall(b"0\r\n\r\n")
        return self.answer()

    def answer(self) -> Answer:
        """What comes back."""
        return read_answer(self.connection)

    def abort(self) -> None:
        """Go away without a word: the peer sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
