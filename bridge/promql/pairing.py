"""Operators between two vectors: which series meet, and what comes of them."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bridge.native import LabelSets, aggregate_cells
from bridge.promql.ast import BinaryExpr, VectorMatching
from bridge.promql.evaluation import Evaluation
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Bools, Floats, Frame, Integers, stack
from bridge.promql.histogram_cells import operated, side_of
from bridge.promql.operator_notes import Notes, is_failure, notes_of_floats, ranks, tell
from bridge.promql.operators import computed, makes_another_metric

__all__ = ["match", "matched", "matching_of", "present_of"]

Ids: TypeAlias = npt.NDArray[np.uint32]


def present_of(frame: Frame, ids: Ids, count: int) -> Bools:
    """Groups x steps: any series of the group has something."""
    return counts_of(frame.occupied, ids, count) > 0


def counts_of(occupied: Bools, ids: Ids, count: int) -> Floats:
    """Groups x steps: how many series of the group have something."""
    there = np.ascontiguousarray(occupied)
    if not len(there):
        return np.zeros((count, there.shape[1]))
    counts, _ = aggregate_cells("count", there.astype(np.float64), there.view(np.uint8), ids, count)
    return np.frombuffer(counts, dtype=np.float64).reshape(count, there.shape[1])


def match(lhs: Frame, rhs: Frame, matching: VectorMatching) -> tuple[Ids, Ids, LabelSets]:
    """The number of the match group of each series, and the labels of each group."""
    left, right, labels = lhs.labels.match_groups(rhs.labels, matching.labels, not matching.on)
    return np.frombuffer(left, dtype=np.uint32), np.frombuffer(right, dtype=np.uint32), labels


def matching_of(node: BinaryExpr) -> VectorMatching:
    """How the series of two vectors find each other."""
    return node.matching or VectorMatching()


@dataclass(frozen=True, slots=True)
class Sides:
    """Two vectors that are matched. `many` is the side that may have several series in a group: the right one with
    `group_right`, else the left one."""

    node: BinaryExpr
    matching: VectorMatching
    many: Frame
    one: Frame
    many_ids: Ids
    one_ids: Ids
    keys: LabelSets

    @property
    def swapped(self) -> bool:
        """The one side is the left one."""
        return self.matching.card == "one-to-many"

    @property
    def fills(self) -> tuple[float | None, float | None]:
        """What a missing series of the many side would be, and one of the one side. With `group_right` Prometheus takes
        the sides as exchanged: `fill_left` is for the many side then too."""
        return self.matching.fill_left, self.matching.fill_right


@dataclass(frozen=True, slots=True)
class Pairs:
    """Series that meet: row n of the one side meets row n of the other at the steps where `there` is true, as members
    of the match group `ids[n]`. `rows` has the numbers of their series: on the many side, or behind all of those on the
    one side."""

    many: Frame
    one: Frame
    there: Bools
    ids: Ids
    rows: Integers

    def __add__(self, other: "Pairs") -> "Pairs":
        """These, then those."""
        return Pairs(
            stack(self.many, other.many),
            stack(self.one, other.one),
            np.concatenate((self.there, other.there)),
            np.concatenate((self.ids, other.ids)),
            np.concatenate((self.rows, other.rows)),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of pairs: their values, in `frame` without labels of its own, and what is told of their cells.

    Attributes:
        matched: pairs x steps: the samples went together, whether a comparison let them through or not. Those that did
            not leave no trace: as in Prometheus they count for no check, and fill values come in where nothing matched.
    """

    pairs: Pairs
    frame: Frame
    notes: Notes
    matched: Bools

    def __add__(self, other: "Outcome") -> "Outcome":
        """Of these, then of those."""
        behind = Notes(other.notes.cells + self.frame.values.size, other.notes.texts)
        return Outcome(
            self.pairs + other.pairs,
            stack(self.frame, other.frame),
            self.notes + behind,
            np.concatenate((self.matched, other.matched)),
        )


