"""Reading a request: its headers, and its body within bounds of size, time and memory."""

from starlette.types import Receive, Scope

from bridge.edge.gate import Hold
from bridge.errors import BadInput, TooLarge

__all__ = ["ClientGone", "header", "read_body"]


class ClientGone(Exception):
    """The client closed the connection before it had sent its request."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first value of a header, whose name is given in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def read_body(scope: Scope, receive: Receive, limit: int, hold: Hold) -> bytes:
    """The whole body, as sent.

    `hold` grows with the bytes as they arrive, not with what a header promises: a promise takes no memory.
    Raises TooLarge above `limit` (before reading anything when Content-Length says so), Unavailable when the gate is
    shut, SlowBody when the client trickles, and ClientGone; what was read is free at once.
    """
    declared = content_length(scope)
    if declared > limit:
        raise too_large(limit)
    body = bytearray()  # not a list of chunks: a million chunks of one byte would weigh fifty times what they hold
    with hold.gate.patience.reading() as reading:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            if len(body) + len(chunk) > limit:
                raise too_large(limit)
            hold.grow(len(chunk))
            more = message.get("more_body", False)
            if not more and not body:
                return chunk
            body += chunk
            if not more:
                return bytes(body)
            reading.arrived(len(body))


def content_length(scope: Scope) -> int:
    """What the client says it will send; 0 when it doesn't say."""
    value = header(scope, b"content-length")
    if value is None:
        return 0
    if not value.isdigit() or len(value) > 18:
        raise BadInput("bad Content-Length")
    return int(value)


def too_large(limit: int) -> TooLarge:
    """The refusal of a body."""
    return TooLarge(f"request body larger than {int(limit)} bytes")
