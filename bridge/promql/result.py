"""What a query gives."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from bridge.native import FloatHistogram, LabelSets, QueryLimit, Samples, frame_json
from bridge.promql.evaluation import Evaluation
from bridge.promql.failures import QueryFailed, ResultTooLong
from bridge.promql.frame import Frame, Integers, RangeVector, Scalar, Text, Value
from bridge.promql.statistics import Counts

__all__ = ["Kind", "Result", "Series", "Stats", "finished"]

Kind: TypeAlias = Literal["vector", "matrix", "scalar", "string"]
Series: TypeAlias = tuple[dict[str, str], list[tuple[int, float | FloatHistogram]]]
"""Labels, and samples with their times, ms."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a query took.

    Attributes:
        peak: samples held at once, at most.
        counts: samples that its steps looked at, at `times`, ms; None when nobody asked.
        seconds: how long it was evaluated.
    """

    peak: int
    counts: Counts | None = None
    times: Integers | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """The value of a query.

    Attributes:
        kind: as the query API names it. A range query gives a matrix.
        time: of the first step, ms.
        warnings: what makes it doubtful, with line and column.
        infos: what the user may not have meant.
    """

    kind: Kind
    value: Value
    time: int
    warnings: list[str]
    infos: list[str]
    stats: Stats

    @property
    def cells(self) -> int:
        """About how many values there are to print."""
        match self.value:
            case Frame():
                return self.value.values.size
            case RangeVector():
                return self.value.samples.weight
            case Scalar():
                return self.value.values.size
            case Text():
                return 1

    def first(self, series: int) -> "Result":
        """With no more series than these; itself when it has no more."""
        value = self.value
        if isinstance(value, Frame) and len(value) > series:
            return replace(self, value=value.take(np.arange(series)))
        if isinstance(value, RangeVector) and len(value.samples) > series:
            rows = value.samples.rows()[:series]
            untimed = [([(t, v, 0) for t, v in floats], [(t, h, 0) for t, h in others]) for _, floats, others in rows]
            samples = Samples.of_rows(value.samples.labels.take(np.arange(series)), untimed)
            return replace(self, value=replace(value, samples=samples, drop_name=value.drop_name[:series]))
        return self

    def json(self, *, max_bytes: int = 0) -> bytes:
        """`{"resultType":"vector","result":[...]}`. Raises ResultTooLong for a longer value; 0: no limit."""
        try:
            value = self.result_json(max_bytes)
        except QueryLimit:
            raise ResultTooLong(max_bytes) from None
        return b'{"resultType":"%s","result":%s}' % (self.kind.encode(), value)

    def result_json(self, max_bytes: int) -> bytes:
        """Only the value. Raises QueryLimit."""
        match self.value:
            case Frame():
                return json_of(self.value, max_bytes, is_vector=self.kind == "vector")
            case RangeVector():
                return self.value.samples.json(max_bytes=max_bytes)
            case Scalar() if self.kind == "matrix":
                return json_of(one_series(self.value), max_bytes, is_vector=False)
            case Scalar():
                # As a vector of one prints it: [{"metric":{},"value":[1,"2"]}]
                return json_of(one_series(self.value), 0, is_vector=True).split(b'"value":')[1][:-2]
            case Text():
                return b"[%s,%s]" % (self.seconds().encode(), json.dumps(self.value.value, ensure_ascii=False).encode())

    def seconds(self) -> str:
        """The time of the first step, as JSON has it."""
        seconds, milliseconds = divmod(abs(self.time), 1000)
        fraction = f".{milliseconds:03d}" if milliseconds else ""
        return f"{'-' if self.time < 0 else ''}{seconds}{fraction}"

    def series(self) -> list[Series]:
        """Each series of a vector or matrix, or the one of a scalar, with its samples in order of time."""
        match self.value:
            case RangeVector():
                rows = self.value.samples.rows()
                return [
                    (labels, sorted([*floats, *histograms], key=lambda at: at[0]))
                    for labels, floats, histograms in rows
                ]
            case Frame():
                return list(series_of(self.value))
            case Scalar():
                return list(series_of(one_series(self.value)))
            case Text():
                return []


def series_of(frame: Frame) -> Iterator[Series]:
    """Each series of a frame."""
    times = frame.steps.times.tolist()
    histograms = (
        {}
        if frame.histograms is None
        else dict(zip(frame.histograms.cells.tolist(), frame.histograms.items, strict=True))
    )
    for row in range(len(frame)):
        samples: list[tuple[int, float | FloatHistogram]] = []
        for step, (time, value, there) in enumerate(
            zip(times, frame.values[row].tolist(), frame.present[row].tolist(), strict=True)
        ):
            if there:
                samples.append((time, value))
            elif (histogram := histograms.get(row * len(times) + step)) is not None:
                samples.append((time, histogram))
        yield frame.labels.labels(row), samples


def json_of(frame: Frame, max_bytes: int, *, is_vector: bool) -> bytes:
    """A frame as the query API shows it. Raises QueryLimit."""
    histograms = frame.histograms
    return frame_json(
        frame.labels,
        frame.steps.times,
        np.ascontiguousarray(frame.values),
        np.ascontiguousarray(frame.present).view(np.uint8),
        np.zeros(0, dtype=np.int64) if histograms is None else histograms.cells,
        [] if histograms is None else histograms.items.tolist(),
        is_vector,
        max_bytes=max_bytes,
    )


def one_series(scalar: Scalar) -> Frame:
    """A scalar as a series without labels."""
    there = np.ones((1, scalar.steps.count), dtype=np.bool_)
    return Frame(scalar.steps, LabelSets([{}]), scalar.values[np.newaxis], there)


def finished(evaluation: Evaluation, value: Value, query: str, start: int, *, is_range: bool) -> Result:
    """The value in the order in which it is shown, without the names that were to go."""
    kind: Kind = "matrix"
    match value:
        case Frame():
            value = evaluation.named(value)
            kind = "matrix" if is_range else "vector"
            if not (value.ordered and kind == "vector") and (order := value.labels.order()) is not None:
                value = value.take(np.frombuffer(order, dtype=np.int64))
        case RangeVector():
            value = cut(evaluation, value)
        case Scalar():
            kind = "matrix" if is_range else "scalar"
        case Text():
            kind = "string"
    warnings, infos = evaluation.annotations.texts(query)
    return Result(kind, value, start, warnings, infos, Stats(evaluation.budget.peak))


def cut(evaluation: Evaluation, ranges: RangeVector) -> RangeVector:
    """Only the samples in the window, series in order."""
    labels = ranges.samples.labels.without_metadata(ranges.drop_name.view(np.uint8))
    whole = ranges.samples.relabeled(labels)
    samples = whole.window(int(ranges.ends[0]), ranges.range, ranges.edges, evaluation.lookback)
    if samples is None:
        raise QueryFailed(f"{ranges.edges} modifier is not supported with histograms")
    if samples.labels.duplicates() is not None:
        raise QueryFailed("vector cannot contain metrics with the same labelset")
    return replace(ranges, samples=samples.sorted(), drop_name=np.zeros(len(samples), dtype=np.bool_))
