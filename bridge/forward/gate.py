"""Where requests wait until the sink is to be sent another one."""

import asyncio
from collections.abc import Callable
from types import TracebackType

__all__ = ["Gate"]


class Gate:
    """A semaphore whose size changes. Belongs to one event loop; `async with` is one request."""

    def __init__(self, limit: Callable[[], int]) -> None:
        """`limit` tells how many may be inside now."""
        self._limit = limit
        self._inside = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def __aenter__(self) -> None:
        """Wait until there is room."""
        while self._inside >= self._limit():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            finally:
                self._waiting.remove(turn)
        self._inside += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make room. All that wait look again: one that is called alone may be cancelled before it looks."""
        self._inside -= 1
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
