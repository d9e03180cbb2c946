"""Reading a request: its headers, and its body within bounds of size, time and memory."""

import asyncio

from starlette.types import Receive, Scope

from bridge.edge.gate import Hold
from bridge.errors import BadInput, SlowBody, TooLarge

__all__ = ["ClientGone", "header", "read_body"]

# A body must arrive at this rate at least, after a while for getting started: a client that trickles bytes would
# otherwise keep its connection and its memory for ever.
BODY_GRACE = 30.0  # seconds
BODY_RATE = 1024  # bytes a second


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
    shut, SlowBody, and ClientGone; what was read is free at once.
    """
    declared = content_length(scope)
    if declared > limit:
        raise too_large(limit)
    loop = asyncio.get_running_loop()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_GRACE) as timeout:
            started = loop.time()
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientGone
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                hold.grow(len(chunk))
                if not message.get("more_body", False):
                    return chunk if not chunks else b"".join((*chunks, chunk))
                chunks.append(chunk)
                timeout.reschedule(started + BODY_GRACE + size / BODY_RATE)
    except TimeoutError:
        raise SlowBody("the body of the request came too slowly") from None


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
