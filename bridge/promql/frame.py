"""What expressions evaluate to: vectors over all steps at once.

A `Frame` is an instant vector at each step of a query: a table of series x steps. Cell (n, s) is what series n has at
step s: a float where `present` is set, else a native histogram where `histograms` has one, else nothing. An instant
query has one step. A series that has nothing at any step is not in a frame, unless its steps are a block of others.

Arrays are C-contiguous and never written to once a frame is made; an operation makes a new frame, and shares what it
keeps. Label sets are native and packed: `labels.labels(n)` makes a dict, `labels.values("job")` a list of all values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bridge.native import Cells, FloatHistogram, LabelSets, Samples

__all__ = [
    "Bools",
    "Floats",
    "Frame",
    "Histograms",
    "Integers",
    "RangeVector",
    "Scalar",
    "Steps",
    "Text",
    "Value",
    "empty_frame",
    "frame_of",
    "handles",
    "stack",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Integers: TypeAlias = npt.NDArray[np.int64]
Handles: TypeAlias = npt.NDArray[np.object_]

NONE: Bools = np.zeros(0, dtype=np.bool_)
"""Flags that nobody has set."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The times at which an expression is evaluated: `count` of them from `start` on, `step` apart, ms."""

    start: int
    step: int
    count: int
    block_of: "Steps | None" = None
    """Those of which they are some, one behind the other."""

    @property
    def whole(self) -> "Steps":
        """Those of which they are a block, or they themselves."""
        return self.block_of or self

    @property
    def is_block(self) -> bool:
        """They are some of others."""
        return self.block_of is not None

    def blocks(self, size: int) -> "Iterator[Steps]":
        """All of them in blocks of `size`."""
        for first in range(0, self.count, size):
            yield Steps(self.start + first * self.step, self.step, min(size, self.count - first), self)

    @property
    def end(self) -> int:
        """The last of them."""
        return self.start + self.step * (self.count - 1)

    @property
    def times(self) -> Integers:
        """All of them, ms."""
        return np.arange(self.count, dtype=np.int64) * self.step + self.start

    def first(self) -> "Steps":
        """Only the first, as an instant query has it."""
        return Steps(self.start, 0, 1)


@dataclass(frozen=True, slots=True)
class Histograms:
    """The native histograms of a frame, of which there are few or none.

    Attributes:
        cells: where they are: `series * steps + step`, ascending.
        items: one `FloatHistogram` a cell; they never change, so cells may share one.
    """

    cells: Integers
    items: Handles

    @classmethod
    def of(cls, cells: Integers, items: Sequence[FloatHistogram]) -> "Histograms | None":
        """None when there are none."""
        return cls(cells, handles(items)) if len(items) else None

    def __len__(self) -> int:
        return len(self.items)

    def pick(self, chosen: Bools) -> "Histograms | None":
        """Those of which `chosen` (one flag an item) is true."""
        return Histograms(self.cells[chosen], self.items[chosen]) if chosen.any() else None

    def mask(self, shape: tuple[int, int]) -> Bools:
        """Series x steps: where there is one."""
        mask = np.zeros(shape, dtype=np.bool_)
        mask.reshape(-1)[self.cells] = True
        return mask

    def take(self, rows: Integers, series: int, steps: int) -> "Histograms | None":
        """Those of the series `rows` of a frame of so many series, as series 0, 1, ... of another."""
        starts = np.searchsorted(self.cells, np.arange(series + 1) * steps)
        begins, counts = starts[rows], np.diff(starts)[rows]
        if not counts.any():
            return None
        picked = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        moved = np.repeat((np.arange(len(rows)) - rows) * steps, counts)
        return Histograms(self.cells[picked] + moved, self.items[picked])


