"""Keeps a fault that repeats a thousand times a second from being a thousand lines a second."""

from collections import OrderedDict
from typing import Protocol

from bridge.clock import Clock

__all__ = ["Throttle", "ThrottledLog", "WarningLogger"]


class WarningLogger(Protocol):
    """The one method of a structlog logger that is used here."""

    def warning(self, event: str, **fields: object) -> object:
        """Log a line."""


class Throttle:
    """Admits each key once an interval and counts what it held back meanwhile.

    Keys may come from strangers (a path, an address): at most `max_keys` are remembered, the least recent go first.
    """

    def __init__(self, clock: Clock, interval: float = 10.0, max_keys: int = 1024) -> None:
        self._clock = clock
        self._interval = interval
        self._max_keys = max_keys
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> (when admitted, held back since)

    def admit(self, key: str) -> int | None:
        """None: hold this one back. A number: let it through, and say that so many were held back before it."""
        now = self._clock.monotonic()
        admitted, held = self._seen.get(key, (now - self._interval, 0))
        if now - admitted < self._interval:
            self._seen[key] = (admitted, held + 1)
            return None
        self._seen[key] = (now, 0)
        self._seen.move_to_end(key)
        if len(self._seen) > self._max_keys:
            self._seen.popitem(last=False)
        return held


class ThrottledLog:
    """A logger for warnings that may repeat: the first of a kind at once, then one an interval with its count."""

    def __init__(self, logger: WarningLogger, clock: Clock, interval: float = 10.0) -> None:
        self._logger = logger
        self._throttle = Throttle(clock, interval)

    def warning(self, event: str, /, *, key: str = "", **fields: object) -> None:
        """Log `event`; lines with the same `event` and `key` count as repeats of each other."""
        held = self._throttle.admit(f"{event}\0{key}")
        if held is None:
            return
        if held:
            fields["repeated"] = held
        self._logger.warning(event, **fields)
