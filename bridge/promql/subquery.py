"""Subqueries: an expression evaluated at steps of its own, whose values are samples again."""

import numpy as np

from bridge.native import LabelSets, Samples
from bridge.promql.ast import SubqueryExpr
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Frame, Integers, RangeVector, Steps

__all__ = ["inner_steps", "subquery"]


def inner_steps(first: int, last: int, node: SubqueryExpr, default_step: int) -> Steps | None:
    """The steps of a subquery whose windows end from `first` to `last`, ms: multiples of its own step, so that they are
    the same for every query. None when there is none in any window."""
    step = node.step or default_step
    start = ((first - node.range) // step + 1) * step
    count = (last - start) // step + 1
    return Steps(start, step, count) if count > 0 else None


def subquery(evaluation: Evaluation, node: SubqueryExpr, ends: Integers) -> RangeVector:
    """A subquery whose windows end at `ends`."""
    steps = inner_steps(int(ends[0]), int(ends[-1]), node, evaluation.options.subquery_step)
    if steps is None:
        return RangeVector(Samples.of_rows(LabelSets([]), []), ends, node.range, np.zeros(0, dtype=np.bool_))
    evaluation.room(1, steps.count)
    frame = evaluation.frame(node.expr, steps)
    samples = samples_of(frame)
    evaluation.hold(samples.weight)
    return RangeVector(samples, ends, node.range, frame.drop_name)


def samples_of(frame: Frame) -> Samples:
    """The cells of a frame as samples at its steps."""
    histograms = frame.histograms
    return Samples.of_cells(
        frame.labels,
        frame.steps.times,
        frame.values,
        frame.present.view(np.uint8),
        np.zeros(0, dtype=np.int64) if histograms is None else histograms.cells,
        [] if histograms is None else histograms.items.tolist(),
    )
