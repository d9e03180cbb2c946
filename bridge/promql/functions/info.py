"""`info`: labels of info metrics, such as `target_info`, put on the series of the same target."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from bridge.model import Matcher
from bridge.native import Pattern
from bridge.promql.ast import Expr, SubqueryExpr, VectorSelector, children
from bridge.promql.evaluation import Evaluation, Read
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Bools, Frame, Integers, Steps, frame_of
from bridge.promql.functions.function import Function, Invocation
from bridge.promql.patterns import matches_empty
from bridge.promql.selection import times_within

__all__ = ["INFO"]

NAME = "__name__"
IDENTIFYING = ("instance", "job")
TARGET_INFO = Matcher(NAME, "=", "target_info")
NOBODY = -1
SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")

Labels: TypeAlias = dict[str, str]
Target: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Infos:
    """Info series, and which of them counts for each target and metric at each step."""

    labels: list[Labels]
    winners: dict[Target, dict[str, Integers]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A series at some of its steps, with labels that others gave it."""

    row: int
    there: Bools
    added: Labels


def info(invocation: Invocation, node: Expr, selector: Expr | None = None) -> Frame:
    """The first argument's series, each with the labels that the info series of its target have."""
    evaluation, steps = invocation.evaluation, invocation.steps
    base = evaluation.frame(node, steps)
    matchers = selector.matchers if isinstance(selector, VectorSelector) else ()
    of_name = effective([matcher for matcher in matchers if matcher.name == NAME])
    of_data = [matcher for matcher in matchers if matcher.name != NAME]
    names = base.labels.values(NAME)
    is_info = np.array([all(meets(name, matcher) for matcher in of_name) for name in names], dtype=np.bool_)
    targets = [tuple(values) for values in zip(*(base.labels.values(name) for name in IDENTIFYING), strict=True)]
    wanted = [target for target, own in zip(targets, is_info, strict=True) if not own]
    infos = found(evaluation, node, steps, [*identifying(wanted), *of_data, *of_name], wanted)
    everywhere = np.ones(steps.count, dtype=np.bool_)
    pieces = [Piece(row, everywhere, {}) for row in np.flatnonzero(is_info).tolist()]
    for row in np.flatnonzero(~is_info).tolist():
        pieces.extend(joined(base, row, infos.winners.get(targets[row], {}), infos.labels, of_data))
    evaluation.room(len(pieces), steps.count)
    return evaluation.merged(assembled(base, pieces))


def assembled(base: Frame, pieces: Sequence[Piece]) -> Frame:
    """The series of a frame, in pieces with labels of their own. Names that were to go in the end stay, as in
    Prometheus."""
    taken = base.take(np.array([piece.row for piece in pieces], dtype=np.int64))
    labels = taken.labels
    for name in sorted({name for piece in pieces for name in piece.added}):
        labels = labels.with_label(name, [piece.added.get(name) for piece in pieces])
    there = [piece.there for piece in pieces]
    kept = np.stack(there) if there else np.zeros(taken.shape, dtype=np.bool_)
    return replace(taken, labels=labels, drop_name=np.zeros(len(pieces), dtype=np.bool_)).where(kept)


def effective(matchers: list[Matcher]) -> list[Matcher]:
    """What selects info metrics: those asked for; all whose names end in `_info` but those that are refused."""
    if any(matcher.op in {"=", "=~"} for matcher in matchers):
        return matchers
    return [Matcher(NAME, "=~", ".+_info"), *matchers] if matchers else [TARGET_INFO]


def meets(value: str, matcher: Matcher) -> bool:
    """A label's value is as a matcher wants it."""
    fits = value == matcher.value if matcher.op in {"=", "!="} else Pattern(matcher.value).matches(value)
    return fits == (matcher.op in {"=", "=~"})


def identifying(targets: Sequence[Target]) -> Iterator[Matcher]:
    """Matchers of the info series of some targets."""
    for place, name in enumerate(IDENTIFYING):
        values = sorted({target[place] for target in targets} - {""})
        if values:
            yield Matcher(name, "=~", "|".join(SPECIAL.sub(r"\\\g<0>", value) for value in values))