@dataclass(frozen=True, slots=True)
class Frame:
    """An instant vector at each step.

    Attributes:
        labels: of each series; no two series are alike once `drop_name` has been heeded, or an error was raised.
        values: series x steps; what stands where `present` is false means nothing.
        present: series x steps: there is a float.
        histograms: in cells where `present` is false; None when there are none at all.
        drop_name: one flag a series: its metric's name (type, unit) goes in the end, for its value is another thing
            now. Only with delayed name removal; else names go at once.
        ordered: the order of the series is part of the result (`sort`, `topk` of an instant query).
    """

    steps: Steps
    labels: LabelSets
    values: Floats
    present: Bools
    histograms: Histograms | None = None
    drop_name: Bools = field(default_factory=lambda: NONE)
    ordered: bool = False

    def __post_init__(self) -> None:
        if len(self.drop_name) != len(self.labels):
            object.__setattr__(self, "drop_name", np.zeros(len(self.labels), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int]:
        """Series, steps."""
        return len(self.labels), self.steps.count

    @property
    def occupied(self) -> Bools:
        """Series x steps: there is a float or a histogram."""
        return self.present if self.histograms is None else self.present | self.histograms.mask(self.shape)

    @property
    def has_any(self) -> Bools:
        """Of each series: it has something."""
        found: Bools = np.any(self.present, axis=1)
        if self.histograms is not None:
            found[self.histograms.cells // self.steps.count] = True
        return found

    @property
    def samples(self) -> int:
        """Cells with anything in them."""
        return int(np.count_nonzero(self.present)) + (0 if self.histograms is None else len(self.histograms))

    def take(self, rows: Integers) -> "Frame":
        """The series with these numbers, in this order; a number may come twice."""
        series, steps = self.shape
        return replace(
            self,
            labels=self.labels.take(rows),
            values=self.values[rows],
            present=self.present[rows],
            histograms=self.histograms and self.histograms.take(rows, series, steps),
            drop_name=self.drop_name[rows],
        )

    def where(self, kept: Bools) -> "Frame":
        """Only the cells where `kept` (series x steps) is true."""
        histograms = self.histograms and self.histograms.pick(kept.reshape(-1)[self.histograms.cells])
        return replace(self, present=self.present & kept, histograms=histograms).without_empty()

    def floats(self) -> "Frame":
        """Without the histograms."""
        return self if self.histograms is None else replace(self, histograms=None).without_empty()

    def without_empty(self) -> "Frame":
        """Without the series that have nothing. A block keeps them: they have something in another one, perhaps."""
        if self.steps.is_block:
            return self
        kept = self.has_any
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def spread(self, steps: Steps) -> "Frame":
        """What was evaluated at one step, at each of `steps`."""
        histograms = self.histograms
        if histograms is not None:
            cells = (histograms.cells[:, np.newaxis] * steps.count + np.arange(steps.count)).reshape(-1)
            histograms = Histograms(cells, np.repeat(histograms.items, steps.count))
        return replace(
            self,
            steps=steps,
            values=np.repeat(self.values, steps.count, axis=1),
            present=np.repeat(self.present, steps.count, axis=1),
            histograms=histograms,
        )


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number at each step."""

    steps: Steps
    values: Floats

    def spread(self, steps: Steps) -> "Scalar":
        """What was evaluated at one step, at each of `steps`."""
        return Scalar(steps, np.repeat(self.values, steps.count))


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class RangeVector:
    """Series of samples with times of their own, as an instant query for a range gives them.

    Attributes:
        samples: native: labels, times, values, histograms; also those that the windows do not reach.
        ends: where the window of each step ends, ms, itself in it.
        range: how far it reaches back, ms; what is exactly so old is not in it.
        edges: `plain`, `anchored` or `smoothed`: what counts at the edges of a window.
        drop_name: as in a frame.
    """

    samples: Samples
    ends: Integers
    range: int
    drop_name: Bools
    edges: str = "plain"


Value: TypeAlias = Frame | Scalar | Text | RangeVector


def handles(items: Sequence[object]) -> Handles:
    """Objects as an array, whatever they are."""
    array = np.empty(len(items), dtype=np.object_)
    array[:] = items
    return array


def empty_frame(steps: Steps) -> Frame:
    """No series."""
    shape = (0, steps.count)
    return Frame(steps, LabelSets([]), np.empty(shape), np.zeros(shape, dtype=np.bool_))


def frame_of(cells: Cells, labels: LabelSets, steps: Steps, drop_name: Bools | None = None) -> Frame:
    """What the core made of the series with these labels and flags. The cells are used up."""
    rows = np.frombuffer(cells.take_rows(), dtype=np.int64)
    shape = (len(rows), steps.count)
    return Frame(
        steps,
        labels if len(rows) == len(labels) else labels.take(rows),
        np.frombuffer(cells.take_values(), dtype=np.float64).reshape(shape),
        np.frombuffer(cells.take_present(), dtype=np.bool_).reshape(shape),
        histograms_of(cells),
        NONE if drop_name is None else drop_name[rows],
    )


def histograms_of(cells: Cells) -> Histograms | None:
    """Those that the core made."""
    places, items = cells.take_histograms()
    return Histograms.of(np.frombuffer(places, dtype=np.int64), items)


def stack(first: Frame, second: Frame) -> Frame:
    """The series of both."""
    histograms = [frame.histograms for frame in (first, second)]
    if histograms[1] is not None:
        histograms[1] = replace(histograms[1], cells=histograms[1].cells + first.values.size)
    some = [one for one in histograms if one is not None]
    return Frame(
        first.steps,
        first.labels.concat(second.labels),
        np.concatenate((first.values, second.values)),
        np.concatenate((first.present, second.present)),
        Histograms(np.concatenate([h.cells for h in some]), np.concatenate([h.items for h in some])) if some else None,
        np.concatenate((first.drop_name, second.drop_name)),
    )
