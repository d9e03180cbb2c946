"""Finding the few lines that a sink will never take among the many that it would.

What the answer tells is used first: lines that it names, or that all were dropped. Else halves are sent again, which
changes nothing for lines that were stored already. Where one line of a series is refused, its other lines are likely
to be: those of the same batch are set apart and tried together, after all others, and so are those of later batches, so
that they do not cost the others a search.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.forward.classify import Ruling, Verdict
from bridge.forward.delivery import Delivery
from bridge.native import Lines

__all__ = ["Bisector", "Outcome", "Rejection"]

_MAX_SUSPECTS = 10_000
_MIN_BYTES = 1 << 10


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that the sink refused for good, with what names its series, and the status and words of the refusal."""

    line: bytes
    series: bytes
    code: int
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of lines: each was sent or is rejected."""

    sent: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class Bisector:
    """Delivers lines in pieces that the sink can take, and tells which ones it refused."""

    def __init__(self, delivery: Delivery, *, max_lines: int, max_bytes: int, doubts: int) -> None:
        self._delivery = delivery
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._doubts = doubts
        self._suspects: dict[bytes, None] = {}  # by age
        self._witness: Lines | None = (
            None  # a line that the sink took: what is sent again when it is asked about itself
        )

    async def deliver(self, lines: Lines) -> Outcome:
        """Send all of `lines`, which returns when the fate of each is known. Raises Stopped."""
        outcome = Outcome()
        suspects, others = lines.split_by_series(set(self._suspects)) if self._suspects else (None, lines)
        await self._deliver(others, outcome)
        if suspects is not None and len(suspects):
            refused = len(outcome.rejected)
            await self._deliver(suspects, outcome)
            if len(outcome.rejected) == refused:
                self._trust(suspects)
        return outcome

    async def _deliver(self, lines: Lines, outcome: Outcome) -> None:
        accepted_before = self._delivery.accepted
        todo = deque(self._pieces(lines))
        apart: set[bytes] = set()  # series of which a line was refused; their other lines come last
        last: deque[Lines] = deque()
        while todo or last:
            if not todo:
                todo.extend(self._pieces(last.popleft()))
            piece = todo.popleft()
            refused_before = len(outcome.rejected)
            ruling = await self._delivery.send(piece, doubts=self._doubts)
            if ruling.verdict is Verdict.OK:
                outcome.sent += len(piece)
                self._witness = piece.slice(0, 1)
            elif ruling.verdict is Verdict.RETRY:
                # Is it this line or the sink? It is the line when others have got through meanwhile; to find out, the
                # others go first, and one goes that got through before.
                if len(piece) > 1:
                    todo.extend(_halves(piece))
                elif self._delivery.accepted > accepted_before:
                    self._reject(piece, ruling, outcome)
                else:
                    todo.append(piece)
                    await self._ask_again()
            else:
                todo.extendleft(reversed(self._search(piece, ruling, outcome)))
            if new := {r.series for r in outcome.rejected[refused_before:]} - apart:
                apart |= new
                todo, theirs = _sift(todo, new)
                if len(theirs):
                    last.append(theirs)

    async def _ask_again(self) -> None:
        """Send a line again that the sink took before, which changes nothing there: others may not be left."""
        if self._witness is not None:
            await self._delivery.send(self._witness, doubts=self._doubts)

    def _search(self, piece: Lines, ruling: Ruling, outcome: Outcome) -> list[Lines]:
        """What is still to be sent of a piece that was refused, in whole or in part."""
        if ruling.verdict is Verdict.SPLIT and len(piece) > 1:
            self._max_bytes = max(piece.size // 2, _MIN_BYTES)
            return _halves(piece)
        if len(piece) == 1 or ruling.dropped == len(piece):
            self._reject(piece, ruling, outcome)
            return []
        if ruling.listed:
            bad, others = piece.split_by_text(set(ruling.listed))
            if len(bad):
                self._reject(bad, ruling, outcome)
                return [others] if len(others) else []
        return _halves(piece)

    def _pieces(self, lines: Lines) -> list[Lines]:
        pieces, start = [], 0
        while count := lines.fit(start, self._max_lines, self._max_bytes):
            pieces.append(lines if count == len(lines) else lines.slice(start, start + count))
            start += count
        return pieces

    def _reject(self, lines: Lines, ruling: Ruling, outcome: Outcome) -> None:
        for index in range(len(lines)):
            line = lines.line(index)
            reason = ruling.listed.get(line, ruling.answer.text)
            series = lines.series(index)
            outcome.rejected.append(Rejection(line, series, ruling.answer.status, reason))
            self._suspect(series)

    def _suspect(self, series: bytes) -> None:
        self._suspects.pop(series, None)
        self._suspects[series] = None
        if len(self._suspects) > _MAX_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]

    def _trust(self, lines: Lines) -> None:
        for index in range(len(lines)):
            self._suspects.pop(lines.series(index), None)


def _halves(lines: Lines) -> list[Lines]:
    middle = len(lines) // 2
    return [lines.slice(0, middle), lines.slice(middle, len(lines))]


def _sift(pieces: Iterable[Lines], series: set[bytes]) -> tuple[deque[Lines], Lines]:
    """(the pieces without lines of these series, those lines together)."""
    both = [piece.split_by_series(series) for piece in pieces]
    return deque(others for _, others in both if len(others)), Lines.concat([found for found, _ in both])
