"""A clock that stands until it is told the time."""

from __future__ import annotations

__all__ = ["ToldClock"]


class ToldClock:
    """Implements `bridge.clock.Clock`; monotonic time goes with the other."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """Seconds."""
        return self.now / 1000
