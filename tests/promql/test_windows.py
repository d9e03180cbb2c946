"""The core's loops over samples, against the plainest way to say what they do."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.native import Cells, LabelSets, Samples, aggregate_cells
from tests.promql.script import STALE

Series = list[tuple[int, float]]

VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from((0.0, math.nan, math.inf, STALE)))
SERIES = st.lists(st.tuples(st.integers(0, 400), VALUES), max_size=30, unique_by=lambda sample: sample[0]).map(sorted)
ENDS = st.lists(st.integers(-50, 500), min_size=1, max_size=12).map(sorted)


def samples_of(*series: Series) -> Samples:
    labels = LabelSets([{"n": str(n)} for n in range(len(series))])
    return Samples.of_rows(labels, [([(t, value, 0) for t, value in one], []) for one in series])


def table(cells: Cells, series: int, steps: int) -> list[list[float | None]]:
    rows = np.frombuffer(cells.take_rows(), dtype=np.int64).tolist()
    values = np.frombuffer(cells.take_values(), dtype=np.float64).reshape(-1, steps).tolist()
    present = np.frombuffer(cells.take_present(), dtype=np.uint8).reshape(-1, steps).tolist()
    found: list[list[float | None]] = [[None] * steps for _ in range(series)]
    for row, of_values, there in zip(rows, values, present, strict=True):
        found[row] = [value if is_there else None for value, is_there in zip(of_values, there, strict=True)]
    return found


def is_stale(value: float) -> bool:
    return bool(np.float64(value).view(np.uint64) == np.float64(STALE).view(np.uint64))


def same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6) or a == b


@given(st.lists(SERIES, max_size=4), ENDS, st.integers(1, 200))
def test_the_latest_sample_is_seen_until_it_is_too_old(series: list[Series], ats: list[int], delta: int) -> None:
    cells = samples_of(*series).lookback(np.array(ats, dtype=np.int64), delta, "value")
    for one, found in zip(series, table(cells, len(series), len(ats)), strict=True):
        for at, got in zip(ats, found, strict=True):
            seen = [(t, value) for t, value in one if at - delta < t <= at or t <= at]
            latest = seen[-1] if seen else None
            wanted = None
            if latest is not None and latest[0] > at - delta and not is_stale(latest[1]):
                wanted = latest[1]
            assert same(got, wanted)


def changes(values: list[float]) -> float:
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairwise(values)))


def resets(values: list[float]) -> float:
    return float(sum(b < a for a, b in pairwise(values)))


Of = Callable[[list[float]], float]
OF_WINDOW: dict[str, Of] = {
    "count_over_time": len,
    "last_over_time": lambda values: values[-1],
    "first_over_time": lambda values: values[0],
    "changes": changes,
    "resets": resets,
}
FOLDS: dict[str, Of] = {"sum": math.fsum, "min": min, "max": max, "count": len, "avg": statistics.fmean}
CELLS = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=3, max_size=3)


@given(SERIES, ENDS, st.integers(1, 200))
def test_a_window_is_open_to_the_left_and_has_no_stale_markers(series: Series, ends: list[int], reach: int) -> None:
    samples = samples_of(series)

    def found(function: str) -> list[float | None]:
        times = np.array(ends, dtype=np.int64)
        cells = samples.over_windows(function, times, times, reach, [], edges="plain", delta=0, starts=False)
        return table(cells, 1, len(ends))[0]

    windows = [[v for t, v in series if end - reach < t <= end and not is_stale(v)] for end in ends]
    for name, wanted in OF_WINDOW.items():
        for values, got in zip(windows, found(name), strict=True):
            assert same(got, wanted(values) if values else None), name
    finite = [all(map(math.isfinite, values)) for values in windows]
    for values, is_finite, total, mean in zip(
        windows, finite, found("sum_over_time"), found("avg_over_time"), strict=True
    ):
        if values and is_finite:
            assert same(total, math.fsum(values))
            assert same(mean, statistics.fmean(values))


@given(st.lists(st.tuples(st.integers(0, 3), CELLS)))
def test_groups_are_folded_step_by_step(rows: list[tuple[int, list[float | None]]]) -> None:
    values = np.array([[value or 0.0 for value in row] for _, row in rows], dtype=np.float64).reshape(-1, 3)
    present = np.array([[value is not None for value in row] for _, row in rows], dtype=np.uint8).reshape(-1, 3)
    ids = np.array([group for group, _ in rows], dtype=np.uint32)
    for name, fold in FOLDS.items():
        found, there = aggregate_cells(name, values, present, ids, 4 if rows else 0)
        got = np.frombuffer(found, dtype=np.float64).reshape(-1, 3)
        is_there = np.frombuffer(there, dtype=np.uint8).reshape(-1, 3)
        for group in range(len(got)):
            for step in range(3):
                members = [cell for number, row in rows if number == group and (cell := row[step]) is not None]
                assert bool(is_there[group, step]) == bool(members)
                assert not members or same(float(got[group, step]), float(fold(members)))
