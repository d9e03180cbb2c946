"""What a query may take, and what it has taken."""

import threading
from dataclasses import dataclass, field

from bridge.clock import Clock
from bridge.promql.failures import QueryCanceled, QueryTimeout, TooManySamples

__all__ = ["Budget", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on queries; 0 sets none.

    Attributes:
        series: that one query reads, counted for each selector that matches them.
        samples: that one query may hold at once. Cells of frames count, whether anything is in them or not.
        timeout: seconds that one query may take.
        concurrency: queries at a time; the others wait.
    """

    series: int = 0
    samples: int = 50_000_000
    timeout: float = 120.0
    concurrency: int = 20


@dataclass(slots=True)
class Budget:
    """What one query may still take. `cancel` may be called from any thread; the others by the query's own.

    Attributes:
        peak: samples held at once, at most.
    """

    limits: Limits
    clock: Clock
    peak: int = 0
    _deadline: float = field(init=False)
    _canceled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._deadline = self.clock.monotonic() + (self.limits.timeout or float("inf"))

    def cancel(self) -> None:
        """The query ends at its next operation."""
        self._canceled.set()

    def check(self) -> None:
        """Raises QueryCanceled or QueryTimeout when the query has to end."""
        if self._canceled.is_set():
            raise QueryCanceled
        if self.clock.monotonic() > self._deadline:
            raise QueryTimeout

    def hold(self, samples: int) -> None:
        """Raises TooManySamples when so many at once are too many."""
        self.peak = max(self.peak, samples)
        if self.limits.samples and samples > self.limits.samples:
            raise TooManySamples
