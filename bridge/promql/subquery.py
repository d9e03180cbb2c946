"""Subqueries: an expression evaluated at steps of its own, whose values are samples again."""

import numpy as np

from bridge.native import LabelSets, Samples
from bridge.promql.ast import SubqueryExpr
from bridge.promql.blocks import in_blocks
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Bools, Frame, RangeVector, Steps
from bridge.promql.selection import bounds_of, times_of

__all__ = ["inner_steps", "subquery"]


def inner_steps(first: int, last: int, node: SubqueryExpr, default_step: int) -> Steps | None:
    """The steps of a subquery whose windows end from `first` to `last`, ms: multiples of its own step, so that they are
    the same for every query. None when there is none in any window."""
    step = node.step or default_step
    start = ((first - node.range) // step + 1) * step
    count = (last - start) // step + 1
    return Steps(start, step, count) if count > 0 else None


def subquery(evaluation: Evaluation, node: SubqueryExpr, steps: Steps) -> RangeVector:
    """A subquery, whose windows overlap: so it is evaluated once for all of them."""
    samples, drop_name = evaluation.once(node, steps, lambda whole: evaluated(evaluation, node, whole))
    return RangeVector(samples, times_of(node, steps), node.range, drop_name)


def evaluated(evaluation: Evaluation, node: SubqueryExpr, steps: Steps) -> tuple[Samples, Bools]:
    """The samples that a subquery makes for its windows at `steps`, and whether the names of their series go."""
    inside = inner_steps(*bounds_of(node, steps), node, evaluation.options.subquery_step)
    if inside is None:
        return Samples.of_rows(LabelSets([]), []), np.zeros(0, dtype=np.bool_)
    evaluation.room(1, inside.count)
    frame = in_blocks(evaluation, node.expr, inside)
    if not isinstance(frame, Frame):
        raise TypeError(f"no instant vector: {frame}")
    samples = samples_of(frame)
    evaluation.hold(samples.weight)
    return samples, frame.drop_name


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
