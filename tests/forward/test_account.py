"""The account of a sink adds up whatever happens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.buffer import Position
from bridge.forward import Account
from bridge.forward.account import Landing

counts = st.integers(0, 1000)
landings = st.tuples(
    counts, counts, counts, st.dictionaries(st.sampled_from(["nan", "inf", "stale"]), counts), st.none() | counts
)


@given(st.lists(landings, max_size=20))
def test_every_sample_is_in_one_place(steps: list[tuple[int, int, int, dict[str, int], int | None]]) -> None:
    account = Account(Position(0, 0))
    for n, (sent, dead, missing, lost, newest) in enumerate(steps, 1):
        seq = account.seq + sent + dead + missing + sum(lost.values())
        account = account.after(Landing(Position(0, n), seq, sent, lost, dead, newest))
    assert account.holds
    assert account.expired == sum(step[2] for step in steps)
    assert account.newest == max((step[4] for step in steps if step[4] is not None), default=None)
    assert Account.from_cursor(account.to_cursor()) == account


def test_a_sample_that_is_counted_twice_or_never_is_noticed() -> None:
    account = Account(Position(0, 0)).after(Landing(Position(0, 1), seq=10, sent=11))
    assert not account.holds
