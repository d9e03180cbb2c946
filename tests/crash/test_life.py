"""Power cuts in a store's whole life: while it takes samples in order and late ones, maps chunks, cuts blocks, makes
larger ones of them, deletes series, cleans up, lets old blocks go, and cuts its log past a reader that is behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.buffer import Directory, Files, Store
from tests.buffer.told_clock import ToldClock
from tests.crash.life import EVERYTHING, RETENTION, STEP, Moment, Owner, contents, live, numbered, open_at
from tests.crash.recording import Disk, remains

pytestmark = pytest.mark.anyio


async def check(data: Path, disk: Disk, moments: list[Moment]) -> None:
    """Open what a crash in the step after the last acknowledged one has left, and go on from there."""
    done = max(disk.acknowledged, default=0)
    before, after = moments[done], moments[min(done + 1, len(moments) - 1)]
    read_only = contents(Directory(Files(), data / "tsdb", ToldClock(after.now)).select(EVERYTHING))
    owner = Owner()
    store = open_at(data, after.now, on_event=owner.see)
    found = contents(store.select(EVERYTHING))
    assert found == read_only
    needed = before.needed.items() & after.allowed.items()
    assert needed <= found.items() <= before.allowed.items() | after.allowed.items()
    new = after.allowed.keys() - before.allowed.keys()
    for t in {t for _, t in new}:  # a batch of its own each
        assert len({at in found for at in new if at[1] == t}) == 1, "half a batch is there"
    assert before.batch <= owner.last <= after.batch
    assert before.seq <= store.seq <= after.seq
    _read_on(store, before, after)

    now = after.now + STEP
    more = {("lasting", now): 0.5, ("new", now): 1.5}
    store.add_owner(owner)
    await store.append(numbered(owner.last + 1, more))
    await store.maintain()
    again = contents(store.select(EVERYTHING))
    kept = {(at, value) for at, value in needed if at[1] >= now - RETENTION}
    assert (found | more).items() >= again.items() >= kept | more.items()
    await store.close()
    assert contents(Directory(Files(), data / "tsdb", ToldClock(now)).select(EVERYTHING)) == again


def _read_on(store: Store, before: Moment, after: Moment) -> None:
    """The reader's place is there, or it has been told what it misses; from there on nothing is missing."""
    position, seq = before.read if before.read[0] >= store.oldest() else after.read
    assert position >= store.oldest()
    while position < store.durable():
        piece, position = store.read(position, 1000, seq=seq)
        assert not piece.samples or piece.seq - piece.samples == seq
        seq = piece.seq if piece.samples else seq
    assert seq == store.seq


async def sweep(tmp_path: Path, *, hours: int, seed: int, every: int) -> None:
    files, moments = await live(tmp_path / "life", hours)
    for disk, _, data in remains(files.record, seed, tmp_path / "remains", every):
        if (data / "tsdb/wal").is_dir():
            await check(data, disk, moments)


async def test_nothing_acknowledged_is_lost_and_nothing_deleted_comes_back(tmp_path: Path) -> None:
    await sweep(tmp_path, hours=30, seed=1, every=97)


@pytest.mark.crash
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2))
async def test_at_every_point(tmp_path: Path, seed: int) -> None:
    await sweep(tmp_path, hours=30, seed=seed, every=1)
