"""How many series may begin in a minute."""

from bridge.clock import Clock

__all__ = ["Newcomers"]

WINDOW = 60.0  # seconds


class Newcomers:
    """Counts new series in windows of a minute, which begin with the first one."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self.limit = limit  # 0: none
        self._clock = clock
        self._end = 0.0
        self._count = 0

    def room(self) -> int | None:
        """How many more may begin now; None for any number."""
        if not self.limit:
            return None
        if self._clock.monotonic() >= self._end:
            return self.limit
        return max(0, self.limit - self._count)

    def began(self, count: int) -> None:
        """So many have begun."""
        now = self._clock.monotonic()
        if now >= self._end:
            self._end, self._count = now + WINDOW, 0
        self._count += count

    def wait(self) -> int:
        """Whole seconds until there is room again."""
        return max(1, -int(-(self._end - self._clock.monotonic()) // 1))
