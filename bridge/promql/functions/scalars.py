"""Between scalars and vectors, and times."""

from dataclasses import replace

import numpy as np

from bridge.native import LabelSets
from bridge.promql.ast import Expr, VectorSelector
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Frame, Scalar, Steps, empty_frame
from bridge.promql.functions.function import Function, Invocation
from bridge.promql.selection import read_of, times_of, times_within
from bridge.promql.selection import vector as select

__all__ = ["SCALARS"]


def time(invocation: Invocation) -> Scalar:
    """The step's time, seconds."""
    return Scalar(invocation.steps, invocation.steps.times / 1000)


def pi(invocation: Invocation) -> Scalar:
    """At each step."""
    return Scalar(invocation.steps, np.full(invocation.steps.count, np.pi))


def max_of(invocation: Invocation, a: Scalar, b: Scalar) -> Scalar:
    """The larger one; nothing is larger than infinity, not even what is no number."""
    infinite = np.isposinf(a.values) | np.isposinf(b.values)
    return Scalar(invocation.steps, np.where(infinite, np.inf, np.maximum(a.values, b.values)))


def min_of(invocation: Invocation, a: Scalar, b: Scalar) -> Scalar:
    """The smaller one, likewise."""
    infinite = np.isneginf(a.values) | np.isneginf(b.values)
    return Scalar(invocation.steps, np.where(infinite, -np.inf, np.minimum(a.values, b.values)))


def scalar(invocation: Invocation, vector: Frame) -> Scalar:
    """The only float, where there is one only."""
    counts = np.count_nonzero(vector.present, axis=0)
    only = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return Scalar(invocation.steps, np.where(counts == 1, only, np.nan))


def vector(invocation: Invocation, number: Scalar) -> Frame:
    """One series without labels."""
    there = np.ones((1, invocation.steps.count), dtype=np.bool_)
    return Frame(invocation.steps, LabelSets([{}]), number.values[np.newaxis], there)


def timestamp(invocation: Invocation, node: Expr) -> Frame:
    """When each sample is of, seconds: a selector's samples have their own times, other values that of the step."""
    evaluation, steps = invocation.evaluation, invocation.steps
    if isinstance(node, VectorSelector):
        times = times_of_samples(evaluation, node, steps)
        return replace(times, values=times.values / 1000)
    frame = evaluation.frame(node, steps)
    values = np.broadcast_to(steps.times / 1000, frame.shape).copy()
    return replace(frame, values=values, present=frame.occupied, histograms=None)


def times_of_samples(evaluation: Evaluation, node: VectorSelector, steps: Steps) -> Frame:
    """The time of the latest sample of each series, ms. Prometheus forgets `offset` behind `@` here, but for what is
    read: a sample has to be where the offset leads, and is looked for at the time of `@`."""
    if node.timestamp is None or not node.offset:
        return select(evaluation, replace(node, smoothed=False), steps, wanted="time")
    read = read_of(node, steps.whole, 0, evaluation.lookback)
    return times_within(evaluation, read, steps, times_of(replace(node, offset=0), steps))


def start_timestamp(invocation: Invocation, node: Expr) -> Frame:
    """When what each sample counts began, seconds, 0 where that is not known: of the samples of a selector."""
    evaluation, steps = invocation.evaluation, invocation.steps
    if not isinstance(node, VectorSelector) or not evaluation.options.start_timestamps:
        evaluation.frame(node, steps)
        return empty_frame(steps)
    starts = select(evaluation, node, steps, wanted="start")
    return replace(starts, values=starts.values / 1000)


SCALARS = {
    "max_of": Function(max_of),
    "min_of": Function(min_of),
    "pi": Function(pi),
    "scalar": Function(scalar, gathers=True),
    "start_timestamp": Function(start_timestamp, takes_nodes=True),
    "time": Function(time, varies=True),
    "timestamp": Function(timestamp, varies=True, steady_of_selectors=True, takes_nodes=True),
    "vector": Function(vector, keeps_name=True),
}
