"""Tables of series x steps, and the label sets beside them."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.native import LabelSets
from bridge.promql.frame import Frame, Histograms, Steps, handles

STEPS = Steps(0, 10, 3)


def frame() -> Frame:
    """Three series: floats at steps 0 and 1; histograms at 0 and 2; a histogram, nothing, a float."""
    present = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]], dtype=np.bool_)
    histograms = Histograms(np.array([3, 5, 6]), handles(["h", "i", "j"]))
    labels = LabelSets([{"n": "0"}, {"n": "1"}, {"n": "2"}])
    return Frame(STEPS, labels, np.arange(9.0).reshape(3, 3), present, histograms)


def cells(of: Frame) -> list[list[object]]:
    table: list[list[object]] = [
        [value if there else None for value, there in zip(*row, strict=True)]
        for row in zip(of.values.tolist(), of.present.tolist(), strict=True)
    ]
    if of.histograms is not None:
        for cell, item in zip(of.histograms.cells.tolist(), of.histograms.items, strict=True):
            table[cell // of.steps.count][cell % of.steps.count] = item
    return table


def test_series_are_taken_with_their_histograms() -> None:
    taken = frame().take(np.array([2, 1, 1]))
    assert taken.labels.values("n") == ["2", "1", "1"]
    assert cells(taken) == [["j", None, 8.0], ["h", None, "i"], ["h", None, "i"]]
    assert taken.samples == 6


def test_series_without_a_cell_left_are_gone() -> None:
    kept = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=np.bool_)
    left = frame().where(kept)
    assert left.labels.values("n") == ["0", "2"]
    assert cells(left) == [[None, 1.0, None], ["j", None, None]]
    assert cells(frame().floats()) == [[0.0, 1.0, None], [None, None, 8.0]]


def test_one_step_spreads_over_many() -> None:
    one = Frame(
        STEPS.first(), LabelSets([{"n": "0"}, {"n": "1"}]), np.array([[4.0], [0.0]]), np.array([[True], [False]])
    )
    one = Frame(one.steps, one.labels, one.values, one.present, Histograms(np.array([1]), handles(["h"])))
    assert cells(one.spread(STEPS)) == [[4.0] * 3, ["h"] * 3]


def test_groups_and_matches_are_numbered() -> None:
    sets = LabelSets([{"__name__": "m", "a": "1", "b": "2"}, {"a": "2"}, {"a": "1"}])
    ids, groups = sets.group(["a"], without=False)
    assert np.frombuffer(ids, dtype=np.uint32).tolist() == [0, 1, 0]
    assert [groups.labels(n) for n in range(len(groups))] == [{"a": "1"}, {"a": "2"}]
    left, right, keys = sets.match_groups(LabelSets([{"a": "2", "b": "9"}]), ["b"], without=True)
    assert np.frombuffer(left, dtype=np.uint32).tolist() == [0, 1, 0]
    assert (np.frombuffer(right, dtype=np.uint32).tolist(), len(keys)) == ([1], 2)


def test_labels_change_without_becoming_dicts() -> None:
    sets = LabelSets([{"__name__": "m", "b": "1"}, {"c": "2", "empty": ""}])
    assert sets.without_metadata(np.array([1, 0], dtype=np.uint8)).labels(0) == {"b": "1"}
    assert sets.with_label("a", ["x", None]).text(0) == '{__name__="m", a="x", b="1"}'
    assert sets.with_label("c", [None, ""]).labels(1) == {}
    assert sets.duplicates() is None
    order = sets.order()
    assert order is None
    with pytest.raises(IndexError):
        sets.labels(2)
    with pytest.raises(ValueError, match="without a name"):
        LabelSets([{"": "x"}])
