"""Sets of numbers in runs behave as sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.forward import Ranges

runs = st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda run: (run[0], run[0] + run[1]))


@given(st.lists(st.tuples(st.booleans(), runs), max_size=30), runs)
def test_as_a_set(changes: list[tuple[bool, tuple[int, int]]], probe: tuple[int, int]) -> None:
    ranges, model = Ranges(), set[int]()
    for adds, (first, last) in changes:
        members = set(range(first, last + 1))
        if adds:
            ranges.add(first, last)
            model |= members
        else:
            ranges.remove(first, last)
            model -= members
        assert list(ranges) == sorted(model)
        assert len(ranges) == len(model)
        gaps = [b - a for (_, a), (b, _) in zip(ranges.runs(), ranges.runs()[1:], strict=False)]
        assert all(gap > 1 for gap in gaps), "runs that touch are one run"
    assert ranges.covers(*probe) == (set(range(probe[0], probe[1] + 1)) <= model)
    assert (probe[0] in ranges) == (probe[0] in model)
