"""Many steps, a block of them at a time: memory is that of the answer and of one block, of however many series
(docs/adr/0012-range-queries-in-blocks-of-steps.md).

All blocks have the same series in the same order, as far as values do not decide, also those with nothing in a block:
so what an operator finds out about labels in one block is known in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from bridge.native import LabelSets
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    StepInvariant,
    SubqueryExpr,
    children,
)
from bridge.promql.evaluation import Evaluation
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Floats, Frame, Histograms, Integers, Scalar, Steps, Value
from bridge.promql.functions import FUNCTIONS
from bridge.promql.operators import COMPARISONS

__all__ = ["in_blocks", "parameter", "ranks"]

T = TypeVar("T")


def in_blocks(evaluation: Evaluation, node: Expr, steps: Steps) -> Value:
    """The value of a node at each step. When operators fail, in whatever blocks, the first one of them tells why."""
    size = evaluation.block_size
    if steps.count <= size or not (evaluation.options.block_steps or gathers(node)):
        return evaluation.value(node, steps)
    parts: list[Scalar | Part] = []
    failures: list[QueryFailed] = []
    with evaluation.forgetting(), evaluation.passing():
        for block in steps.blocks(size):
            try:
                with evaluation.passing():
                    value = evaluation.value(node, block)
            except QueryFailed as failure:
                if type(failure) is not QueryFailed:  # a limit: no other operator could have failed before it
                    raise
                failures.append(failure)
                continue
            if not failures:
                parts.append(kept(evaluation, value))
    if failures:
        raise min(failures, key=lambda failure: failure.rank)
    return joined(evaluation, parts, steps)


def gathers(node: Expr) -> bool:
    """A node may make little of much. The others' frames are as large as their answers, so blocks would spare nothing;
    subqueries see to it themselves."""
    match node:
        case AggregateExpr():
            return True
        case BinaryExpr() if node.op in COMPARISONS or node.lhs.type == node.rhs.type == "vector":
            return True
        case Call() if FUNCTIONS[node.function.name].gathers:
            return True
        case SubqueryExpr() | StepInvariant():
            return False
    return any(map(gathers, children(node)))


def parameter(evaluation: Evaluation, node: Expr, steps: Steps) -> tuple[Floats, Floats]:
    """The numbers that a node is at some steps, and at all those of which they are a block."""
    if not steps.is_block:
        values = evaluation.scalar(node, steps)
        return values, values
    everywhere = evaluation.once(node, steps, lambda whole: in_blocks(evaluation, node, whole))
    if not isinstance(everywhere, Scalar):
        raise TypeError(f"no scalar: {everywhere}")
    first = (steps.start - steps.whole.start) // steps.step
    return everywhere.values[first : first + steps.count], everywhere.values


def ranks(node: Expr) -> dict[int, int]:
    """Of each node, by its identity: how many are evaluated before it."""
    found: dict[int, int] = {}

    def number(node: Expr) -> None:
        operands = list(children(node))
        for operand in reversed(operands) if isinstance(node, AggregateExpr) else operands:
            number(operand)
        found[id(node)] = len(found)

    number(node)
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """What is kept of a block: `frame` has the series `rows` of those with these labels."""

    labels: LabelSets
    rows: Integers
    frame: Frame


def kept(evaluation: Evaluation, value: Value) -> Scalar | Part:
    """The series that have anything in a block."""
    match value:
        case Scalar():
            return value
        case Frame():
            rows = np.flatnonzero(value.has_any)
            part = Part(value.labels, rows, value if len(rows) == len(value) else value.take(rows))
            evaluation.hold(part.frame.values.size)
            return part
    raise TypeError(f"not a value at each step: {value}")


def joined(evaluation: Evaluation, parts: list[Scalar | Part], steps: Steps) -> Scalar | Frame:
    """The parts of all blocks as one; the list is emptied."""
    scalars = [part.values for part in parts if isinstance(part, Scalar)]
    if scalars:
        return Scalar(steps, np.concatenate(scalars))
    frames = [part for part in parts if isinstance(part, Part)]
    parts.clear()
    labels, places = placed(frames)
    evaluation.room(len(labels), steps.count)
    shape = (len(labels), steps.count)
    values, present = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    drop_name, seen = np.zeros(len(labels), dtype=np.bool_), np.zeros(len(labels), dtype=np.bool_)
    histograms: list[Histograms] = []
    frames.reverse()
    places.reverse()
    while frames:
        frame, rows = frames.pop().frame, places.pop()
        first = (frame.steps.start - steps.start) // steps.step
        at = slice(first, first + frame.steps.count)
        if len(rows) == len(labels) and (np.diff(rows) == 1).all():
            values[:, at], present[:, at] = frame.values, frame.present
        else:
            values[rows, at], present[rows, at] = frame.values, frame.present
        new = ~seen[rows]
        drop_name[rows[new]], seen[rows] = frame.drop_name[new], True
        if frame.histograms is not None:
            series, step = np.divmod(frame.histograms.cells, frame.steps.count)
            histograms.append(replace(frame.histograms, cells=rows[series] * steps.count + first + step))
    return Frame(steps, labels, values, present, in_order(histograms), drop_name)


def placed(parts: Sequence[Part]) -> tuple[LabelSets, list[Integers]]:
    """The series of all parts, and the places that those of each part have among them."""
    first = parts[0].labels
    if all(part.labels.is_same(first) for part in parts):
        there = np.zeros(len(first), dtype=np.bool_)
        for part in parts:
            there[part.rows] = True
        places = np.cumsum(there) - 1
        return first.take(np.flatnonzero(there)), [places[part.rows] for part in parts]
    labels = LabelSets([])
    for part in parts:
        labels = labels.concat(part.frame.labels)
    ids = np.arange(len(labels))
    if (duplicates := labels.duplicates()) is not None:
        ids, labels = np.frombuffer(duplicates[0], dtype=np.uint32).astype(np.int64), duplicates[1]
    return labels, np.split(ids, np.cumsum([len(part.frame) for part in parts])[:-1])


def in_order(histograms: list[Histograms]) -> Histograms | None:
    """All of them, those of a series one behind the other."""
    if not histograms:
        return None
    cells = np.concatenate([each.cells for each in histograms])
    order = np.argsort(cells)
    return Histograms(cells[order], np.concatenate([each.items for each in histograms])[order])
