"""Aggregations: groups of series become one, or lose some."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bridge.native import (
    FloatHistogram,
    LabelSets,
    aggregate_cells,
    count_values,
    extreme_cells,
    first_cells,
    quantile_cells,
)
from bridge.promql.annotations import general
from bridge.promql.ast import AggregateExpr, StringLiteral
from bridge.promql.blocks import parameter
from bridge.promql.evaluation import Evaluation
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Bools, Floats, Frame, Histograms, Steps, empty_frame, stack
from bridge.promql.histogram_cells import totaled

__all__ = ["aggregation"]

Groups: TypeAlias = npt.NDArray[np.uint32]

NONE: Floats = np.zeros(0)
"""No parameter."""

LEAST_INT64 = -9223372036854775808.0
MOST_INT64 = 9223372036854774784.0
IGNORES_HISTOGRAMS = frozenset(("bottomk", "max", "min", "quantile", "stddev", "stdvar", "topk"))
LOOKS_IN_ORDER = frozenset(("avg", "limitk", "sum"))
COUNTS_ALL = frozenset(("count", "group"))


@dataclass(frozen=True, slots=True)
class Grouped:
    """An aggregation at work: its operand, the group of each series, and the parameter, at the operand's steps and
    `everywhere`: at all those of which these are a block."""

    evaluation: Evaluation
    node: AggregateExpr
    frame: Frame
    ids: Groups
    labels: LabelSets
    parameter: Floats
    everywhere: Floats

    def cells(self) -> tuple[Floats, npt.NDArray[np.uint8], Groups, int]:
        """The floats, as the core wants them."""
        return self.frame.values, self.frame.present.view(np.uint8), self.ids, len(self.labels)


def aggregation(evaluation: Evaluation, node: AggregateExpr, steps: Steps) -> Frame:
    """The value of an aggregation."""
    if isinstance(node.param, StringLiteral):
        return counted_values(evaluation, node, node.param.value, steps)
    numbers = (NONE, NONE) if node.param is None else parameter(evaluation, node.param, steps)
    frame = evaluation.frame(node.expr, steps)
    if frame.histograms is not None and node.op in IGNORES_HISTOGRAMS:
        pos = node.pos if node.op in {"topk", "bottomk"} else node.expr.pos
        evaluation.annotations.info(f"ignored histogram in {node.op} aggregation", pos)
        frame = frame.floats()
    if node.op in LOOKS_IN_ORDER and (frame.histograms is not None or node.op == "limitk"):
        frame = in_order(frame)
    ids, labels = frame.labels.group(node.grouping, node.without)
    grouped = Grouped(evaluation, node, frame, np.frombuffer(ids, dtype=np.uint32), labels, *numbers)
    return OPERATORS.get(node.op, folded)(grouped)


def in_order(frame: Frame) -> Frame:
    """The series in the order of their labels, for what depends on who comes first."""
    order = frame.labels.order()
    return frame if order is None else frame.take(np.frombuffer(order, dtype=np.int64))


def folded(grouped: Grouped) -> Frame:
    """One series a group: `sum`, `avg`, `count`, `group`, `min`, `max`, `stddev`, `stdvar`."""
    frame, op = grouped.frame, grouped.node.op
    values, present, ids, count = grouped.cells()
    if op in COUNTS_ALL:
        present = frame.occupied.view(np.uint8)
    found = of_groups(grouped, *aggregate_cells(op, values, present, ids, count))
    if op not in COUNTS_ALL:
        found = with_histograms(grouped, found)
    return found.without_empty()


def with_histograms(grouped: Grouped, floats: Frame) -> Frame:
    """The sums of histograms beside those of floats. A group that has both at a step has neither sum."""
    evaluation, node, histograms = grouped.evaluation, grouped.node, grouped.frame.histograms
    if histograms is None:
        return floats
    rows, steps = np.divmod(histograms.cells, floats.steps.count)
    mixed = np.zeros(floats.shape, dtype=np.bool_)
    mixed[grouped.ids[rows], steps] = True
    mixed &= floats.present
    is_mixed = mixed[grouped.ids[rows], steps]
    if is_mixed.any():
        warn_of_mixes(grouped, histograms, mixed)
    frame = replace(grouped.frame, histograms=histograms.pick(~is_mixed))
    totals, _ = totaled(evaluation, node.op, node.expr.pos, frame, grouped.ids)
    return replace(floats, present=floats.present & ~mixed, histograms=totals)


def warn_of_mixes(grouped: Grouped, histograms: Histograms, mixed: Bools) -> None:
    """Tell of groups that have both floats and histograms at a step, and what adding up their histograms would tell. In
    Prometheus nothing is added to a float that comes first, and nothing counts after histograms that do not fit."""
    evaluation, node, frame, ids = grouped.evaluation, grouped.node, grouped.frame, grouped.ids
    first_float, first_histogram = (np.full(mixed.shape, len(frame)) for _ in range(2))
    rows, steps = np.nonzero(frame.present & mixed[ids])
    np.minimum.at(first_float, (ids[rows], steps), rows)
    rows, steps = np.divmod(histograms.cells, frame.steps.count)
    np.minimum.at(first_histogram, (ids[rows], steps), rows)
    leads = (mixed & (first_histogram < first_float))[ids[rows], steps]
    rows, steps = rows[leads], steps[leads]
    added = replace(frame, histograms=histograms.pick(leads))
    _, incompatible = totaled(evaluation, node.op, node.expr.pos, added, ids, in_vain=True)
    rows, steps = rows[incompatible], steps[incompatible]
    before = rows < first_float[ids[rows], steps]
    mixed = mixed.copy()
    mixed[ids[rows[before]], steps[before]] = False
    if mixed.any():
        evaluation.annotations.warn("encountered a mix of histograms and floats for aggregation", node.expr.pos)


def quantile(grouped: Grouped) -> Frame:
    """The quantile of each group."""
    warn_of_quantiles(grouped)
    return of_groups(grouped, *quantile_cells(grouped.parameter, *grouped.cells())).without_empty()


def warn_of_quantiles(grouped: Grouped) -> None:
    """Tell of what is no quantile: not a number, the largest and the smallest one."""
    quantiles, param = grouped.everywhere, grouped.node.param
    if param is None:
        return
    wrong = [np.nan] if np.isnan(quantiles).any() else []
    wrong += [most] if (most := float(quantiles.max())) > 1 else []
    wrong += [least] if (least := float(quantiles.min())) < 0 else []
    for value in wrong:
        text = f"quantile value should be between 0 and 1, got {general(value)}"
        grouped.evaluation.annotations.warn(text, param.pos)


def of_groups(grouped: Grouped, values: memoryview, present: memoryview) -> Frame:
    """A frame with one series a group."""
    shape = (len(grouped.labels), grouped.frame.steps.count)
    drop_name = np.zeros(len(grouped.labels), dtype=np.bool_)
    dropping = grouped.frame.drop_name
    if grouped.frame.steps.is_block and dropping.any():
        dropping = dropping & grouped.frame.has_any
    drop_name[grouped.ids[dropping]] = True
    return Frame(
        grouped.frame.steps,
        grouped.labels,
        np.frombuffer(values, dtype=np.float64).reshape(shape),
        np.frombuffer(present, dtype=np.bool_).reshape(shape),
        drop_name=drop_name,
    )


def extremes(grouped: Grouped) -> Frame:
    """`topk` and `bottomk`: the best series of each group at each step; of an instant query the best one first."""
    frame = grouped.frame
    if not has_places(grouped):
        return empty_frame(frame.steps)
    kept, order = extreme_cells(grouped.node.op == "topk", grouped.parameter, *grouped.cells())
    if frame.steps.whole.count == 1:
        return replace(frame.take(np.frombuffer(order, dtype=np.int64)), ordered=True)
    return frame.where(as_bools(kept, frame))


def limited(grouped: Grouped) -> Frame:
    """`limitk`: some series of each group at each step."""
    frame = grouped.frame
    if not has_places(grouped):
        return empty_frame(frame.steps)
    kept = first_cells(grouped.parameter, frame.occupied.view(np.uint8), grouped.ids, len(grouped.labels))
    return frame.where(as_bools(kept, frame))


def has_places(grouped: Grouped) -> bool:
    """At some step, some series are wanted. Raises QueryFailed when it is not a number of series that is wanted."""
    ks = grouped.everywhere
    if ks.max() < 1:
        return False
    if np.isnan(ks).any():
        raise QueryFailed("Parameter value is NaN")
    if (least := float(ks.min())) <= LEAST_INT64:
        raise QueryFailed(f"Scalar value {general(least)} underflows int64")
    if (most := float(ks.max())) >= MOST_INT64:
        raise QueryFailed(f"Scalar value {general(most)} overflows int64")
    return True


def sampled(grouped: Grouped) -> Frame:
    """`limit_ratio`: about a part of all series, the same ones each time; a negative part is the complement's rest."""
    frame, ratios, param = grouped.frame, grouped.everywhere, grouped.node.param
    if not ratios.any():
        return empty_frame(frame.steps)
    if np.isnan(ratios).any():
        raise QueryFailed("Ratio value is NaN")
    for value, bound in ((float(ratios.max()), 1.0), (float(ratios.min()), -1.0)):
        if param is not None and abs(value) > 1 and value * bound > 0:
            text = f"ratio value should be between -1 and 1, got {general(value)}, capping to {general(bound)}"
            grouped.evaluation.annotations.warn(text, param.pos)
    places = np.frombuffer(frame.labels.ratios(), dtype=np.float64)[:, np.newaxis]
    ratios = np.clip(grouped.parameter, -1.0, 1.0)
    return frame.where(np.where(ratios >= 0, places < ratios, places >= 1.0 + ratios))


