"""A clock that stands until it is told the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import anyio

__all__ = ["ToldClock"]


class ToldClock:
    """Implements `bridge.clock.Clock`; monotonic time goes with the other."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now
        self._waits: list[tuple[int, asyncio.Timeout]] = []

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """Seconds."""
        return self.now / 1000

    @contextlib.asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        """As `asyncio.timeout`; it is over when the told time is."""
        async with asyncio.timeout(None if seconds > 0 else 0.0) as timeout:
            wait = (self.now + round(seconds * 1000), timeout)
            self._waits.append(wait)
            try:
                yield
            finally:
                with contextlib.suppress(ValueError):
                    self._waits.remove(wait)

    @property
    def due(self) -> int | None:
        """When the first of those who wait are to go on, ms; None when nobody waits."""
        return min((due for due, _ in self._waits), default=None)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waits)

    async def wait(self) -> int:
        """Let whoever waits, as soon as somebody does, have waited long enough; how long that was to be, ms."""
        with anyio.fail_after(60):
            while (due := self.due) is None:
                await anyio.sleep(0.001)
        before = self.now
        self.tell(due)
        return due - before

    def tell(self, now: int) -> None:
        """It is `now` ms: who has waited long enough goes on."""
        self.now = now
        for wait in [wait for wait in self._waits if wait[0] <= now]:
            self._waits.remove(wait)
            wait[1].reschedule(0.0)
