"""How fast a sink comes along, when it will have caught up, and whether what it waits for is still there then."""

from collections import deque
from dataclasses import dataclass

__all__ = ["Forecast", "Pulse"]

_WINDOW_MS = 300_000
_SPACING_MS = 1_000
_SHORTEST_MS = 5_000  # what a shorter time tells of a rate is chance


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a sink.

    Attributes:
        rate: samples that it accounts for in a second, of late; None as long as too little is known.
        eta_seconds: until nothing is pending, if all goes on as it does; None when that is never, or not known.
        outrun_seconds: until retention deletes samples that it was not sent yet; None when that does not happen.
    """

    rate: float | None = None
    eta_seconds: float | None = None
    outrun_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Beat:
    now: int
    accepted: int
    accounted: int
    reached: int


class Pulse:
    """A sink's progress over the last minutes."""

    def __init__(self) -> None:
        self._beats: deque[_Beat] = deque()

    def beat(self, now: int, *, accepted: int, accounted: int, reached: int) -> None:
        """At `now` ms the store has accepted so many samples over its life, the sink accounted for so many, and what it
        was sent last is of the time `reached`, ms. Looks that come closer than a second are one."""
        if self._beats and not 0 <= now - self._beats[-1].now < _WINDOW_MS * 10:
            self._beats.clear()  # the clock jumped, or nobody looked for long
        beat = _Beat(now, accepted, accounted, reached)
        if len(self._beats) > 1 and now - self._beats[-2].now < _SPACING_MS:
            self._beats[-1] = beat
        else:
            self._beats.append(beat)
        while len(self._beats) > 2 and now - self._beats[1].now >= _WINDOW_MS:
            self._beats.popleft()

    def forecast(self, kept_for: int | None) -> Forecast:
        """As of the last look; `kept_for` is the age at which samples are deleted, ms, None for never."""
        if not self._beats:
            return Forecast()
        last = self._beats[-1]
        pending = last.accepted - last.accounted
        if pending <= 0:
            return Forecast(self._rate("accounted"), 0.0)
        incoming, outgoing = self._rate("accepted"), self._rate("accounted")
        eta = None
        if incoming is not None and outgoing is not None and outgoing > incoming:
            eta = pending / (outgoing - incoming)
        return Forecast(outgoing, eta, self._outrun(kept_for))

    def _outrun(self, kept_for: int | None) -> float | None:
        """What is deleted moves on by a second a second; what is sent may do better."""
        if kept_for is None:
            return None
        last = self._beats[-1]
        left = max(kept_for - (last.now - last.reached), 0) / 1000
        speed = self._rate("reached")
        gain = (speed or 0.0) / 1000
        return left / (1 - gain) if gain < 1 else None

    def _rate(self, what: str) -> float | None:
        """How much `what` grows in a second."""
        first, last = self._beats[0], self._beats[-1]
        if last.now - first.now < _SHORTEST_MS:
            return None
        grown: int = getattr(last, what) - getattr(first, what)
        return max(grown, 0) / (last.now - first.now) * 1000
