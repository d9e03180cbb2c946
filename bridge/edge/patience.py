"""Gives up on bodies that come too slowly: a client that trickles bytes would keep connection and memory for ever.

Slow ones are looked for once a second. A timer for each request costs more than reading its body does (6 us for
`asyncio.timeout` on uvloop, against 0.5), and whether a client gets 30 seconds or 31 does not matter.
"""

import asyncio
from types import TracebackType
from typing import Self

from bridge.errors import SlowBody

__all__ = ["Patience", "Reading"]


class Patience:
    """How long bodies may take: `grace` seconds, and one more for each `rate` bytes that have arrived."""

    def __init__(self, grace: float = 30.0, rate: float = 1024.0, look_interval: float = 1.0) -> None:
        self.grace = grace
        self.rate = rate
        self._look_interval = look_interval
        self._readings: set[Reading] = set()
        self._timer: asyncio.TimerHandle | None = None

    def reading(self) -> "Reading":
        """The reading of one body by the current task; `with` raises SlowBody in it when it takes too long."""
        return Reading(self)

    def add(self, reading: "Reading") -> None:
        """Watch it. The timer runs only while there is something to watch."""
        self._readings.add(reading)
        if self._timer is None:
            self._timer = reading.loop.call_later(self._look_interval, self._look, reading.loop)

    def discard(self, reading: "Reading") -> None:
        """It has ended."""
        self._readings.discard(reading)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for reading in self._readings:
            if now > reading.deadline:
                reading.give_up()
        self._timer = loop.call_later(self._look_interval, self._look, loop) if self._readings else None


class Reading:
    """One body on its way."""

    __slots__ = ("_given_up", "_patience", "_started", "_task", "deadline", "loop")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._task = asyncio.current_task()
        self._given_up = False
        self.loop = asyncio.get_running_loop()
        self._started = self.loop.time()
        self.deadline = self._started + patience.grace

    def arrived(self, size: int) -> None:
        """So many bytes in all: the client has earned time."""
        self.deadline = self._started + self._patience.grace + size / self._patience.rate

    def give_up(self) -> None:
        """Interrupt the task where it waits for the client. It waits nowhere else inside `with`."""
        if self._task is not None and not self._given_up:
            self._given_up = True
            self._task.cancel()

    def __enter__(self) -> Self:
        self._patience.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.discard(self)
        if self._given_up and self._task is not None:
            # Somebody else may have cancelled the task as well; then it stays cancelled.
            others = self._task.uncancel()
            if kind is asyncio.CancelledError and not others:
                raise SlowBody("the body of the request came too slowly") from None
