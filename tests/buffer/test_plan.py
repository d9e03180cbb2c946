"""The planner, as tables; most rows are those of Prometheus' own tests of its leveled compactor."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.buffer.meta import BlockMeta
from bridge.buffer.plan import Plan, block_ranges, head_is_compactable, next_boundary, plan
from tests.buffer.metas import meta, ulid

RANGES = (20, 60, 180, 540, 1620)
HOUR = 3_600_000
DAY = 24 * HOUR
STALE, SELECTED, LATE = "from-stale-series", "from-selected-series", "from-out-of-order"


class Case(NamedTuple):
    """Blocks by number, and the numbers of those to compact."""

    name: str
    blocks: list[BlockMeta]
    expected: list[int]
    reason: str = "range"


NEIGHBOURS = [
    Case("no block", [], []),
    Case("one block is the newest", [meta(1, 0, 20)], []),
    Case("two: the newest does not count", [meta(1, 0, 20), meta(2, 20, 40)], []),
    Case("three fill a range, but one of them is the newest", [meta(i, 20 * i, 20 * i + 20) for i in range(3)], []),
    Case("a fourth settles the three", [meta(i, 20 * i, 20 * i + 20) for i in range(4)], [0, 1, 2]),
    Case("a gap, and the newest right behind it", [meta(1, 0, 20), meta(2, 20, 40), meta(3, 60, 80)], []),
    Case(
        "a gap that nothing can fill any more",
        [meta(1, 0, 20), meta(2, 20, 40), meta(3, 60, 80), meta(4, 80, 100)],
        [1, 2],
    ),
    Case(
        "small ones before larger ones",
        [meta(1, 0, 20), meta(2, 20, 40), meta(3, 40, 60), meta(4, 60, 120), meta(5, 120, 180)],
        [1, 2, 3],
    ),
    Case(
        "different lengths, in any order",
        [meta(2, 20, 40), meta(4, 60, 120), meta(5, 960, 980), meta(6, 120, 180), meta(7, 720, 960)],
        [2, 4, 6],
    ),
    Case(
        "the newest is the latest by time, not by name",
        [meta(5, 0, 360), meta(6, 540, 560), meta(7, 360, 420), meta(8, 420, 540)],
        [7, 8],
    ),
    Case("times before 1970", [meta(i, 20 * i - 60, 20 * i - 40) for i in range(4)], [0, 1, 2]),
    Case("nothing crosses a range", [meta(1, 40, 60), meta(2, 60, 80), meta(3, 80, 100)], []),
    Case("what lies askew joins nothing", [meta(1, 0, 20), meta(2, 50, 70), meta(3, 70, 90), meta(4, 200, 220)], []),
]

TOMBSTONES = [
    Case("a large block with many is the newest", [meta(1, 0, 540, series=10, tombstones=3)], []),
    Case(
        "a large block with many",
        [meta(1, 0, 540, series=10, tombstones=3), meta(2, 540, 560)],
        [1],
        "tombstones",
    ),
    Case("a small block with many", [meta(1, 0, 60, series=10, tombstones=3), meta(2, 60, 80)], []),
    Case(
        "a small block of which nothing may be left",
        [meta(1, 0, 60, series=10, tombstones=10), meta(2, 60, 80)],
        [1],
        "tombstones",
    ),
    Case("neither series nor tombstones", [meta(1, 0, 540), meta(2, 540, 560)], []),
    Case("one in twenty is not enough", [meta(1, 0, 540, series=19, tombstones=1), meta(2, 540, 560)], []),
    Case("more is", [meta(1, 0, 540, series=18, tombstones=1), meta(2, 540, 560)], [1], "tombstones"),
    Case(
        "the newest of the large ones first",
        [meta(1, 0, 540, series=1, tombstones=9), meta(2, 540, 1080, series=1, tombstones=9), meta(3, 1080, 1100)],
        [2],
        "tombstones",
    ),
    Case(
        "a small one hides the older ones until it has grown",
        [meta(1, 0, 540, series=1, tombstones=9), meta(2, 540, 560), meta(3, 1080, 1100)],
        [],
    ),
]

OVERLAPS = [
    Case("by a moment", [meta(1, 0, 20), meta(2, 19, 40), meta(3, 40, 60)], [1, 2]),
    Case("the newest too", [meta(1, 0, 20), meta(2, 20, 40), meta(3, 30, 50)], [2, 3]),
    Case("a chain", [meta(1, 0, 20), meta(2, 10, 40), meta(3, 30, 50)], [1, 2, 3]),
    Case(
        "under a long one",
        [meta(5, 0, 360), meta(6, 340, 560), meta(7, 360, 420), meta(8, 420, 540)],
        [5, 6, 7, 8],
    ),
    Case("the first of two runs", [meta(1, 0, 10), meta(2, 9, 20), meta(3, 30, 40), meta(4, 39, 50)], [1, 2]),
    Case("two of the same range", [meta(1, 0, 20), meta(2, 0, 20, hints=(LATE,))], [1, 2]),
    Case("even after a failure", [meta(1, 0, 20, failed=True), meta(2, 10, 20)], [1, 2]),
]

FAILURES = [
    Case("a full range", [meta(i, 20 * i, 20 * i + 20, failed=i == 1) for i in range(4)], []),
    Case(
        "an ended range",
        [meta(1, 0, 20), meta(2, 20, 40, failed=True), meta(3, 60, 80), meta(4, 80, 100)],
        [],
    ),
    Case(
        "keeps larger ranges from growing around it",
        [
            *(meta(i, 20 * i, 20 * i + 20, failed=i == 1) for i in range(3)),
            meta(4, 60, 120),
            meta(5, 120, 180),
            meta(6, 180, 200),
        ],
        [],
    ),
    Case(
        "does not stop the next range",
        [*(meta(i, 20 * i, 20 * i + 20, failed=i == 1) for i in range(6)), meta(7, 120, 140)],
        [3, 4, 5],
    ),
]


def stale(number: int, mint: int, maxt: int) -> BlockMeta:
    return meta(number, mint, maxt, hints=(STALE,))


PARTIAL = [
    Case(
        "stay apart from whole ones",
        [meta(1, 0, 20), stale(9, 0, 20), meta(2, 20, 40), meta(3, 40, 60), meta(4, 60, 80)],
        [1, 2, 3],
    ),
    Case("join their kind", [stale(i, 20 * i, 20 * i + 20) for i in range(4)], [0, 1, 2]),
    Case(
        "come when whole ones have nothing to do",
        [meta(9, 0, 20), *(stale(i, 20 * i, 20 * i + 20) for i in range(4))],
        [0, 1, 2],
    ),
    Case(
        "two kinds of them stay apart too",
        [stale(1, 0, 20), meta(2, 0, 20, hints=(SELECTED,)), meta(3, 60, 80)],
        [],
    ),
]

AHEAD = [
    Case(
        "of whole ones stay apart, for what came in order beside them is in memory",
        [meta(1, 0, 20), meta(2, 20, 40), meta(3, 40, 60, hints=(LATE,)), meta(4, 60, 80, hints=(LATE,))],
        [],
    ),
    Case(
        "join when whole ones have come as far",
        [meta(1, 0, 20), meta(2, 20, 40), meta(3, 40, 60, hints=(LATE,)), meta(4, 60, 80)],
        [1, 2, 3],
    ),
]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{table}: {case.name}")
        for table, cases in [
            ("neighbours", NEIGHBOURS),
            ("tombstones", TOMBSTONES),
            ("overlaps", [case._replace(reason="overlap") for case in OVERLAPS]),
            ("failed", FAILURES),
            ("partial", PARTIAL),
            ("late ones ahead", AHEAD),
        ]
        for case in cases
    ],
)
def test_plan(case: Case) -> None:
    found = plan(case.blocks, RANGES)
    assert [block.ulid for block in found.blocks] == [ulid(i) for i in case.expected] if found else not case.expected
    assert found is None or found.reason == case.reason


def test_with_one_range_nothing_grows() -> None:
    assert plan([meta(i, 20 * i, 20 * i + 20) for i in range(9)], (20,)) is None


@pytest.mark.parametrize(
    ("retention", "longest", "ranges"),
    [
        (15 * DAY, None, (2, 6, 18)),
        (0, None, (2, 6, 18, 54, 162, 486)),
        (3650 * DAY, None, (2, 6, 18, 54, 162, 486)),
        (HOUR, None, (2,)),
        (15 * DAY, 2 * HOUR, (2,)),
        (15 * DAY, 54 * HOUR, (2, 6, 18, 54)),
        (0, 10_000 * DAY, tuple(2 * 3**k for k in range(10))),
    ],
)
def test_ranges(retention: int, longest: int | None, ranges: tuple[int, ...]) -> None:
    assert block_ranges(retention, longest) == tuple(hours * HOUR for hours in ranges)


@pytest.mark.parametrize(("t", "end"), [(0, 20), (19, 20), (20, 40), (-1, 0), (-20, 0), (-21, -20)])
def test_the_next_boundary_lies_after(t: int, end: int) -> None:
    assert next_boundary(t, 20) == end


def test_memory_is_compactable_beyond_three_hours() -> None:
    assert not head_is_compactable(HOUR, 4 * HOUR)
    assert head_is_compactable(HOUR, 4 * HOUR + 1)


# -- properties: a life of a store in which the planner's wishes come true --------------------------------------------

cells = st.sets(st.integers(-200, 200), min_size=1, max_size=60)


def settle(blocks: list[BlockMeta]) -> tuple[list[BlockMeta], list[Plan]]:
    """Do what the planner wants until it wants nothing."""
    done: list[Plan] = []
    while found := plan(blocks, RANGES):
        done.append(found)
        assert len(done) <= 500, "it never ends"
        name = ulid(10_000 + len(done))
        blocks = [block for block in blocks if block not in found.blocks] + [BlockMeta.merged(name, found.blocks)]
    return sorted(blocks, key=lambda block: block.mint), done


@given(cells, st.randoms())
def test_aligned_blocks_stay_aligned_and_never_overlap(starts: set[int], chance: object) -> None:
    blocks = [meta(i, 20 * start, 20 * start + 20) for i, start in enumerate(starts)]
    chance.shuffle(blocks)  # type: ignore[attr-defined]
    newest = max(blocks, key=lambda block: block.mint)
    settled, plans = settle(blocks)
    assert all(one.maxt <= other.mint for one, other in pairwise(settled))
    assert newest in settled, "the newest block was touched"
    for found in plans:
        mint, maxt = found.blocks[0].mint, found.blocks[-1].maxt
        assert found.reason == "range"
        assert any(mint // length == (maxt - 1) // length for length in RANGES), "it crosses a range"
        inside = [block for block in found.blocks if mint <= block.mint < maxt]
        assert list(found.blocks) == sorted(inside, key=lambda block: block.mint)
    assert {source for block in settled for source in block.compaction.sources} == {ulid(i) for i in range(len(starts))}


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(1, 99)), min_size=1, max_size=20))
def test_whatever_overlaps_is_resolved(spans: list[tuple[int, int]]) -> None:
    blocks = [meta(i, start, start + length) for i, (start, length) in enumerate(spans)]
    settled, _ = settle(blocks)
    assert all(one.maxt <= other.mint for one, other in pairwise(settled))
    covered = {t for block in blocks for t in range(block.mint, block.maxt)}
    assert covered <= {t for block in settled for t in range(block.mint, block.maxt)}


@given(cells, st.data())
def test_a_plan_leaves_out_no_block_between_its_ends(starts: set[int], data: st.DataObject) -> None:
    hints = st.sampled_from([(), (LATE,), (STALE,), (SELECTED,)])
    blocks = [
        meta(i, 20 * start, 20 * start + 20, hints=data.draw(hints), failed=data.draw(st.integers(0, 9)) == 0)
        for i, start in enumerate(starts)
    ]
    found = plan(blocks, RANGES)
    if found is None:
        return
    partial = {frozenset(block.compaction.hints) - {LATE} for block in found.blocks}
    assert len(partial) == 1, "kinds were mixed"
    kind = [block for block in blocks if frozenset(block.compaction.hints) - {LATE} in partial]
    mint, maxt = found.blocks[0].mint, found.blocks[-1].maxt
    assert {block for block in kind if mint <= block.mint < maxt} == set(found.blocks)