def as_bools(flags: memoryview, frame: Frame) -> Bools:
    """One for each cell of the frame."""
    return np.frombuffer(flags, dtype=np.bool_).reshape(frame.shape)


def counted_values(evaluation: Evaluation, node: AggregateExpr, label: str, steps: Steps) -> Frame:
    """`count_values`: how many series of each group have each value, which becomes a label."""
    if not label:
        raise QueryFailed('invalid label name ""')
    frame = evaluation.frame(node.expr, steps)
    names = [name for name in node.grouping if node.without or name != label]
    if node.without and label in names:
        ids, labels = frame.labels.group(names, without=True)
        counting = replace(node, op="count", param=None)
        grouped = Grouped(evaluation, counting, frame, np.frombuffer(ids, dtype=np.uint32), labels, NONE, NONE)
        return replace(folded(grouped), drop_name=np.zeros(len(labels), dtype=np.bool_))
    names += [label] if node.without else []
    evaluation.room(distinct_values(frame, names, without=node.without), steps.count)
    labels, values, present = count_values(
        label, frame.labels, names, node.without, frame.values, frame.present.view(np.uint8)
    )
    shape = (len(labels), steps.count)
    counts = np.frombuffer(values, dtype=np.float64).reshape(shape)
    floats = Frame(steps, labels, counts, np.frombuffer(present, dtype=np.bool_).reshape(shape))
    if frame.histograms is None:
        return floats
    return evaluation.merged(stack(floats, counted_histograms(frame, label, names, without=node.without)))


