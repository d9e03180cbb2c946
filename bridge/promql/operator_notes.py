"""What is told of binary operators whose samples do not go together.

At one step an operator tells one thing, as in Prometheus: that of the last of its series.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bridge.native import LabelSets
from bridge.promql.ast import BinaryExpr
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Bools, Integers

__all__ = ["Notes", "is_failure", "notes_of_floats", "ranks", "tell"]

TRIMS = frozenset(("</", ">/"))
FLOATS = "float_float"
TYPES = {
    FLOATS: ("float", "float"),
    "float_histogram": ("float", "histogram"),
    "histogram_float": ("histogram", "float"),
    "histogram_histogram": ("histogram", "histogram"),
}
COLLISIONS = {"hints_added": "addition", "hints_subtracted": "subtraction"}
RECONCILED = {"bounds_added": "addition", "bounds_subtracted": "subtraction"}


@dataclass(frozen=True, slots=True)
class Notes:
    """What the core has noted of cells, `series * steps + step`."""

    cells: Integers
    texts: Sequence[str]

    def __add__(self, other: "Notes") -> "Notes":
        """These, then those."""
        return Notes(np.concatenate((self.cells, other.cells)), [*self.texts, *other.texts])


def notes_of_floats(op: str, there: Bools) -> Notes:
    """What is noted of cells with floats on both sides: that there are no histograms to trim."""
    if op not in TRIMS:
        return NOTHING
    cells = np.flatnonzero(there)
    return Notes(cells, [FLOATS] * len(cells))


def is_failure(note: str) -> bool:
    """There is no result where this is noted."""
    return note not in RECONCILED


NOTHING = Notes(np.zeros(0, dtype=np.int64), [])


def ranks(labels: LabelSets) -> Integers:
    """The place of each series in the order of labels."""
    order = labels.order()
    if order is None:
        return np.arange(len(labels))
    places = np.empty(len(labels), dtype=np.int64)
    places[np.frombuffer(order, dtype=np.int64)] = np.arange(len(labels))
    return places


def tell(evaluation: Evaluation, node: BinaryExpr, notes: Notes, rank: Callable[[], Integers], steps: int) -> None:
    """Annotate the last thing at each step. `rank` gives the place of each series among the others."""
    if len(set(notes.texts)) > 1:
        series, at = np.divmod(notes.cells, steps)
        order = np.lexsort((rank()[series], at))
        last = np.append(np.diff(at[order]) > 0, True)
        told = {notes.texts[number] for number in order[last].tolist()}
    else:
        told = set(notes.texts)
    for note in sorted(told):
        annotate(evaluation, node, note)


def annotate(evaluation: Evaluation, node: BinaryExpr, note: str) -> None:
    """Tell the user what the core has noted."""
    annotations, op, pos = evaluation.annotations, node.op, node.pos
    if note in TYPES:
        lhs, rhs = TYPES[note]
        annotations.info(f'incompatible sample types encountered for binary operator "{op}": {lhs} {op} {rhs}', pos)
    elif note in COLLISIONS:
        annotations.warn(f"conflicting counter resets during histogram {COLLISIONS[note]}", pos)
    elif note in RECONCILED:
        annotations.info(f"mismatched custom buckets were reconciled during {RECONCILED[note]}", pos)
    else:
        annotations.warn(f"incompatible bucket layout encountered for binary operator {op}", pos)
