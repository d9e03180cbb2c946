"""Finding the few samples that a sink will never take among the many that it would.

What the answer tells is used first: lines that it names, or that all were dropped. Else halves are sent again, which
changes nothing for samples that were stored already. Where one sample of a series is refused, its others are likely
to be: those of the same batch are set apart and tried together, after all others, and so are those of later batches, so
that they do not cost the others a search.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from bridge.forward.answer import Ruling, Verdict
from bridge.forward.delivery import Delivery
from bridge.forward.payload import Merged, Payload, samples_in, samples_of
from bridge.forward.pieces import fitting, halves

__all__ = ["Bisector", "Outcome", "Rejection", "Search"]

_MAX_SUSPECTS = 10_000


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that the sink refused for good: what names its series, status and words of the refusal, and how many
    samples it stands for."""

    line: bytes
    series: bytes
    code: int
    reason: str
    samples: int = 1


@dataclass(slots=True)
class Outcome:
    """What became of samples: each was sent, is rejected, or is older than what the sink keeps."""

    sent: int = 0
    expired: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def dead(self) -> int:
        """How many samples are rejected."""
        return sum(rejection.samples for rejection in self.rejected)


class Search(Protocol):
    """Delivers samples and finds those that the sink refuses."""

    async def deliver(self, payload: Payload, *, doubtful: bool = False) -> Outcome:
        """Send all of it, some of which may have been sent before if it is `doubtful`. Raises Stopped."""


class Bisector:
    """Delivers samples in pieces that the sink can take, and tells which ones it refused."""

    def __init__(self, delivery: Delivery, *, doubts: int) -> None:
        self._delivery = delivery
        self._doubts = doubts
        self._suspects: dict[bytes, None] = {}  # by age
        self._witness: Payload | None = None  # one that the sink took, sent again when it is asked about itself

    async def deliver(self, payload: Payload, *, doubtful: bool = False) -> Outcome:  # noqa: ARG002 - sent twice is sent once
        """Send all of it, which returns when the fate of each is known. Raises Stopped."""
        outcome = Outcome()
        suspects, others = payload.split_by_series(set(self._suspects)) if self._suspects else (None, payload)
        await self._deliver(others, outcome)
        if suspects is not None and len(suspects):
            refused = len(outcome.rejected)
            await self._deliver(suspects, outcome)
            if len(outcome.rejected) == refused:
                self._trust(suspects)
        return outcome

    async def _deliver(self, payload: Payload, outcome: Outcome) -> None:
        accepted_before = self._delivery.accepted
        todo = deque(fitting(payload, self._delivery.throttle))
        apart: set[bytes] = set()  # series of which a sample was refused; their others come last
        last: deque[Payload] = deque()
        while todo or last:
            if not todo:
                todo.extend(fitting(last.popleft(), self._delivery.throttle))
            piece = todo.popleft()
            refused_before = len(outcome.rejected)
            ruling = await self._delivery.send(piece, doubts=self._doubts)
            if ruling.verdict is Verdict.OK:
                outcome.sent += samples_in(piece)
                self._witness = piece.slice(0, 1)
            elif ruling.verdict is Verdict.RETRY:
                # Is it this sample or the sink? It is the sample when others have got through meanwhile; to find out,
                # the others go first, and one goes that got through before.
                if len(piece) > 1:
                    todo.extend(halves(piece))
                elif self._delivery.accepted > accepted_before:
                    todo.extend(self._reject(piece, ruling, outcome))
                else:
                    todo.append(piece)
                    await self._ask_again()
            else:
                todo.extendleft(reversed(self._search(piece, ruling, outcome)))
            if new := {r.series for r in outcome.rejected[refused_before:]} - apart:
                apart |= new
                todo, theirs = _sift(payload, todo, new)
                if len(theirs):
                    last.append(theirs)

    async def _ask_again(self) -> None:
        """Send a sample again that the sink took before, which changes nothing there: others may not be left."""
        if self._witness is not None:
            await self._delivery.send(self._witness, doubts=self._doubts)

    def _search(self, piece: Payload, ruling: Ruling, outcome: Outcome) -> list[Payload]:
        """What is still to be sent of a piece that was refused, in whole or in part."""
        if ruling.verdict is Verdict.SPLIT and len(piece) > 1:
            return halves(piece)
        if numbers := sorted(number for number in ruling.numbered if number < len(piece)):
            return self._take_out(piece, numbers, ruling, outcome)
        if len(piece) == 1 or ruling.dropped == len(piece):
            return self._reject(piece, ruling, outcome)
        if ruling.listed:
            bad, others = piece.split_by_text(set(ruling.listed))
            if len(bad):
                return [*([others] if len(others) else []), *self._reject(bad, ruling, outcome)]
        return halves(piece)

    def _take_out(self, piece: Payload, bad: list[int], ruling: Ruling, outcome: Outcome) -> list[Payload]:
        """The answer tells by number which lines are refused, and so what became of all others."""
        bounds = [-1, *bad, len(piece)]
        others = piece.concat([piece.slice(a + 1, b) for a, b in pairwise(bounds)])
        left = []
        if ruling.verdict is Verdict.PARTIAL:
            outcome.sent += samples_in(others)
        elif len(others):
            left.append(others)
        for number in bad:
            left += self._reject(piece.slice(number, number + 1), ruling, outcome, ruling.numbered[number])
        return left

    def _reject(self, payload: Payload, ruling: Ruling, outcome: Outcome, reason: str = "") -> list[Payload]:
        """Give these lines up; of a line of several samples each is tried alone before, and is given back for that."""
        if isinstance(payload, Merged):
            single = payload.singly()
            if len(single) > len(payload):
                return [single]
        if ruling.expired:
            outcome.expired += samples_in(payload)
            return []
        for index in range(len(payload)):
            line, series = payload.line(index), payload.series(index)
            told = reason or ruling.listed.get(line, ruling.answer.text)
            samples = samples_of(payload, index)
            outcome.rejected.append(Rejection(line, series, ruling.answer.status, told, samples))
            self._suspect(series)
        return []

    def _suspect(self, series: bytes) -> None:
        self._suspects.pop(series, None)
        self._suspects[series] = None
        if len(self._suspects) > _MAX_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]

    def _trust(self, payload: Payload) -> None:
        for index in range(len(payload)):
            self._suspects.pop(payload.series(index), None)


def _sift(whole: Payload, pieces: Iterable[Payload], series: set[bytes]) -> tuple[deque[Payload], Payload]:
    """(the pieces of `whole` without samples of these series, those samples together)."""
    both = [piece.split_by_series(series) for piece in pieces]
    return deque(others for _, others in both if len(others)), whole.concat([found for found, _ in both])
