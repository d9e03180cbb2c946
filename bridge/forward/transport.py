"""The way to a sink: from a payload to a request, and from the answer to a ruling. No retries, no waiting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from bridge.forward.answer import REFUSED, TIMEOUT, UNSENT, Answer, Ruling
from bridge.forward.payload import Load

__all__ = ["Request", "Transport", "no_answer"]


@dataclass(frozen=True, slots=True)
class Request:
    """A load as it goes over the wire.

    Attributes:
        body: as sent, compressed.
        headers: what says how to read it.
        samples: how many are in it; 0 when it is something else.
        version: of the protocol, where it has several.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    samples: int = 0
    version: int = 1


class Transport(Protocol):
    """A write route of one sink. Belongs to one event loop; connections open with the first post."""

    async def pack(self, load: Load) -> Request:
        """Make a request of a load, in a thread when that takes long."""

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:
        """Send it, once more after so many `retries`, and judge the answer. That none came is an answer too."""

    async def close(self) -> None:
        """Close all connections."""


def no_answer(error: Exception) -> Answer:
    """What a failed request comes to: refused, reset, timed out, or not let through by a proxy."""
    if isinstance(error, aiohttp.ClientHttpProxyError):  # the answer to CONNECT: nothing of the request was sent
        passes = error.status >= 500 or error.status in {408, 425, 429}
        return Answer(0, f"the proxy answers {error.status} {error.message}", UNSENT if passes else REFUSED)
    unsent = isinstance(error, aiohttp.ClientConnectorError)
    late = isinstance(error, TimeoutError)
    return Answer(0, str(error) or type(error).__name__, UNSENT if unsent else TIMEOUT if late else "")
