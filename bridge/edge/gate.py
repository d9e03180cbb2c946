"""Bounds the memory that request bodies take, all requests together."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from anyio import CapacityLimiter, to_thread

from bridge.edge.patience import Patience
from bridge.errors import Unavailable

__all__ = ["Gate", "Hold"]

T = TypeVar("T")

INLINE_LIMIT = 64 << 10  # bytes; a hop to a thread and back costs more than decoding or parsing this much


class Overloaded(Unavailable):
    """Too much at a time; it is over as soon as other requests are."""

    retry_after = 1


class Gate:
    """Counts bytes in flight. Lives on the event loop: nothing here is meant for threads.

    An empty gate lets any one request in, so a limit below the largest allowed body slows pushes down but never makes
    one impossible.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.patience = Patience()
        # What comes out of a decoder or parser is counted only when it is done, and takes many times the body's bytes:
        # few at a time.
        self._threads = CapacityLimiter(2)

    async def run(self, body: bytes, work: Callable[[], T]) -> T:
        """Do `work` on a body: at once when it is small, in a thread when others would have to wait for it."""
        if len(body) <= INLINE_LIMIT:
            return work()
        return await to_thread.run_sync(work, limiter=self._threads)

    def hold(self) -> "Hold":
        """A request's share, empty at first; `with` gives it back whatever happens."""
        return Hold(self)


class Hold:
    """What one request has in memory."""

    __slots__ = ("gate", "size")

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.size = 0

    def grow(self, size: int) -> None:
        """Take `size` bytes more. Raises Unavailable when that is over the limit and others hold some too."""
        gate = self.gate
        others = gate.used - self.size
        if others and gate.used + size > gate.limit:
            raise Overloaded(f"{gate.used} bytes of requests in flight, try again")
        gate.used += size
        self.size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gate.used -= self.size
        self.size = 0
