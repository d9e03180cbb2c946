"""Functions of ranges: the core computes them, window by window."""

import numpy as np

from bridge.model import Matcher
from bridge.native import LabelSets
from bridge.promql.annotations import general
from bridge.promql.ast import Expr, MatrixSelector, Span, VectorSelector
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Bools, Floats, Frame, RangeVector, Scalar, empty_frame, frame_of
from bridge.promql.functions.function import Function, Invocation
from bridge.promql.numbers import fixed
from bridge.promql.patterns import matches_empty
from bridge.promql.quoting import quote

__all__ = ["WINDOWS", "absent", "invalid_quantiles"]

BOTH_EDGES = frozenset(("anchored", "smoothed"))
ANCHORED = frozenset(("anchored",))
COUNTER_TYPES = frozenset(("counter", "histogram"))
COUNTER_ENDS = ("_total", "_sum", "_count", "_bucket")


def windowed(invocation: Invocation, *args: RangeVector | Scalar) -> Frame:
    """The function at each step of each series."""
    (ranges,) = (arg for arg in args if isinstance(arg, RangeVector))
    parameters = [arg.values for arg in args if isinstance(arg, Scalar)]
    evaluation, name = invocation.evaluation, invocation.node.function.name
    labels = ranges.samples.labels
    evaluation.room(len(labels), invocation.steps.count)
    cells = ranges.samples.over_windows(
        name,
        ranges.ends,
        invocation.steps.times,
        ranges.range,
        parameters,
        edges=ranges.edges,
        delta=evaluation.lookback,
        starts=evaluation.options.start_timestamps,
        keep_empty=invocation.steps.is_block,
    )
    evaluation.note(cells, labels, invocation.pos)
    return frame_of(cells, labels, invocation.steps, ranges.drop_name)


def counted(invocation: Invocation, ranges: RangeVector) -> Frame:
    """Growth. What grows should be a counter."""
    frame = windowed(invocation, ranges)
    annotations = invocation.evaluation.annotations
    if invocation.evaluation.options.type_and_unit_labels:
        labels = with_floats(frame)
        for name, kind in sorted(set(zip(labels.values("__name__"), labels.values("__type__"), strict=True))):
            if name and kind not in COUNTER_TYPES:
                text = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"'
                annotations.info(f"{text}, got {quote(kind)}: {quote(name)}", invocation.pos)
        return frame
    if not any(map(looks_like_gauge, frame.labels.distinct("__name__"))):
        return frame
    for name in filter(looks_like_gauge, with_floats(frame).distinct("__name__")):
        text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        annotations.info(f"{text} {quote(name)}", invocation.pos)
    return frame


def looks_like_gauge(name: str) -> bool:
    """By its name, a metric is no counter."""
    return bool(name) and not name.endswith(COUNTER_ENDS)


def with_floats(frame: Frame) -> LabelSets:
    """The labels of the series that have floats."""
    return frame.labels.take(np.flatnonzero(np.any(frame.present, axis=1)))


def quantile_over_time(invocation: Invocation, quantile: Scalar, ranges: RangeVector) -> Frame:
    """The quantile at each step."""
    frame = windowed(invocation, quantile, ranges)
    invalid_quantiles(invocation, quantile.values[frame.present.any(axis=0)])
    return frame


def invalid_quantiles(invocation: Invocation, quantiles: Floats, pos: Span | None = None) -> None:
    """Tell of quantiles that are none."""
    for wrong in dict.fromkeys(quantiles[~((quantiles >= 0) & (quantiles <= 1))].tolist()):
        text = f"quantile value should be between 0 and 1, got {general(wrong)}"
        invocation.evaluation.annotations.warn(text, invocation.pos if pos is None else pos)


def smoothing(invocation: Invocation, ranges: RangeVector, factor: Scalar, trend: Scalar) -> Frame:
    """Both factors are between 0 and 1."""
    for values, what in ((factor.values, "smoothing factor"), (trend.values, "trend factor")):
        wrong = values[(values <= 0) | (values >= 1)]
        if len(wrong) and len(ranges.samples):
            short = what[0] + "f"
            raise QueryFailed(f"invalid {what}. Expected: 0 < {short} < 1, got: {fixed(float(wrong[0]))}")
    return windowed(invocation, ranges, factor, trend)


def absent(invocation: Invocation, vector: Frame) -> Frame:
    """1 where there is nothing, with the labels that something would have."""
    there: Bools = np.logical_not(np.any(vector.occupied, axis=0, keepdims=True))
    if not there.any():
        return empty_frame(invocation.steps)
    labels = LabelSets([told_labels(invocation.args[0])])
    return Frame(invocation.steps, labels, np.ones(there.shape), there)


def absent_over_time(invocation: Invocation, ranges: RangeVector) -> Frame:
    """1 where there is no sample in any window."""
    return absent(invocation, windowed(invocation, ranges))


def told_labels(node: Expr) -> dict[str, str]:
    """The labels that a selector is certain of: those with one `=` matcher and nothing else. What a matcher takes away
    counts last, wherever it stands: so Prometheus' store sorts them before anybody asks."""
    selector = node.selector if isinstance(node, MatrixSelector) else node
    if not isinstance(selector, VectorSelector):
        return {}
    labels: dict[str, str] = {}
    seen = set()
    for matcher in sorted(selector.matchers, key=takes_away):
        if matcher.name == "__name__":
            continue
        if matcher.op == "=" and matcher.name not in seen:
            seen.add(matcher.name)
            labels[matcher.name] = matcher.value
        else:
            labels.pop(matcher.name, None)
    return labels


def takes_away(matcher: Matcher) -> bool:
    """Series without the label match, and so do most of those with it."""
    return matcher.op in {"!=", "!~"} and matches_empty(matcher)


PLAIN = """
    avg_over_time count_over_time deriv idelta irate mad_over_time max_over_time min_over_time present_over_time
    stddev_over_time stdvar_over_time sum_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time
    ts_of_min_over_time
"""

WINDOWS = {
    **{name: Function(windowed) for name in PLAIN.split()},
    "absent": Function(absent, gathers=True),
    "absent_over_time": Function(absent_over_time, gathers=True),
    "changes": Function(windowed, edges=ANCHORED),
    "delta": Function(windowed, edges=BOTH_EDGES),
    "double_exponential_smoothing": Function(smoothing),
    "first_over_time": Function(windowed, keeps_name=True),
    "increase": Function(counted, edges=BOTH_EDGES),
    "last_over_time": Function(windowed, keeps_name=True),
    "predict_linear": Function(windowed, varies=True),
    "quantile_over_time": Function(quantile_over_time),
    "rate": Function(counted, edges=BOTH_EDGES),
    "resets": Function(windowed, edges=ANCHORED),
}
