"""Functions of histograms: of native ones, and of classic ones that their buckets make."""

from dataclasses import dataclass, replace

import numpy as np

from bridge.native import Classic, describe_histograms, histogram_fractions, histogram_quantiles
from bridge.promql.annotations import Monotonicity, general, of_metric
from bridge.promql.ast import Span
from bridge.promql.frame import Bools, Floats, Frame, Histograms, Integers, Scalar, Text, empty_frame, stack
from bridge.promql.functions.function import Function, Invocation
from bridge.promql.functions.windows import invalid_quantiles
from bridge.promql.quoting import quote

__all__ = ["HISTOGRAMS"]

MIXED = "vector contains a mix of classic and native histograms"
MENDED = (
    "input to histogram_quantile needed to be fixed for monotonicity (see"
    " https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
)
RESULT_IS_NAN = "input to histogram_quantile has NaN observations, result is NaN"
SKEWED = "input to histogram_quantile has NaN observations, result is skewed higher"
LEFT_OUT = "input to histogram_fraction has NaN observations, which are excluded from all fractions"


def described(what: str) -> Function:
    """A number about each native histogram. Floats are nothing to it."""

    def call(_: Invocation, vector: Frame) -> Frame:
        histograms = vector.histograms
        if histograms is None:
            return empty_frame(vector.steps)
        numbers = np.frombuffer(describe_histograms(what, histograms.items.tolist()), dtype=np.float64)
        return in_cells(vector, histograms.cells, numbers)

    return Function(call)


def in_cells(vector: Frame, cells: Integers, numbers: Floats) -> Frame:
    """The series of a vector with these floats in these cells and nothing else."""
    values, present = np.zeros(vector.shape), np.zeros(vector.shape, dtype=np.bool_)
    values.reshape(-1)[cells] = numbers
    present.reshape(-1)[cells] = True
    return replace(vector, values=values, present=present, histograms=None).without_empty()


@dataclass(frozen=True, slots=True)
class Both:
    """The histograms of a vector: native ones, and classic ones where no native one stands too.

    Attributes:
        pos: where the vector stands: what annotations point at.
    """

    invocation: Invocation
    vector: Frame
    pos: Span
    classic: Classic
    native: Histograms | None

    def info(self, text: str, rows: Integers) -> None:
        """Tell something of the metrics of these series of the vector."""
        for name in self.vector.labels.take(np.unique(rows)).distinct("__name__"):
            self.invocation.evaluation.annotations.info(of_metric(text, self.shown(name)), self.pos)

    def warn(self, text: str, rows: Integers) -> None:
        """Warn likewise."""
        for name in self.vector.labels.take(np.unique(rows)).distinct("__name__"):
            self.invocation.evaluation.annotations.warn(of_metric(text, self.shown(name)), self.pos)

    def shown(self, metric: str) -> str:
        """The metric's name, which is known as long as names are removed in the end only."""
        return metric if self.invocation.evaluation.options.delayed_name_removal else ""

    def answers(self, frames: list[Frame]) -> Frame:
        """Of native and classic histograms together. A series may have been of the one kind, and then of the other."""
        frames = [frame for frame in frames if len(frame)]
        if not frames:
            return empty_frame(self.vector.steps)
        whole = frames[0]
        for frame in frames[1:]:
            whole = stack(whole, frame)
        return self.invocation.evaluation.merged(whole)


