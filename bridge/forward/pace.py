"""How long to wait before samples are sent again."""

import random
from dataclasses import dataclass

from bridge.forward.answer import Ruling, Verdict

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between attempts. Tests run the same code with small ones.

    Attributes:
        first: the longest first wait after an answer that says "again"; then doubled up to `cap`, with jitter.
        cap: the longest wait of those.
        retry_after_cap: the longest `Retry-After` that is obeyed; a shorter one is the floor of a wait.
        split: the wait before a body that was too large is sent in pieces.
        probe: the first wait while a human is needed; then doubled up to `probe_cap`, without jitter.
        probe_cap: the longest wait of those.
        doubts: so many equal 5xx answers in a row raise the question whether it is the samples.
        letters: how often the sink looks for dead letters to be sent again.
        stop: how long a stopping sink waits for answers.
    """

    first: float = 0.2
    cap: float = 60.0
    retry_after_cap: float = 600.0
    split: float = 0.0
    probe: float = 15.0
    probe_cap: float = 300.0
    doubts: int = 8
    letters: float = 2.0
    stop: float = 5.0

    def delay(self, ruling: Ruling, streak: int) -> float:
        """Seconds after the `streak`-th answer of this kind in a row, counted from 1."""
        doubled = 2.0 ** min(streak - 1, 30)
        if ruling.verdict in {Verdict.HOLD, Verdict.DOUBT}:
            return min(self.probe * doubled, self.probe_cap)
        if ruling.verdict is Verdict.SPLIT:
            return self.split
        longest = min(self.first * doubled, self.cap)
        jittered = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, hides nothing
        return max(jittered, min(ruling.answer.retry_after or 0.0, self.retry_after_cap))