def distinct_values(frame: Frame, names: list[str], *, without: bool) -> int:
    """How many different floats all groups have together."""
    ids, _ = frame.labels.group(names, without=without)
    groups = np.repeat(np.frombuffer(ids, dtype=np.uint32), np.count_nonzero(frame.present, axis=1))
    values = frame.values[frame.present].view(np.int64)
    pairs = np.unique(np.stack((groups.astype(np.int64), values)), axis=1)
    return int(pairs.shape[1])


def counted_histograms(frame: Frame, label: str, names: list[str], *, without: bool) -> Frame:
    """Likewise of histograms, whose value is their text."""
    ids, groups = frame.labels.group(names, without=without)
    numbers = np.frombuffer(ids, dtype=np.uint32)
    rows: dict[tuple[int, str], int] = {}
    cells = []
    for cell, histogram in zip(*histogram_items(frame), strict=True):
        row, step = divmod(cell, frame.steps.count)
        key = (int(numbers[row]), str(histogram))
        cells.append((rows.setdefault(key, len(rows)), step))
    counts = np.zeros((len(rows), frame.steps.count))
    np.add.at(counts, tuple(np.array(cells, dtype=np.int64).T), 1.0)
    labels = groups.take(np.array([group for group, _ in rows], dtype=np.int64))
    return Frame(frame.steps, labels.with_label(label, [text for _, text in rows]), counts, counts > 0)


def histogram_items(frame: Frame) -> tuple[list[int], list[FloatHistogram]]:
    """The places of the histograms, and the histograms."""
    histograms = frame.histograms
    return ([], []) if histograms is None else (histograms.cells.tolist(), histograms.items.tolist())


OPERATORS: dict[str, Callable[[Grouped], Frame]] = {
    "bottomk": extremes,
    "limit_ratio": sampled,
    "limitk": limited,
    "quantile": quantile,
    "topk": extremes,
}
