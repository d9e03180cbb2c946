"""A request in the core's hands: opened, read, and read again when the head has forgotten what it knew."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bridge.edge import Gate
from bridge.errors import BadInput, TooLarge
from bridge.native import DecodedWrite, Head, TooLong, WriteMessage, WriteRefused, WriteRules, snappy_length
from bridge.remote_write.protocol import Version
from bridge.remote_write.replicas import Replica

__all__ = ["Refused", "Request", "length_within"]

T = TypeVar("T")


class Refused(BadInput):
    """Nothing of the request is taken; `reason` is its name in metrics."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


def length_within(body: bytes, limit: int) -> int:
    """How long a body will be once it is decompressed. Raises TooLarge and Refused before that is tried."""
    try:
        length = snappy_length(body)
    except ValueError as error:
        raise Refused(str(error), "snappy") from None
    if length > limit:
        raise TooLarge(f"request body larger than {int(limit)} bytes after decompression")
    return length


class Request:
    """One request. What takes long is done in a thread; all raises Refused and TooLarge."""

    def __init__(
        self, body: bytes, version: Version, gate: Gate, rules: WriteRules, *, newest: int, limit: int
    ) -> None:
        """`newest` is the latest time (ms) that a sample may have."""
        self._body = body
        self._version = version
        self._gate = gate
        self._rules = rules
        self._newest = newest
        self._limit = limit
        self._message: WriteMessage | None = None
        self.unheard: list[Replica] | None = None

    async def replicas(self) -> list[Replica]:
        """Who sent it."""
        return await self._run(lambda: self._open().replicas(self._rules))

    async def decode(self, head: Head, *, fresh: bool = False) -> DecodedWrite:
        """The batch for `head`; with `fresh` it names every series."""
        return await self._run(partial(self._decode, head, fresh))

    def _decode(self, head: Head, fresh: bool) -> DecodedWrite:  # noqa: FBT001
        return self._open().decode(head, self._rules, newest=self._newest, unheard=self.unheard, fresh=fresh)

    def _open(self) -> WriteMessage:
        if self._message is None:
            self._message = WriteMessage.open(self._body, self._version, self._limit)
        return self._message

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._gate.run(self._body, work)
        except WriteRefused as error:
            if error.reason == "too_many_samples":
                raise TooLarge(f"{error}; send fewer at a time") from None
            raise Refused(str(error), error.reason) from None
        except TooLong:
            raise TooLarge(f"request body larger than {int(self._limit)} bytes after decompression") from None
        except ValueError as error:
            raise Refused(str(error), "snappy") from None
