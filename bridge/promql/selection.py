"""Selectors: which samples they need, and what those are at each step."""

import numpy as np

from bridge.native import Samples
from bridge.promql.ast import MatrixSelector, SubqueryExpr, VectorSelector
from bridge.promql.evaluation import Evaluation, Read
from bridge.promql.frame import Frame, Integers, RangeVector, Steps, frame_of

__all__ = ["FARTHEST", "bounds_of", "range_vector", "read_of", "times_of", "times_within", "vector"]

FARTHEST = 1 << 61
"""The time, ms, from which on nothing is told apart; ranges and offsets can be added to it."""


def times_of(node: VectorSelector | SubqueryExpr, steps: Steps) -> Integers:
    """The times that a selector or subquery looks at, ms: those of the steps, or the one of `@`, before its offset."""
    if node.timestamp is None:
        return steps.times - node.offset
    return np.full(steps.count, pinned(node.timestamp, node.offset), dtype=np.int64)


def bounds_of(node: VectorSelector | SubqueryExpr, steps: Steps) -> tuple[int, int]:
    """The first and the last of those times."""
    if node.timestamp is None:
        return steps.start - node.offset, steps.end - node.offset
    time = pinned(node.timestamp, node.offset)
    return time, time


def pinned(timestamp: int, offset: int) -> int:
    """The time of an `@`, ms; those beyond all samples are alike."""
    return max(-FARTHEST, min(timestamp - offset, FARTHEST))


def vector(evaluation: Evaluation, node: VectorSelector, steps: Steps, *, wanted: str = "value") -> Frame:
    """An instant selector. `wanted` is what the values are: `value`, `time` (ms) or `start` of the latest samples."""
    samples = evaluation.samples(read_of(node, steps, 0, evaluation.lookback))
    if node in evaluation.counting:
        samples = counted(evaluation, node, steps, samples, evaluation.lookback)
    evaluation.room(len(samples), steps.count)
    ats = times_of(node, steps)
    if node.smoothed:
        cells = samples.smooth(ats, evaluation.lookback, keep_empty=steps.is_block)
        evaluation.note(cells, samples.labels, node.pos)
    else:
        cells = samples.lookback(ats, evaluation.lookback, wanted, keep_empty=steps.is_block)
    return frame_of(cells, samples.labels, steps)


def times_within(evaluation: Evaluation, read: Read, steps: Steps, ats: Integers) -> Frame:
    """The time, ms, of the latest sample at each of `ats`, which need not be where the read is: no others count."""
    samples = evaluation.samples(read)
    evaluation.room(len(samples), steps.count)
    ats_there = np.minimum(ats, read.maxt)
    cells = samples.lookback(ats_there, evaluation.lookback, "time", keep_empty=steps.is_block)
    times = frame_of(cells, samples.labels, steps)
    return times.where((times.values > ats - evaluation.lookback) & (times.values >= read.mint))


def range_vector(evaluation: Evaluation, node: MatrixSelector, steps: Steps) -> RangeVector:
    """A range selector, for the function that takes it or as a result."""
    selector = node.selector
    samples = evaluation.samples(read_of(selector, steps, node.range, evaluation.lookback))
    if selector in evaluation.counting:
        samples = counted(evaluation, selector, steps, samples, node.range)
    edges = "anchored" if selector.anchored else "smoothed" if selector.smoothed else "plain"
    names_stay = np.zeros(len(samples), dtype=np.bool_)
    return RangeVector(samples, times_of(selector, steps), node.range, names_stay, edges)


def counted(evaluation: Evaluation, node: VectorSelector, steps: Steps, samples: Samples, reach: int) -> Samples:
    """The samples of a selector with their counts and sums alone."""
    return evaluation.once(node, steps, lambda _: samples.without_buckets(reach))


def read_of(node: VectorSelector, steps: Steps, range_: int, lookback: int) -> Read:
    """What a selector needs. Both edges of a window are left open, so the first millisecond is not needed."""
    first, last = bounds_of(node, steps)
    reach = range_ or lookback
    if range_ and (node.anchored or node.smoothed):
        reach += lookback
    ahead = lookback if node.smoothed else 0
    return Read(node.matchers, first - reach + 1, last + ahead)
