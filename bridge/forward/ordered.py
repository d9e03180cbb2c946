"""Finding the samples that a receiver refuses, where those of a series must arrive in order, oldest first.

What the answer tells is used first: which series it names, how many were dropped. Else halves are sent again, in order.

**What may be stored already.** A request without an answer may have been stored, and so may one before a crash. Sent
again, samples are refused as late by a receiver that has newer ones of their series, and they may be those. So a sample
that may have been sent before and is late counts as sent when the newest of its series, of the same delivery, is taken:
the receiver then had nothing newer than that. To save the search one sample at a time, the oldest of each series is
asked about. That is of each, not of some: receivers store a request in parts, and others write to them too. Within one
series nobody else may write: what another writer adds to it between two of our samples can't be told from ours.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.forward.answer import Ruling, Verdict
from bridge.forward.bisect import Outcome, Rejection
from bridge.forward.delivery import Delivery
from bridge.forward.pieces import fitting, halves
from bridge.forward.remote_answer import is_late
from bridge.native import Outbound

__all__ = ["SeriesSearch"]

_WORTH_ASKING = 80  # samples; fewer are searched in less time


@dataclass(slots=True)
class _Piece:
    """Samples of one request; `unsure` when an earlier one with them may have been stored."""

    samples: Outbound
    unsure: bool


class SeriesSearch:
    """Delivers samples in requests that the receiver can take, one after the other, and tells which ones it refused."""

    def __init__(self, delivery: Delivery, *, doubts: int) -> None:
        self._delivery = delivery
        self._doubts = doubts

    async def deliver(self, samples: Outbound, *, doubtful: bool = False) -> Outcome:
        """Send all of it, which returns when the fate of each is known. Raises Stopped."""
        outcome = Outcome()
        late: set[bytes] = set()  # lines of samples that may have been stored by an earlier request
        accepted = self._delivery.accepted
        todo = deque(_Piece(part, doubtful) for part in fitting(samples, self._delivery.throttle))
        while todo:
            piece = todo.popleft()
            ruling = await self._delivery.send(piece.samples, doubts=self._doubts)
            piece.unsure |= ruling.unsure
            if ruling.verdict is Verdict.OK:
                outcome.sent += len(piece.samples)
                continue
            others_pass = self._delivery.accepted > accepted
            if ruling.verdict in {Verdict.RETRY, Verdict.DOUBT} and not others_pass:
                todo = await self._ask_another(piece, ruling, todo)
                continue
            todo.extendleft(reversed(await self._search(piece, ruling, outcome, late)))
        return _without_stored(samples, outcome, late)

    async def _ask_another(self, piece: _Piece, ruling: Ruling, todo: deque[_Piece]) -> deque[_Piece]:
        """Is it these samples or the receiver? It is the samples when others get through: so those come first, of one
        series at a time, and slowly."""
        if ruling.verdict is Verdict.DOUBT:
            await self._delivery.wait(ruling)
        samples = piece.samples
        if len(samples) > 1:
            parts = (samples.slice(0, 1), samples.slice(1, len(samples)))
            return deque([*(_Piece(part, piece.unsure) for part in parts), *todo])
        # What is left of its series stays behind it.
        both = [(other, *other.samples.split_by_series({samples.series(0)})) for other in todo]
        others = [_Piece(rest, other.unsure) for other, _, rest in both if len(rest)]
        same = [_Piece(found, other.unsure) for other, found, _ in both if len(found)]
        return deque([*others, piece, *same])

    async def _search(self, piece: _Piece, ruling: Ruling, outcome: Outcome, late: set[bytes]) -> Sequence[_Piece]:
        """What is still to be sent of a piece that was refused, in whole or in part."""
        samples = piece.samples
        if ruling.verdict is Verdict.SPLIT and len(samples) > 1:
            await self._delivery.wait(ruling)
            return _halves(samples, unsure=piece.unsure)
        if len(samples) == 1 or ruling.dropped == len(samples):
            _reject(piece, ruling, outcome, late)
            return []
        if ruling.verdict is Verdict.PARTIAL:
            if sum(map(len, ruling.series.values())) == ruling.dropped:
                return _take_named(piece, ruling, outcome, late)
            return _halves(samples, unsure=True)
        if piece.unsure and is_late(ruling.answer.text) and len(samples) > _WORTH_ASKING:
            return await self._ask_about_old(piece, outcome)
        return _halves(samples, unsure=piece.unsure)

    async def _ask_about_old(self, piece: _Piece, outcome: Outcome) -> Sequence[_Piece]:
        """Was the whole piece stored before? Then the oldest sample of each series is late, and the newest is not."""
        newest, older = piece.samples.split_newest()
        rest = older
        while len(rest):
            one = rest.slice(0, 1)
            ruling = await self._delivery.send(one, doubts=self._doubts)
            if ruling.verdict is Verdict.OK:
                outcome.sent += 1
                _, left = piece.samples.split_by_text({one.line(0)})
                return _halves(left, unsure=True)
            _, rest = rest.split_by_series({one.series(0)})
        if len(older):
            ruling = await self._delivery.send(newest, doubts=self._doubts)
            if ruling.verdict is Verdict.OK:
                outcome.sent += len(piece.samples)
                return []
        return _halves(piece.samples, unsure=True)


def _halves(samples: Outbound, *, unsure: bool) -> Sequence[_Piece]:
    return [_Piece(part, unsure) for part in halves(samples) if len(part)]


def _take_named(piece: _Piece, ruling: Ruling, outcome: Outcome, late: set[bytes]) -> Sequence[_Piece]:
    """The answer names the series of each sample that was refused. Late ones of a series are the oldest: once one is
    taken, so are the newer ones. Of others nobody knows which they are, unless it is all of a series."""
    left = Counter({series: len(reasons) for series, reasons in ruling.series.items()})
    named, others = piece.samples.split_by_series(set(ruling.series))
    bad = [index for index in range(len(named)) if _count_down(left, named.series(index))]
    of_series = Counter(named.series(index) for index in range(len(named)))
    known = all(
        len(reasons) == of_series[series] or all(map(is_late, reasons)) for series, reasons in ruling.series.items()
    )
    if len(bad) != ruling.dropped or not known:
        return _halves(piece.samples, unsure=True)
    outcome.sent += len(others) + len(named) - len(bad)
    for index in bad:
        one = _Piece(named.slice(index, index + 1), piece.unsure)
        _reject(one, ruling, outcome, late, ruling.series[named.series(index)][0])
    return []


def _count_down(left: Counter[bytes], series: bytes) -> bool:
    left[series] -= 1
    return left[series] >= 0


def _reject(piece: _Piece, ruling: Ruling, outcome: Outcome, late: set[bytes], reason: str | None = None) -> None:
    samples = piece.samples
    for index in range(len(samples)):
        series = samples.series(index)
        told = reason or next(iter(ruling.series.get(series, [])), None) or ruling.answer.text
        line = samples.line(index)
        outcome.rejected.append(Rejection(line, series, ruling.answer.status, told))
        if piece.unsure and is_late(told):
            late.add(line)


def _without_stored(samples: Outbound, outcome: Outcome, late: set[bytes]) -> Outcome:
    """Count late samples as sent whose series took its newest one."""
    if not late:
        return outcome
    rejected = {rejection.line for rejection in outcome.rejected}
    newest, _ = samples.split_newest()
    lines = {newest.series(index): newest.line(index) for index in range(len(newest))}
    left = [r for r in outcome.rejected if r.line not in late or lines[r.series] in rejected]
    return Outcome(sent=outcome.sent + len(outcome.rejected) - len(left), rejected=left)