def matched(evaluation: Evaluation, node: BinaryExpr, lhs: Frame, rhs: Frame) -> Frame:
    """An operator between series that match, one to one or many to one."""
    matching = matching_of(node)
    many, one = (rhs, lhs) if matching.card == "one-to-many" else (lhs, rhs)
    sides = Sides(node, matching, many, one, *match(many, one, matching))
    conflict = conflict_on_one_side(sides)
    if conflict is not None:
        # Something else may be wrong at a step before.
        matched(evaluation, node, before(lhs, conflict[0]), before(rhs, conflict[0]))
        raise conflict[1]
    evaluation.room(len(many) + len(one), lhs.steps.count)
    found = outcome(sides, paired(evaluation, sides))
    if sides.fills[0] is not None:
        found += outcome(sides, filled(sides, found, sides.fills[0]))
    labels = result_labels(evaluation, sides, found.pairs)
    check_matches(sides, found, labels)
    if found.notes.texts:
        tell(evaluation, node, found.notes, partial(places, sides, found.pairs), lhs.steps.count)
    drop_name = np.full(len(labels), node.return_bool and evaluation.options.delayed_name_removal)
    return evaluation.merged(replace(found.frame, labels=labels, drop_name=drop_name).without_empty())


def outcome(sides: Sides, pairs: Pairs) -> Outcome:
    """The operator between the samples of each pair."""
    node, there = sides.node, pairs.there
    left, right = (pairs.one, pairs.many) if sides.swapped else (pairs.many, pairs.one)
    floats = there & left.present & right.present
    values, present = computed(node, left.values, right.values, floats)
    frame = Frame(left.steps, pairs.many.labels, values, present)
    notes = notes_of_floats(node.op, floats)
    others = np.flatnonzero(there & ~floats)
    if len(others):
        of_histograms = operated(node, others, side_of(left, others), side_of(right, others))
        frame, notes = of_histograms.put_into(frame), notes + of_histograms.notes
    failed = notes.cells[np.array([is_failure(note) for note in notes.texts], dtype=np.bool_)]
    if len(failed):
        there = there.copy()
        there.reshape(-1)[failed] = False
    return Outcome(pairs, frame, notes, there)


def before(frame: Frame, step: int) -> Frame:
    """What there is before a step."""
    return frame.where(np.broadcast_to(np.arange(frame.steps.count) < step, frame.shape))


def conflict_on_one_side(sides: Sides) -> tuple[int, QueryFailed] | None:
    """The first step with something to match at which the one side has two series of a group, and the refusal."""
    one, count = sides.one, len(sides.keys)
    if np.bincount(sides.one_ids, minlength=1).max(initial=0) < 2:
        return None
    counts = counts_of(one.occupied, sides.one_ids, count)
    if sides.fills == (None, None):
        counts = counts * sides.many.occupied.any(axis=0)
    if not (counts > 1).any():
        return None
    step = int(np.flatnonzero((counts > 1).any(axis=0))[0])
    seen: dict[int, int] = {}
    for row in np.argsort(ranks(one.labels)).tolist():
        group = int(sides.one_ids[row])
        if one.occupied[row, step] and group in seen:
            side = "left" if sides.swapped else "right"
            failure = QueryFailed(
                f"found duplicate series for the match group {sides.keys.text(group)} on the {side} hand-side of the"
                f" operation: [{one.labels.text(row)}, {one.labels.text(seen[group])}];many-to-many matching not"
                " allowed: matching labels must be unique on one side"
            )
            return step, failure
        if one.occupied[row, step]:
            seen[group] = row
    return None


