"""Names of blocks."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.buffer.ulid import ZERO, new_ulid, parse_ulid, ulid_time

times = st.integers(0, (1 << 48) - 1)
entropies = st.binary(min_size=10, max_size=10)


def test_the_example_of_the_specification() -> None:
    assert new_ulid(1469918176385, lambda size: b"\xff" * size) == "01ARYZ6S41ZZZZZZZZZZZZZZZZ"


@given(times, entropies)
def test_a_new_one_is_strict_and_says_its_time(time: int, entropy: bytes) -> None:
    ulid = new_ulid(time, lambda _: entropy)
    assert parse_ulid(ulid) == parse_ulid(ulid.lower()) == ulid
    assert ulid_time(ulid) == time


@given(st.tuples(times, entropies), st.tuples(times, entropies))
def test_texts_sort_by_time_then_entropy(one: tuple[int, bytes], other: tuple[int, bytes]) -> None:
    ulids = [new_ulid(time, lambda _, entropy=entropy: entropy) for time, entropy in (one, other)]  # type: ignore[misc]
    assert (ulids[0] < ulids[1]) == (one < other)


@pytest.mark.parametrize(("time", "read"), [(-5, 0), (1 << 60, (1 << 48) - 1)])
def test_a_clock_beyond_all_bounds_still_names_blocks(time: int, read: int) -> None:
    assert ulid_time(new_ulid(time, os.urandom)) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wal",
        ZERO[1:],
        ZERO + "0",
        "8" + ZERO[1:],  # 129 bits
        ZERO[1:] + "U",  # I, L, O and U are not in the alphabet
        ZERO[1:] + "\n",
        ZERO + ".tmp",
        ZERO[1:] + "\u0131",  # upper() makes an I of it
    ],
)
def test_what_is_no_ulid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a ULID"):
        parse_ulid(text)
