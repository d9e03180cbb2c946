"""One query being evaluated: what all operators share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from bridge.model import Matcher
from bridge.native import Cells, Columns, LabelSets, QueryLimit, Samples, aggregate_cells
from bridge.promql.annotations import Annotations, Occurrences
from bridge.promql.ast import Expr, Span, VectorSelector
from bridge.promql.failures import QueryFailed, TooManySamples
from bridge.promql.frame import Floats, Frame, Histograms, Integers, Scalar, Steps, Value
from bridge.promql.limits import Budget, Limits
from bridge.promql.options import EngineOptions
from bridge.promql.quoting import quote

__all__ = ["Evaluation", "Read", "Select", "duplicate_labels"]


SAMPLE_BYTES = 16
"""A time and a value."""

BLOCK_CELLS = 1 << 21
"""About as many cells are in the frames of a block."""

LEAST_STEPS = 32
"""Of a block of however many series, so that what a block costs whatever its length hardly counts."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """Samples that a query needs: of the series that match, in [mint, maxt] ms."""

    matchers: tuple[Matcher, ...]
    mint: int
    maxt: int


class Select(Protocol):
    """Where samples are. Called in a thread that may wait, once or a few times a query."""

    def __call__(self, reads: Sequence[Read], limits: Limits, /) -> Sequence[Columns | Samples]:
        """The samples of each read, all of them of one moment; series in any order, those without samples left out.
        Raises TooManySeries, TooManySamples, and BadInput for a bad pattern."""


@dataclass(slots=True)
class Making:
    """Labels in the making: bytes that they may take (0: any number), and those that they did."""

    most: int
    taken: int = 0


@dataclass(slots=True)
class Evaluation:
    """One query.

    Attributes:
        evaluate: the value of a node at some steps: what operators call for their operands.
        lookback: for how long a sample counts as the latest one, ms.
        ends_later: the query goes on behind its last step, which is before its end.
        counting: selectors of whose histograms only counts and sums are asked for.
        ranks: of each node by its identity, how many are evaluated before it.
    """

    options: EngineOptions
    budget: Budget
    select: Select
    evaluate: Callable[["Evaluation", Expr, Steps], Value]
    lookback: int
    ends_later: bool = False
    counting: frozenset[VectorSelector] = frozenset()
    ranks: dict[int, int] = field(default_factory=dict)
    annotations: Annotations = field(default_factory=Annotations)
    _held: int = 0
    _lasting: int = 0
    _samples: dict[Read, Samples] = field(default_factory=dict)
    _made: dict[tuple[int, Steps], Any] = field(default_factory=dict)

    def value(self, node: Expr, steps: Steps) -> Value:
        """The value of a node at each step."""
        self.budget.check()
        outer, rank = self.annotations.rank, self.ranks.get(id(node), -1)
        self.annotations.rank = rank
        try:
            return self.evaluate(self, node, steps)
        except QueryFailed as failure:
            if failure.rank < 0:
                failure.rank = rank
            raise
        finally:
            self.annotations.rank = outer

    @property
    def block_size(self) -> int:
        """How many steps are evaluated at a time."""
        series = max((len(samples) for samples in self._samples.values()), default=0)
        return self.options.block_steps or max(LEAST_STEPS, BLOCK_CELLS // max(1, series))

    def once(self, node: Expr, steps: Steps, make: Callable[[Steps], T]) -> T:
        """What a node needs in all blocks of some steps, made when the first block asks for it."""
        if not steps.is_block:
            return make(steps)
        key = id(node), steps.whole
        if key not in self._made:
            held = self._held
            try:
                self._made[key] = make(steps.whole)
            except QueryFailed as failure:
                self._made[key] = failure
            self._lasting += self._held - held
        made = self._made[key]
        if isinstance(made, QueryFailed):
            raise made
        return cast("T", made)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """What is made once meanwhile is not kept longer."""
        known = set(self._made)
        try:
            yield
        finally:
            for key in self._made.keys() - known:
                del self._made[key]

    @contextmanager
    def passing(self) -> Iterator[None]:
        """What is held meanwhile is not held longer, but for what is made once."""
        held, lasting = self._held, self._lasting
        try:
            yield
        finally:
            self._held = held + self._lasting - lasting

    def frame(self, node: Expr, steps: Steps) -> Frame:
        """The value of a node that is an instant vector."""
        value = self.value(node, steps)
        if not isinstance(value, Frame):
            raise TypeError(f"no instant vector: {value}")
        return value

    def scalar(self, node: Expr, steps: Steps) -> Floats:
        """The value of a node that is a scalar, at each step."""
        value = self.value(node, steps)
        if not isinstance(value, Scalar):
            raise TypeError(f"no scalar: {value}")
        return value.values

    def read(self, reads: Sequence[Read]) -> None:
        """Have these samples at hand. What is there already is not read again."""
        missing = [read for read in dict.fromkeys(reads) if read not in self._samples]
        if missing:
            found = self.select(missing, self.budget.limits)
            for read, samples in zip(missing, found, strict=True):
                self._samples[read] = samples if isinstance(samples, Samples) else Samples(samples)
                self.hold(self._samples[read].weight)
            self.budget.check()

    def samples(self, read: Read) -> Samples:
        """The samples of a read, or of one that covers it."""
        for known, samples in self._samples.items():
            if known.matchers == read.matchers and known.mint <= read.mint and read.maxt <= known.maxt:
                return samples
        self.read([read])
        return self._samples[read]

    def hold(self, samples: int) -> None:
        """So many more are in memory until the query ends."""
        self._held += samples
        self.budget.hold(self._held)

    def room(self, series: int, steps: int) -> None:
        """A frame of this size is about to be made. Raises TooManySamples before it takes the memory."""
        self.budget.hold(self._held + series * steps)

    @contextmanager
    def making_labels(self) -> Iterator["Making"]:
        """Label sets of any length are about to be made. Their bytes count like samples; raises TooManySamples."""
        most = self.budget.limits.samples
        making = Making(max(1, (most - self._held) * SAMPLE_BYTES) if most else 0)
        try:
            yield making
        except QueryLimit:
            raise TooManySamples from None
        self.hold(making.taken // SAMPLE_BYTES)

    def unnamed(self, frame: Frame) -> Frame:
        """The values are another metric's now: names go, at once or in the end."""
        every = np.ones(len(frame), dtype=np.bool_)
        if self.options.delayed_name_removal:
            return replace(frame, drop_name=every)
        return self.merged(replace(frame, labels=frame.labels.without_metadata(every.view(np.uint8))))

    def named(self, frame: Frame) -> Frame:
        """Names that were to go in the end are gone."""
        if not frame.drop_name.any():
            return frame
        labels = frame.labels.without_metadata(frame.drop_name.view(np.uint8))
        return self.merged(replace(frame, labels=labels, drop_name=np.zeros(len(frame), dtype=np.bool_)))

    def merged(self, frame: Frame) -> Frame:
        """Series with equal labels as one. Raises QueryFailed when two of them have something at one step."""
        duplicates = frame.labels.duplicates()
        if duplicates is None:
            return frame
        ids = np.frombuffer(duplicates[0], dtype=np.uint32)
        return merge(frame, ids, duplicates[1])

    def note(self, cells: Cells, labels: LabelSets, pos: Span) -> None:
        """Annotate what a loop has noted."""
        for series, what, times in cells.notes:
            metric = labels.labels(series).get("__name__", "")
            self.note_one(what, metric, pos, times)

    def note_one(self, what: str, metric: str, pos: Span, times: int = 1) -> None:
        """Annotate one thing, of one metric."""
        is_warning, text, tells_metric = NOTES[what]
        told = f"{text} {quote(metric)}" if tells_metric else text
        annotate = self.annotations.warn if is_warning else self.annotations.info
        annotate(told, pos, Occurrences(times) if what == "start_overlap" else None)


