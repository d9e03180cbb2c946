"""Binary operators: between scalars, vectors and scalars, and the series of two vectors that match."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bridge.promql.ast import BinaryExpr
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Floats, Frame, Scalar, Steps, stack
from bridge.promql.histogram_cells import Side, operated, side_of
from bridge.promql.operator_notes import notes_of_floats, ranks, tell
from bridge.promql.operators import calculated, computed, makes_another_metric
from bridge.promql.pairing import match, matched, matching_of, present_of

__all__ = ["binary"]


def binary(evaluation: Evaluation, node: BinaryExpr, steps: Steps) -> Frame | Scalar:
    """The value of a binary expression."""
    lhs, rhs = evaluation.value(node.lhs, steps), evaluation.value(node.rhs, steps)
    match lhs, rhs:
        case Scalar(), Scalar():
            return Scalar(steps, calculated(node.op, lhs.values, rhs.values))
        case Frame(), Frame():
            if node.op in SETS:
                return SETS[node.op](evaluation, node, lhs, rhs)
            return matched(evaluation, node, lhs, rhs)
        case Frame(), Scalar():
            return with_scalar(evaluation, node, lhs, rhs.values, swapped=False)
        case Scalar(), Frame():
            return with_scalar(evaluation, node, rhs, lhs.values, swapped=True)
    raise TypeError(f"no operands of {node.op}: {lhs}, {rhs}")


def with_scalar(evaluation: Evaluation, node: BinaryExpr, vector: Frame, scalar: Floats, *, swapped: bool) -> Frame:
    """Each sample with the step's number. A comparison lets the sample through, whichever side it is on."""
    lhs, rhs = (scalar, vector.values) if swapped else (vector.values, scalar)
    values, present = computed(node, lhs, rhs, vector.present, kept=vector.values)
    result = replace(vector, values=values, present=present, histograms=None)
    notes = notes_of_floats(node.op, vector.present)
    if vector.histograms is not None:
        cells = vector.histograms.cells
        histograms = side_of(vector, cells)
        numbers = Side([None] * len(cells), scalar[cells % vector.steps.count])
        sides = (numbers, histograms) if swapped else (histograms, numbers)
        outcome = operated(node, cells, *sides)
        result, notes = outcome.put_into(result), notes + outcome.notes
    if notes.texts:
        tell(evaluation, node, notes, partial(ranks, vector.labels), vector.steps.count)
    result = result.without_empty()
    return evaluation.unnamed(result) if makes_another_metric(node.op) or node.return_bool else result


def intersection(_: Evaluation, node: BinaryExpr, lhs: Frame, rhs: Frame) -> Frame:
    """`and`: what has a match on the right."""
    left, right, labels = match(lhs, rhs, matching_of(node))
    return lhs.where(present_of(rhs, right, len(labels))[left])


def difference(_: Evaluation, node: BinaryExpr, lhs: Frame, rhs: Frame) -> Frame:
    """`unless`: what has no match on the right."""
    left, right, labels = match(lhs, rhs, matching_of(node))
    return lhs.where(~present_of(rhs, right, len(labels))[left])


def union(evaluation: Evaluation, node: BinaryExpr, lhs: Frame, rhs: Frame) -> Frame:
    """`or`: all on the left, and what has no match there."""
    left, right, labels = match(lhs, rhs, matching_of(node))
    others = rhs.where(~present_of(lhs, left, len(labels))[right])
    return evaluation.merged(stack(lhs, others))


SETS: dict[str, Callable[[Evaluation, BinaryExpr, Frame, Frame], Frame]] = {
    "and": intersection,
    "or": union,
    "unless": difference,
}
