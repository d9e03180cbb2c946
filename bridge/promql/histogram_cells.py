"""Native histograms in operators and aggregations."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bridge.native import FloatHistogram, operate_histograms, total_histograms
from bridge.promql.ast import BinaryExpr, Span
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Floats, Frame, Histograms, Integers, handles
from bridge.promql.operator_notes import Notes

__all__ = ["Operated", "Side", "operated", "side_of", "totaled"]

Groups: TypeAlias = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Side:
    """Samples on one side of an operator: a histogram, or where that is None the float."""

    histograms: list[FloatHistogram | None]
    floats: Floats


@dataclass(frozen=True, slots=True)
class Operated:
    """What came of cells: histograms in some, floats in others, nothing in the rest."""

    histograms: Histograms | None
    float_cells: Integers
    floats: Floats
    notes: Notes

    def put_into(self, frame: Frame) -> Frame:
        """The frame with these cells, which have been empty."""
        values, present = frame.values.copy(), frame.present.copy()
        values.reshape(-1)[self.float_cells] = self.floats
        present.reshape(-1)[self.float_cells] = True
        return replace(frame, values=values, present=present, histograms=self.histograms)


def side_of(frame: Frame, cells: Integers) -> Side:
    """The samples of a frame in some cells, none of which is empty."""
    items = np.full(len(cells), None, dtype=np.object_)
    if frame.histograms is not None:
        places = np.searchsorted(frame.histograms.cells, cells)
        inside = places < len(frame.histograms)
        found = np.zeros(len(cells), dtype=np.bool_)
        found[inside] = frame.histograms.cells[places[inside]] == cells[inside]
        items[found] = frame.histograms.items[places[found]]
    return Side(items.tolist(), frame.values.reshape(-1)[cells])


def operated(node: BinaryExpr, cells: Integers, lhs: Side, rhs: Side) -> Operated:
    """An operator between samples of which one at least is a histogram."""
    results, noted = operate_histograms(node.op, lhs.histograms, lhs.floats, rhs.histograms, rhs.floats)
    notes = Notes(cells[np.array([number for number, _ in noted], dtype=np.int64)], [note for _, note in noted])
    there = np.array([result is not None for result in results], dtype=np.bool_)
    if node.return_bool:
        both = [a is not None and b is not None for a, b in zip(lhs.histograms, rhs.histograms, strict=True)]
        comparable = np.array(both, dtype=np.bool_) & (node.op in {"==", "!="})
        return Operated(None, cells[comparable], there[comparable].astype(np.float64), notes)
    histograms = Histograms.of(cells[there], [result for result in results if result is not None])
    return Operated(histograms, cells[:0], np.zeros(0), notes)


def totaled(
    evaluation: Evaluation, op: str, pos: Span, frame: Frame, groups: Groups, *, in_vain: bool = False
) -> tuple[Histograms | None, Integers]:
    """The sum or average of the histograms of each group at each step, and which of the frame's histograms did not go
    with those before them. Hints of what is added up `in_vain` do not matter."""
    histograms = frame.histograms
    if histograms is None:
        return None, np.zeros(0, dtype=np.int64)
    rows, steps = np.divmod(histograms.cells, frame.steps.count)
    cells = groups[rows].astype(np.int64) * frame.steps.count + steps
    places, items, incompatible, bounds, hints = total_histograms(op == "avg", histograms.items.tolist(), cells)
    for number in incompatible:
        metric = frame.labels.labels(int(rows[number])).get("__name__", "")
        evaluation.note_one("mixed_buckets", metric, pos)
    if bounds:
        evaluation.note_one("bounds_aggregated", "", pos)
    if hints and not in_vain:
        evaluation.note_one("hints_collided", "", pos)
    totals = Histograms(np.frombuffer(places, dtype=np.int64), handles(items)) if items else None
    return totals, np.array(incompatible, dtype=np.int64)