def found(
    evaluation: Evaluation, node: Expr, steps: Steps, matchers: Sequence[Matcher], targets: Sequence[Target]
) -> Infos:
    """The info series of the targets, at the times at which the samples of the first argument are selected."""
    if not any(value for target in targets for value in target):
        return Infos([], {})
    timestamp, offset = reference(node)
    whole = steps.whole
    first, last = (whole.start, whole.end) if timestamp is None else (timestamp, timestamp)
    read = Read(tuple(matchers), first - offset - evaluation.lookback + 1, last - offset)
    check_floats(evaluation, read, steps)
    frame = times_within(evaluation, read, steps, steps.times)
    labels = [frame.labels.labels(row) for row in range(len(frame))]
    winners: dict[Target, dict[str, Integers]] = {}
    newest: dict[tuple[Target, str], Integers] = {}
    for row, own in enumerate(labels):
        target, name = tuple(own.get(label, "") for label in IDENTIFYING), own.get(NAME, "")
        times = np.where(frame.present[row], frame.values[row], np.iinfo(np.int64).min).astype(np.int64)
        before = newest.get((target, name))
        if before is None:
            newest[target, name] = times
            winners.setdefault(target, {})[name] = np.where(frame.present[row], row, NOBODY)
            continue
        winner = winners[target][name]
        check_conflict(frame, row, winner, times == before)
        later = times > before
        newest[target, name] = np.where(later, times, before)
        winners[target][name] = np.where(later, row, winner)
    return Infos(labels, winners)


def check_conflict(frame: Frame, row: int, winner: Integers, same: Bools) -> None:
    """Raises QueryFailed when two info series of one target and metric have samples of one time."""
    conflicts = np.flatnonzero(same & frame.present[row])
    if len(conflicts):
        step = conflicts[0]
        time = int(frame.values[row, step])
        existing, new = frame.labels.text(int(winner[step])), frame.labels.text(row)
        raise QueryFailed(f"found duplicate series for info metric: existing {existing} @ {time}, new {new} @ {time}")


def check_floats(evaluation: Evaluation, read: Read, steps: Steps) -> None:
    """Raises QueryFailed when an info series has a native histogram."""
    samples = evaluation.samples(read)
    ats = np.minimum(steps.times, read.maxt)
    frame = frame_of(samples.lookback(ats, evaluation.lookback, "value"), samples.labels, steps)
    if frame.histograms is not None:
        metric = frame.labels.text(int(frame.histograms.cells[0] // steps.count))
        raise QueryFailed(f"this should be an info metric, with float samples: {metric}")


def reference(node: Expr) -> tuple[int | None, int]:
    """The time of `@`, if any, and the offset, ms, of the first selector or subquery in the first argument. They move
    what is read of info series, and not when they are looked at."""
    if isinstance(node, VectorSelector | SubqueryExpr):
        return node.timestamp, node.offset
    first = next(filter(has_selector, children(node)), None)
    return (None, 0) if first is None else reference(first)


def has_selector(node: Expr) -> bool:
    """Something is selected."""
    return isinstance(node, VectorSelector) or any(map(has_selector, children(node)))


def joined(
    base: Frame, row: int, winners: dict[str, Integers], infos: list[Labels], of_data: Sequence[Matcher]
) -> Iterator[Piece]:
    """One series in pieces: one for each set of info series that count at some of its steps."""
    steps = base.steps.count
    table = np.stack(list(winners.values()), axis=1) if winners else np.zeros((steps, 0), dtype=np.int64)
    own = base.labels.labels(row)
    for combination in np.unique(table, axis=0):
        rows = [number for number in combination.tolist() if number != NOBODY]
        if not rows and not all(map(matches_empty, of_data)):
            continue
        there = (table == combination).all(axis=1)
        added = data_labels([infos[number] for number in rows], own, {matcher.name for matcher in of_data})
        yield Piece(row, there, added)


def data_labels(infos: Sequence[Labels], own: Labels, wanted: set[str]) -> Labels:
    """The labels of info series that a series does not have itself."""
    added: Labels = {}
    for labels in infos:
        for name, value in labels.items():
            if name == NAME or (wanted and name not in wanted):
                continue
            if added.get(name, value) != value:
                raise QueryFailed(f"conflicting label: {name}")
            if name not in own:
                added[name] = value
    return added


INFO = {"info": Function(info, keeps_name=True, takes_nodes=True, reads_itself=frozenset((1,)))}