def paired(evaluation: Evaluation, sides: Sides) -> Pairs:
    """All pairs, with those that a fill value for the one side makes."""
    sizes = np.bincount(sides.one_ids, minlength=len(sides.keys))
    evaluation.room(int(sizes[sides.many_ids].sum()), sides.many.steps.count)
    many_rows, one_rows = rows_that_meet(sides.many_ids, sides.one_ids)
    many, one = sides.many.take(many_rows), sides.one.take(one_rows)
    pairs = Pairs(many, one, many.occupied & one.occupied, sides.many_ids[many_rows], many_rows)
    fill = sides.fills[1]
    if fill is not None:
        lone = sides.many.occupied & ~present_of(sides.one, sides.one_ids, len(sides.keys))[sides.many_ids]
        rows = np.arange(len(sides.many))
        pairs += Pairs(sides.many, constant(sides, sides.many_ids, fill), lone, sides.many_ids, rows)
    return pairs


def filled(sides: Sides, found: Outcome, fill: float) -> Pairs:
    """The pairs that a fill value for the many side makes, where nothing has matched so far."""
    there = counts_of(found.matched, found.pairs.ids, len(sides.keys)) > 0
    lone = sides.one.occupied & ~there[sides.one_ids]
    rows = len(sides.many) + np.arange(len(sides.one))
    return Pairs(constant(sides, sides.one_ids, fill), sides.one, lone, sides.one_ids, rows)


def places(sides: Sides, pairs: Pairs) -> Integers:
    """The order in which pairs are looked at: that of the many side's labels, and then of the one side's."""
    return np.concatenate((ranks(sides.many.labels), len(sides.many) + ranks(sides.one.labels)))[pairs.rows]


def rows_that_meet(many: Ids, one: Ids) -> tuple[Integers, Integers]:
    """The rows of each pair of series in one group, in the order of the many side."""
    order = np.argsort(one, kind="stable")
    ascending = one[order]
    first, behind = np.searchsorted(ascending, many, "left"), np.searchsorted(ascending, many, "right")
    counts = behind - first
    many_rows = np.repeat(np.arange(len(many)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return many_rows, order[np.repeat(first, counts) + within]


def constant(sides: Sides, ids: Ids, value: float) -> Frame:
    """A series for each group number, with the labels of the group and one value."""
    shape = (len(ids), sides.many.steps.count)
    labels = sides.keys.take(ids.astype(np.int64))
    return Frame(sides.many.steps, labels, np.full(shape, value), np.ones(shape, dtype=np.bool_))


def result_labels(evaluation: Evaluation, sides: Sides, pairs: Pairs) -> LabelSets:
    """The labels of what comes of each pair: those of the many side, as far as they are of both."""
    node, matching, labels = sides.node, sides.matching, pairs.many.labels
    at_once = node.return_bool and not evaluation.options.delayed_name_removal
    if at_once or makes_another_metric(node.op):
        labels = labels.without_metadata(np.ones(len(labels), dtype=np.uint8))
    if matching.card == "one-to-one":
        labels = labels.kept(matching.labels, without=False) if matching.on else labels.dropped(matching.labels)
    if not matching.include:
        return labels
    with evaluation.making_labels() as making:
        labels, making.taken = labels.including(pairs.one.labels, matching.include, making.most)
    return labels


def check_matches(sides: Sides, found: Outcome, labels: LabelSets) -> None:
    """Raises QueryFailed when two pairs of a group are one series, at one step."""
    pairs = found.pairs
    if np.bincount(pairs.ids, minlength=1).max(initial=0) < 2:
        return
    if sides.matching.card == "one-to-one":
        if (counts_of(found.matched, pairs.ids, len(sides.keys)) > 1).any():
            raise QueryFailed(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        return
    duplicates = labels.duplicates()
    if duplicates is None:
        return
    same = np.frombuffer(duplicates[0], dtype=np.uint32).astype(np.int64) * len(sides.keys) + pairs.ids
    numbers = np.unique(same, return_inverse=True)[1].astype(np.uint32)
    if (counts_of(found.matched, numbers, int(numbers.max(initial=0)) + 1) > 1).any():
        raise QueryFailed("multiple matches for labels: grouping labels must ensure unique matches")
