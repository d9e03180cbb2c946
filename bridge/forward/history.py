"""Stored samples by time: what is sent again, and what is sent late.

History is read in windows, oldest first, each of as long a time as gives a bounded number of samples: a window must not
fill the memory, and many small ones would decode the same chunks over and over. How long that is shows as one goes.
"""

from dataclasses import dataclass
from typing import Protocol

from bridge.buffer import Spans
from bridge.forward.payload import Encoder, Payload

__all__ = ["Columns", "History", "TooManySamples", "Window", "Windows"]

_FIRST_MS = 60_000


class TooManySamples(Exception):
    """A window that holds more samples than were allowed."""


class Columns(Protocol):
    """Samples of a window, in columns."""

    def __len__(self) -> int:
        """Samples, native histograms included."""

    def encode(self, start: int, stop: int, encoder: Encoder) -> Payload:
        """Samples `start` to `stop`, in an order that stays the same."""


class History(Protocol):
    """Reads what is stored, held samples left out. Blocks; may be called in any thread."""

    def __call__(self, mint: int, maxt: int, max_samples: int) -> Columns:
        """Samples in [mint, maxt] ms. Raises TooManySamples above `max_samples` (0: no limit), and OSError."""


@dataclass(frozen=True, slots=True)
class Window:
    """Samples of some time, and the spans that are left behind it."""

    columns: Columns
    rest: Spans
    maxt: int = 0
    """The last of the time, ms."""


class Windows:
    """Goes through spans of time in order."""

    def __init__(self, history: History, spans: Spans, max_samples: int) -> None:
        """With windows of `max_samples` at most; the samples of one millisecond are never divided."""
        self._history = history
        self._max_samples = max_samples
        self._width = _FIRST_MS
        self.spans = spans

    def next(self, *, least: int = 0, until: int | None = None) -> Window | None:
        """The next window, which may be empty; None when all have been. Raises OSError: then it can be asked again.

        It reaches to `until` ms, however many samples that are, and has `least` of them, if there are: beyond its span
        then, with all that lies before the next one.
        """
        if not self.spans:
            return None
        (first, last), *others = self.spans
        while until is not None and others and others[0][0] <= until:
            last = others.pop(0)[1]
        whole = max(first, until if until is not None else first)
        most, grows = max(self._max_samples, 2 * least), True
        while True:
            maxt = min(max(first + self._width - 1, whole), last)
            try:
                columns = self._history(first, maxt, most if maxt > whole else 0)
            except TooManySamples:
                self._width, grows = (maxt - first + 1) // 2, False
                continue
            if len(columns) >= least or not grows or (maxt == last and not others):
                break
            if maxt == last:
                last = others.pop(0)[1]
            self._width = 2 * (maxt - first + 1)
        if len(columns) <= self._max_samples // 4:
            self._width *= 2
        self.spans = tuple((max(begin, maxt + 1), end) for begin, end in self.spans if end > maxt)
        return Window(columns, self.spans, maxt)
