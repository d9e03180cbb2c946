"""How many samples a query looks at, at each of its steps, as Prometheus counts them.

They are counted when somebody asks for it, after the query, from the samples that it had: operators need not do it.
"""

from dataclasses import dataclass, replace

import numpy as np

from bridge.promql.annotations import Annotations
from bridge.promql.ast import Call, Expr, MatrixSelector, StepInvariant, SubqueryExpr, VectorSelector, children
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Integers, Steps
from bridge.promql.functions import FUNCTIONS
from bridge.promql.selection import bounds_of, read_of, times_of
from bridge.promql.subquery import inner_steps, subquery

__all__ = ["Counts", "counted"]

OF_TIMES = frozenset(("timestamp", "start_timestamp"))


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples at each step; a native histogram counts as several.

    Attributes:
        loaded: those looked at: one counts at each step whose window it is in, and as often as it is selected.
        read: those that no step before has read for the same window.
    """

    loaded: Integers
    read: Integers

    def __add__(self, other: "Counts") -> "Counts":
        """Those of two operands."""
        return Counts(self.loaded + other.loaded, self.read + other.read)


def counted(evaluation: Evaluation, node: Expr, steps: Steps) -> Counts:
    """Those of a query that has been evaluated. Its subqueries are evaluated again, for what is in their windows."""
    return of_node(replace(evaluation, annotations=Annotations(), _held=0), node, steps)


def of_node(evaluation: Evaluation, node: Expr, steps: Steps) -> Counts:
    """Those of a node and all below it."""
    match node:
        case VectorSelector():
            return of_selector(evaluation, node, steps)
        case MatrixSelector():
            return of_windows(evaluation, node, steps)
        case SubqueryExpr():
            inside = of_inside(evaluation, node, steps)
            return nothing(steps) if inside is None else at_first(steps, inside[1])
        case StepInvariant():
            once = of_node(evaluation, node.expr, steps.first())
            return Counts(np.repeat(once.loaded, steps.count), at_first(steps, once).read)
        case Call() if node.function.name in OF_TIMES and isinstance(node.args[0], VectorSelector):
            return of_times(evaluation, node.args[0], steps)
        case Call():
            itself = FUNCTIONS[node.function.name].reads_itself
            args = (of_argument(evaluation, arg, steps) for n, arg in enumerate(node.args) if n not in itself)
        case _:
            args = (of_node(evaluation, child, steps) for child in children(node))
    return sum(args, nothing(steps))


def nothing(steps: Steps) -> Counts:
    """No samples."""
    return Counts(np.zeros(steps.count, dtype=np.int64), np.zeros(steps.count, dtype=np.int64))


def at_first(steps: Steps, inside: Counts) -> Counts:
    """All of them at the first step."""
    found = nothing(steps)
    found.loaded[0], found.read[0] = inside.loaded.sum(), inside.read.sum()
    return found


def of_selector(evaluation: Evaluation, node: VectorSelector, steps: Steps) -> Counts:
    """The latest sample of each series. Nobody counts those between which a smoothed value lies."""
    if node.smoothed:
        return nothing(steps)
    samples = evaluation.samples(read_of(node, steps, 0, evaluation.lookback))
    if node in evaluation.counting:
        samples = samples.without_buckets(evaluation.lookback)
    latest = integers(samples.weights(times_of(node, steps), evaluation.lookback, latest=True))
    return Counts(latest, latest)


def of_times(evaluation: Evaluation, node: VectorSelector, steps: Steps) -> Counts:
    """Likewise, of which only the times matter: none counts as several."""
    samples = evaluation.samples(read_of(node, steps, 0, evaluation.lookback))
    times = samples.lookback(times_of(node, steps), evaluation.lookback, "time")
    present = np.frombuffer(times.take_present(), dtype=np.bool_).reshape(-1, steps.count)
    found = np.count_nonzero(present, axis=0)
    return Counts(found, found)


def of_windows(evaluation: Evaluation, node: MatrixSelector, steps: Steps) -> Counts:
    """The samples in each window. A window that moves on reads what is new in it."""
    selector, reach = node.selector, node.range
    samples = evaluation.samples(read_of(selector, steps, node.range, evaluation.lookback))
    if selector in evaluation.counting:
        samples = samples.without_buckets(node.range)
    ends = times_of(selector, steps)
    if selector.smoothed:
        ends, reach = ends + evaluation.lookback, reach + 2 * evaluation.lookback
    elif selector.anchored:
        reach += evaluation.lookback
    loaded = integers(samples.weights(ends, reach, latest=False))
    read = np.zeros_like(loaded)
    if selector.timestamp is None and steps.count > 1:
        read = integers(samples.weights(ends, min(reach, steps.step), latest=False)).copy()
    read[0] = loaded[0]
    return Counts(loaded, read)


def of_argument(evaluation: Evaluation, node: Expr, steps: Steps) -> Counts:
    """What a function gets. A subquery's windows are looked at; read is what its steps do, each for the first window
    that it is in."""
    if not isinstance(node, SubqueryExpr):
        return of_node(evaluation, node, steps)
    inside = of_inside(evaluation, node, steps)
    if inside is None:
        return nothing(steps)
    inner, counts = inside
    ranges = subquery(evaluation, node, steps)
    loaded = integers(ranges.samples.weights(ranges.ends, node.range, latest=False))
    if steps.count == 1:
        return Counts(loaded, at_first(steps, counts).read)
    times = inner.times + node.offset
    outer = np.clip(-((steps.start - times) // steps.step), 0, steps.count - 1)
    within = times > steps.times[outer] - node.range
    read = np.zeros_like(loaded)
    np.add.at(read, outer[within], counts.read[within])
    return Counts(loaded, read)


def of_inside(evaluation: Evaluation, node: SubqueryExpr, steps: Steps) -> tuple[Steps, Counts] | None:
    """The steps of a subquery, and what they look at; None when it has none."""
    inner = inner_steps(*bounds_of(node, steps), node, evaluation.options.subquery_step)
    return None if inner is None else (inner, of_node(evaluation, node.expr, inner))


def integers(view: memoryview) -> Integers:
    """As an array."""
    return np.frombuffer(view, dtype=np.int64)
