"""What a sender is told of a request that was read: status, headers, text.

| | 1.0 | 2.0 |
|---|---|---|
| all is stored | 204 | 204, with what was written |
| invalid labels | 204, their series are left out | 400, the others are stored |
| order, bounds, histograms | 400, nothing is stored | 400, the others are stored |
| limits | 400 or 429, the others are stored | the same |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.edge import Headers
from bridge.native import DecodedWrite, Refusals
from bridge.remote_write.protocol import Version, written

__all__ = ["Outcome", "judge"]

SHOWN = 10  # mistakes that a text names


@dataclass(slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        samples, histograms, exemplars: how many are stored, those included that were there already.
        left_out: samples, histograms and exemplars that are not, by reason.
        errors: mistakes that the sender is told of.
        texts: the first of them.
        crowded: some are left out because too many series began of late.
    """

    samples: int = 0
    histograms: int = 0
    exemplars: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    texts: list[str] = field(default_factory=list)
    crowded: bool = False

    @property
    def status(self) -> int:
        """204, or 400 when the sender made mistakes, or 429 when the same may do well later."""
        if not self.errors:
            return 204
        return 429 if self.crowded else 400

    @property
    def text(self) -> str:
        """The mistakes, one a line."""
        more = self.errors - len(self.texts[:SHOWN])
        return "\n".join([*self.texts[:SHOWN], *([f"and {more} more"] if more > 0 else [])])

    def headers(self, version: Version) -> Headers:
        """What is written, for 2.0. A sender of 1.0 must not be told: it would take the message for one of 2.0."""
        return written(self.samples, self.histograms, self.exemplars) if version is Version.V2 else []

    def leave_out(self, reasons: Mapping[str, int]) -> None:
        """Count by reason."""
        for reason, count in reasons.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + count


def judge(decoded: DecodedWrite, refusals: Refusals | None, version: Version, *, crowded: bool) -> Outcome:
    """The outcome of a request of which something may have been left out when it was read, and by the store."""
    samples, histograms, exemplars = decoded.counts
    unheard = decoded.unheard
    outcome = Outcome(samples + unheard[0], histograms + unheard[1], exemplars + unheard[2])
    if decoded.left_out:
        outcome.leave_out({reason: sum(counts) for reason, counts in decoded.left_out.items()})
        outcome.errors, outcome.texts = decoded.errors, decoded.texts
    if refusals is not None:
        take_refusals(outcome, refusals, version, crowded=crowded)
    return outcome


def take_refusals(outcome: Outcome, refusals: Refusals, version: Version, *, crowded: bool) -> None:
    """What the store left out. Only 2.0 is told of late exemplars, and nobody of those for which there was no room."""
    reasons = refusals.reasons
    outcome.samples -= refusals.samples
    outcome.histograms -= refusals.histograms
    outcome.exemplars -= refusals.exemplars
    outcome.leave_out(reasons)
    late = refusals.late_exemplars
    outcome.leave_out({reason: count for reason, count in told_exemplars(refusals) if count})
    outcome.errors += sum(reasons.values())
    texts = refusals.texts
    if version is Version.V2:
        outcome.errors += late
    elif late:
        texts = texts[:-1]
    outcome.texts = [*outcome.texts, *texts]
    outcome.crowded = crowded and "too_many_series" in reasons


def told_exemplars(refusals: Refusals) -> list[tuple[str, int]]:
    """Exemplars by reason."""
    late = refusals.late_exemplars
    return [("out_of_order_exemplar", late), ("exemplar", refusals.exemplars - late)]
