"""Time as an argument: whatever needs a clock is given one, so tests own it."""

import asyncio
import contextlib
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol

__all__ = ["Clock", "SystemClock", "sleep"]


class Clock(Protocol):
    """Wall time for timestamps, monotonic time for durations."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As `asyncio.timeout`, by this clock."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As `asyncio.timeout`."""
        return asyncio.timeout(seconds)


async def sleep(clock: Clock, seconds: float) -> None:
    """As `asyncio.sleep`, by this clock."""
    with contextlib.suppress(TimeoutError):
        async with clock.timeout(seconds):
            await asyncio.get_running_loop().create_future()
