"""Retention, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.buffer.meta import BlockMeta
from bridge.buffer.retention import Limits, Sized, expired, kept_for, replaced
from tests.buffer.metas import meta, ulid

BLOCKS = [Sized(meta(i, mint, maxt), 100) for i, (mint, maxt) in enumerate([(500, 900), (1000, 1500), (1500, 2000)])]


@pytest.mark.parametrize(
    ("limits", "other_bytes", "disk", "gone"),
    [
        (Limits(), 10_000, 10, {}),
        (Limits(time=1200), 0, 0, {}),
        (Limits(time=1101), 0, 0, {}),
        (Limits(time=1100), 0, 0, {0: "time"}),
        (Limits(time=500), 0, 0, {0: "time", 1: "time"}),
        (Limits(time=1), 0, 0, {0: "time", 1: "time"}),  # never the newest
        (Limits(size=300), 0, 0, {}),
        (Limits(size=299), 0, 0, {0: "size"}),
        (Limits(size=300), 1, 0, {0: "size"}),
        (Limits(size=300), 101, 0, {0: "size", 1: "size"}),
        (Limits(size=99), 0, 0, {0: "size", 1: "size", 2: "size"}),  # a limit is a limit
        (Limits(percentage=10), 0, 3000, {}),
        (Limits(percentage=10), 0, 2990, {0: "size"}),
        (Limits(percentage=10, size=10), 0, 3000, {}),  # comes before the size
        (Limits(percentage=10, size=250), 0, 0, {0: "size"}),  # unless the disk's is unknown
        (Limits(percentage=0.5), 0, 20_000, {0: "size", 1: "size"}),
        (Limits(time=500, size=299), 0, 0, {0: "time", 1: "time"}),
    ],
)
def test_what_crosses_a_limit_goes(limits: Limits, other_bytes: int, disk: int, gone: dict[int, str]) -> None:
    found = expired(BLOCKS, limits, other_bytes=other_bytes, disk=disk)
    assert found == {ulid(number): cause for number, cause in gone.items()}


def test_a_block_of_which_nothing_is_left_goes() -> None:
    blocks = [Sized(meta(1, 0, 10, deletable=True), 1), Sized(meta(2, 10, 20), 1)]
    assert expired(blocks, Limits()) == {ulid(1): "empty"}


def test_an_empty_store_has_nothing_to_lose() -> None:
    assert expired([], Limits(time=1, size=1, percentage=1), disk=1) == {}


A = meta(1, 0, 10)
B = meta(2, 10, 20)
AB = meta(3, 0, 20, parents=(A, B))
ABC = meta(4, 0, 30, parents=(AB,))
SELF = meta(5, 0, 10, parents=(meta(5, 0, 10),))
LEFT = meta(6, 0, 10, parents=(meta(7, 0, 10),))
RIGHT = meta(7, 0, 10, parents=(meta(6, 0, 10),))


@pytest.mark.parametrize(
    ("loaded", "others", "gone"),
    [
        ([A, B], [], set()),
        ([A, B, AB], [], {1, 2}),
        ([AB], [], {1, 2}),  # named even if they are gone already
        ([A, B, AB, ABC], [], {1, 2, 3}),
        ([A, B, ABC], [AB], {1, 2, 3}),  # the one between is damaged: what replaces it replaces its parents
        ([A, B], [AB], set()),  # it would replace them, but cannot be read
        ([SELF], [], set()),
        ([LEFT, RIGHT], [], set()),
    ],
)
def test_what_a_loaded_block_replaces_goes(loaded: list[BlockMeta], others: list[BlockMeta], gone: set[int]) -> None:
    assert replaced(loaded, others) == {ulid(number) for number in gone}


spans = st.lists(st.tuples(st.integers(-500, 500), st.integers(1, 90), st.integers(0, 50)), max_size=12)
limits = st.builds(Limits, st.integers(0, 1000), st.integers(0, 500), st.floats(0, 100))


@given(spans, limits, st.integers(0, 300), st.integers(0, 1000))
def test_what_stays_is_newer_and_within_the_limits(
    given_spans: list[tuple[int, int, int]], given_limits: Limits, other: int, disk: int
) -> None:
    blocks = [Sized(meta(i, start, start + length), size) for i, (start, length, size) in enumerate(given_spans)]
    gone = expired(blocks, given_limits, other_bytes=other, disk=disk)
    stays = [block for block in blocks if block.meta.ulid not in gone]
    goes = [block for block in blocks if block.meta.ulid in gone]
    if stays and goes:
        assert min(block.meta.maxt for block in stays) >= max(block.meta.maxt for block in goes)
    if blocks and "size" not in gone.values():
        assert max(blocks, key=lambda block: block.meta.maxt).meta.maxt in {block.meta.maxt for block in stays}
    if given_limits.bytes(disk) and stays:
        assert other + sum(block.size for block in stays) <= given_limits.bytes(disk)
    if given_limits.time and stays:
        newest = max(block.meta.maxt for block in stays)
        assert all(newest - block.meta.maxt < given_limits.time for block in stays)
    if goes:  # nothing went in vain: with the newest of them (or one of several such), a limit would be crossed
        newest, edge = max(b.meta.maxt for b in blocks), max(b.meta.maxt for b in goes)
        limit, kept = given_limits.bytes(disk), other + sum(b.size for b in stays)
        too_large = limit and any(kept + b.size > limit for b in goes if b.meta.maxt == edge)
        assert too_large or (given_limits.time and newest - edge >= given_limits.time)


@given(st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9)), min_size=1))
def test_some_block_always_stays(graph: dict[int, set[int]]) -> None:
    blocks = [meta(n, 0, 10, parents=tuple(meta(p, 0, 10) for p in sorted(ps))) for n, ps in graph.items()]
    gone = replaced(blocks)
    for block in blocks:
        if block.ulid in gone:  # whatever goes is named by something that was loaded
            assert any(block.ulid in {p.ulid for p in other.compaction.parents} for other in blocks if other != block)
    assert {block.ulid for block in blocks} - gone


def test_samples_are_kept_for_the_shorter_of_what_time_and_size_allow() -> None:
    blocks = [Sized(meta(0, 0, 100), 600), Sized(meta(1, 100, 200), 300)]

    def kept(**limits: int) -> int | None:
        return kept_for(blocks, Limits(**limits), newest=250, other_bytes=100)

    assert kept() is None
    assert kept(time=70) == 70
    assert kept(size=2000) == 500, "1000 bytes are 250 ms"
    assert (kept(time=400, size=2000), kept(time=600, size=2000)) == (400, 500)
    assert kept_for(blocks, Limits(percentage=10.0), newest=250, other_bytes=100, disk=5000) == 125
    assert kept_for([], Limits(size=2000), newest=None) is None