NOTES = {
    "mixed_samples": (True, "encountered a mix of histograms and floats for metric name", True),
    "histograms_ignored": (
        False,
        "ignored histograms in a range containing both floats and histograms for metric name",
        True,
    ),
    "not_counter": (True, "this native histogram metric is not a counter:", True),
    "not_gauge": (True, "this native histogram metric is not a gauge:", True),
    "mixed_buckets": (
        True,
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric name",
        True,
    ),
    "bounds_added": (False, "mismatched custom buckets were reconciled during addition", False),
    "bounds_subtracted": (False, "mismatched custom buckets were reconciled during subtraction", False),
    "bounds_aggregated": (False, "mismatched custom buckets were reconciled during aggregation", False),
    "hints_collided": (True, "conflicting counter resets during histogram aggregation", False),
    "start_overlap": (
        True,
        "sample has start time that overlaps with previous sample timestamp for metric",
        True,
    ),
}
"""What the core notes: whether it is a warning, its text, and whether the metric's name follows."""


def duplicate_labels() -> QueryFailed:
    """Two series became one."""
    return QueryFailed("vector cannot contain metrics with the same labelset")


def merge(frame: Frame, ids: "np.typing.NDArray[np.uint32]", labels: LabelSets) -> Frame:
    """Series with equal numbers as one, in the order of the numbers."""
    count, steps = len(labels), frame.steps.count
    occupied = frame.occupied
    counts, _ = aggregate_cells("count", occupied.astype(np.float64), occupied.view(np.uint8), ids, count)
    if (np.frombuffer(counts, dtype=np.float64) > 1).any():
        raise duplicate_labels()
    # Each cell has one value at most, so their sum is that value.
    values, present = aggregate_cells("sum", frame.values, frame.present.view(np.uint8), ids, count)
    first: Integers = np.unique(ids, return_index=True)[1].astype(np.int64)
    return replace(
        frame,
        labels=labels,
        values=np.frombuffer(values, dtype=np.float64).reshape(count, steps),
        present=np.frombuffer(present, dtype=np.bool_).reshape(count, steps),
        histograms=frame.histograms and moved(frame.histograms, ids, steps),
        drop_name=frame.drop_name[first],
    )


def moved(histograms: Histograms, ids: "np.typing.NDArray[np.uint32]", steps: int) -> Histograms:
    """Histograms in the rows that `ids` gives to theirs."""
    cells = ids[histograms.cells // steps].astype(np.int64) * steps + histograms.cells % steps
    order = np.argsort(cells, kind="stable")
    return Histograms(cells[order], histograms.items[order])
