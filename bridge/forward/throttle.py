"""How many requests a sink is sent at a time, and how large they are: as much as it takes well.

Additive increase while requests wait for their turn and answers come fast, multiplicative decrease when the sink says
that it is too much, says nothing in time, or becomes slow (AIMD, as of TCP; the first rise doubles each round trip, as
TCP's slow start does). Latency is measured against the best one: with more at a time than a sink works on, requests
queue there, and that only makes each of them slower. The best one is found anew now and then with the least at a time,
for with a queue it would be the queue's.
"""

import enum
import math

from bridge.forward.answer import TIMEOUT, Ruling, Verdict

__all__ = ["Signal", "Throttle", "signal_of"]

_BACK_OFF = 0.5
_SLOW_DOWN = 0.9
_SLOW = 2.0  # times the best latency
_FAST = 0.1  # seconds; whatever the best was, an answer in less is no sign of a queue
_AGAIN = 1000  # full requests after which the best latency is found anew, for the sink may have changed
_GROW_BATCH = 1 / 16  # of the configured size, for each full request
_GROW_BYTES = 1 / 64  # of the present size, for each full request: each 413 is a body sent in vain
_MIN_BATCH = 1 / 64  # of the configured size
_FEW = 10  # samples; so small a request is not late for its size
_MIN_BYTES = 1 << 10
_FULL = 0.75  # of a bound; what is smaller says nothing about it


class Signal(enum.Enum):
    """What an answer tells about the load that a sink can bear."""

    TAKEN = "taken"  # it worked on the request
    BUSY = "busy"  # too much at a time, or there is trouble
    LATE = "late"  # no answer in time: too much, or too large
    LARGE = "large"  # too large
    NOTHING = "nothing"  # it waits for a human


def signal_of(ruling: Ruling) -> Signal:
    """What an answer tells about load, whatever kind of sink it is of."""
    match ruling.verdict:
        case Verdict.OK | Verdict.PARTIAL | Verdict.POISON:
            return Signal.TAKEN
        case Verdict.SPLIT:
            return Signal.LARGE
        case Verdict.RETRY:
            late = ruling.answer.status in {408, 499, 504} or ruling.answer.code == TIMEOUT
            return Signal.LATE if late else Signal.BUSY
        case _:
            return Signal.NOTHING


class Throttle:
    """The decision alone: it neither waits nor reads a clock."""

    def __init__(self, *, least: int, most: int, batch: int, max_bytes: int) -> None:
        """Between `least` and `most` requests at a time, of at most `batch` samples and `max_bytes` each."""
        self._least = least
        self._most = most
        self._limit = float(least)
        self._rising = True  # by one an answer, until the first sign that it is too much
        self._most_batch = batch
        self._batch = float(batch)
        self._most_bytes = max_bytes
        self._max_bytes = float(max_bytes)
        self._best = math.inf
        self._measured = 0  # full requests since the best latency was last forgotten
        self._lowered = -math.inf

    @property
    def limit(self) -> int:
        """Requests that may be under way at a time."""
        return int(self._limit)

    @property
    def batch(self) -> int:
        """Samples in a request at most."""
        return int(self._batch)

    @property
    def max_bytes(self) -> int:
        """Bytes in a request before compression at most."""
        return int(self._max_bytes)

    def note(self, now: float, signal: Signal, seconds: float, *, samples: int, size: int, waiting: int) -> None:
        """Take an answer into account that came at `now` (s, of any monotonic clock), `seconds` after a request of
        `samples` and of `size` bytes was sent, while `waiting` others wait for their turn."""
        if signal is Signal.LARGE and samples > 1:
            self._max_bytes = max(min(self._max_bytes, size / 2), min(_MIN_BYTES, self._most_bytes))
        if now - seconds < self._lowered:
            return  # sent before the last decrease, so it tells of the load that was
        if signal is Signal.TAKEN:
            self._taken(now, seconds, samples=samples, size=size, waiting=waiting)
        elif signal in {Signal.BUSY, Signal.LATE}:
            self._lower(now, self._limit * _BACK_OFF)
            if signal is Signal.LATE:
                least = max(self._most_batch * _MIN_BATCH, min(_FEW, self._most_batch))
                self._batch = max(self._batch * _BACK_OFF, least)
                self._best = math.inf  # which was that of larger ones

    def _taken(self, now: float, seconds: float, *, samples: int, size: int, waiting: int) -> None:
        if samples >= self._batch * _FULL or size >= self._max_bytes * _FULL:
            self._best = min(self._best, seconds)
            self._measured += 1
            if self._measured >= _AGAIN:
                self._find_best(now)
                return
            if seconds > max(self._best * _SLOW, _FAST):
                self._lower(now, self._limit * _SLOW_DOWN)
                return
        if waiting:
            step = 1.0 if self._rising else 1.0 / self._limit
            self._limit = min(self._limit + step, self._most)
        if samples >= self._batch * _FULL:
            self._batch = min(self._batch + self._most_batch * _GROW_BATCH, self._most_batch)
        if size >= self._max_bytes * _FULL:
            self._max_bytes = min(self._max_bytes * (1 + _GROW_BYTES), self._most_bytes)

    def _lower(self, now: float, limit: float) -> None:
        self._rising = False
        self._lowered = now
        self._limit = max(limit, self._least)

    def _find_best(self, now: float) -> None:
        """Begin as in the beginning, for a moment."""
        self._best, self._measured = math.inf, 0
        self._lower(now, self._least)
        self._rising = True