def both(invocation: Invocation, vector: Frame, pos: Span, answers: int = 1) -> Both:
    """The histograms of a vector, each of which is to give so many answers, and warnings of what is none."""
    steps = vector.steps.count
    invocation.evaluation.room(len(vector) * answers, steps)
    native = vector.histograms
    cells = np.zeros(0, dtype=np.int64) if native is None else native.cells
    classic = Classic(vector.labels, steps, vector.values, vector.present.view(np.uint8), cells)
    contested = np.frombuffer(classic.contested, dtype=np.int64)
    if native is not None and len(contested):
        native = native.pick(~np.isin(native.cells, contested))
    found = Both(invocation, vector, pos, classic, native)
    malformed = vector.labels.take(np.array(classic.malformed, dtype=np.int64))
    for bound, metric in dict.fromkeys(zip(malformed.values("le"), malformed.values("__name__"), strict=True)):
        text = f'bucket label "le" is missing or has a malformed value of {quote(bound)}'
        invocation.evaluation.annotations.warn(of_metric(text, found.shown(metric)), pos)
    found.warn(MIXED, contested // steps)
    return found


def classic_frame(of: Both, values: memoryview, present: memoryview) -> Frame:
    """What the core found of classic histograms."""
    labels, steps = of.classic.labels, of.vector.steps
    shape = (len(labels), steps.count)
    floats = np.frombuffer(values, dtype=np.float64).reshape(shape)
    return Frame(steps, labels, floats, np.frombuffer(present, dtype=np.bool_).reshape(shape)).without_empty()


def quantile(invocation: Invocation, q: Scalar, vector: Frame) -> Frame:
    """The quantile of each histogram."""
    invalid_quantiles(invocation, q.values)
    found = both(invocation, vector, invocation.args[1].pos)
    return found.answers([native_quantiles(found, q.values), classic_quantiles(found, q.values)])


def quantiles(invocation: Invocation, vector: Frame, label: Text, *qs: Scalar) -> Frame:
    """Several quantiles of each histogram, told apart by a label."""
    for place, q in enumerate(qs, 2):
        invalid_quantiles(invocation, q.values, invocation.args[place].pos)
    apart = [told_apart(q.values) for q in qs]
    found = both(invocation, vector, invocation.pos, sum(len(numbers) for numbers in apart))
    frames = []
    for q, numbers in zip(qs, apart, strict=True):
        for frame in (native_quantiles(found, q.values), classic_quantiles(found, q.values)):
            for number, at in numbers:
                there = frame.where(np.broadcast_to(at, frame.shape))
                texts = [label_value(number)] * len(there)
                frames.append(replace(there, labels=there.labels.with_label(label.value, texts)))
    return found.answers(frames)


def told_apart(values: Floats) -> list[tuple[float, Bools]]:
    """Each number that a scalar is at some step, and at which steps it is."""
    numbers = np.unique(values).tolist()
    return [(number, np.isnan(values) if np.isnan(number) else values == number) for number in numbers]


def label_value(number: float) -> str:
    """A number as OpenMetrics has it in labels: recognisably a float."""
    text = general(number + 0.0)
    return text if set(text) & set(".eNI") else f"{text}.0"


def native_quantiles(of: Both, qs: Floats) -> Frame:
    """The quantile of each native histogram."""
    if of.native is None:
        return empty_frame(of.vector.steps)
    cells, steps = of.native.cells, of.vector.steps.count
    numbers, among_nans, skewed = histogram_quantiles(of.native.items.tolist(), qs[cells % steps])
    for flags, text in ((among_nans, RESULT_IS_NAN), (skewed, SKEWED)):
        of.info(text, cells[np.frombuffer(flags, dtype=np.bool_)] // steps)
    return in_cells(of.vector, cells, np.frombuffer(numbers, dtype=np.float64))


def classic_quantiles(of: Both, qs: Floats) -> Frame:
    """The quantile of each classic histogram."""
    vector, times = of.vector, of.vector.steps.times
    answers, mended = of.classic.quantiles(vector.values, vector.present.view(np.uint8), np.ascontiguousarray(qs))
    metrics = of.classic.labels.values("__name__") if mended else []
    for histogram, first, last, samples, low, high, most in mended:
        name = of.shown(metrics[histogram])
        detail = Monotonicity(int(times[first]), int(times[last]), low, high, most, samples)
        of.invocation.evaluation.annotations.info(of_metric(MENDED, name), of.pos, detail)
    return classic_frame(of, *answers)


def fraction(invocation: Invocation, lower: Scalar, upper: Scalar, vector: Frame) -> Frame:
    """The share of each histogram's observations between two numbers."""
    found = both(invocation, vector, invocation.args[2].pos)
    present = vector.present.view(np.uint8)
    low, high = np.ascontiguousarray(lower.values), np.ascontiguousarray(upper.values)
    classic = classic_frame(found, *found.classic.fractions(vector.values, present, low, high))
    if found.native is None:
        return found.answers([classic])
    cells, steps = found.native.cells, vector.steps.count
    at = cells % steps
    shares, nans = histogram_fractions(found.native.items.tolist(), low[at], high[at])
    found.info(LEFT_OUT, cells[np.frombuffer(nans, dtype=np.bool_)] // steps)
    return found.answers([in_cells(vector, cells, np.frombuffer(shares, dtype=np.float64)), classic])


HISTOGRAMS = {
    **{f"histogram_{what}": described(what) for what in ("avg", "count", "stddev", "stdvar", "sum")},
    "histogram_fraction": Function(fraction, gathers=True),
    "histogram_quantile": Function(quantile, gathers=True),
    "histogram_quantiles": Function(quantiles, gathers=True),
}
