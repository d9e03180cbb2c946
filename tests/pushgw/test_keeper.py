"""What becomes of groups while nobody pushes, by a clock that is told the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.buffer import Files, State, Store
from bridge.config import Duration, Push
from bridge.edge import Gate
from bridge.native import PushTable
from bridge.pushgw import SCHEMA, Groups, Keeper, Projection, PushMetrics
from tests.buffer.samples import open_store
from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.pushgw.test_groups import families, key

pytestmark = pytest.mark.anyio

BEGIN = 1_700_000_000_250  # a quarter of a second beyond a multiple of any interval


@contextlib.asynccontextmanager
async def kept(folder: Path, clock: ToldClock, settings: Push) -> AsyncIterator[tuple[Store, Groups]]:
    """Groups of a store that somebody looks after."""
    store, table = open_store(folder, clock=clock), PushTable()
    groups = Groups(table, store, settings, clock)
    store.on_commit(groups.batch_committed)
    state = State.open(folder / "state.db", [SCHEMA], Files())
    metrics = PushMetrics(CollectorRegistry(), table, Gate(1 << 20))
    keeper = Keeper(groups, Projection(state), settings, durable=store.durable, clock=clock, metrics=metrics)
    chores = asyncio.create_task(keeper.run())
    try:
        yield store, groups
    finally:
        chores.cancel()
        await asyncio.wait({chores})
        await store.close()
        await state.close()


async def pass_time(clock: ToldClock, to: int) -> None:
    """Let it be `to`: the time goes by from one chore to the next, and only while all three of them wait for it."""
    while clock.now < to:
        await until(lambda: clock.waiting == 3)
        clock.tell(min(clock.due or to, to))
    await until(lambda: clock.waiting == 3)


def times(store: Store, name: str) -> list[int]:
    """Of all samples of a series, held ones among them."""
    (series,) = store.select([("__name__", "=", name)], held=True)
    return list(series.timestamps)


async def test_values_are_held_on_the_grid_of_the_interval(tmp_path: Path) -> None:
    clock = ToldClock(BEGIN)
    async with kept(tmp_path, clock, Push(hold_interval=Duration("1s"))) as (store, groups):
        await groups.push(key("x"), families("a 1\n"), replace=True)
        await pass_time(clock, BEGIN + 3_000)
        # A little late, for timers may be early.
        assert times(store, "a") == [BEGIN, *(BEGIN - 250 + second * 1000 + 2 for second in range(1, 4))]


async def test_a_life_ends_when_it_is_over_and_not_before(tmp_path: Path) -> None:
    clock = ToldClock(BEGIN)
    async with kept(tmp_path, clock, Push()) as (_, groups):
        await groups.push(key("x"), families("a 1\n"), replace=True, ttl_ms=2_500)
        await pass_time(clock, BEGIN + 2_400)
        assert groups.table.groups == 1
        await pass_time(clock, BEGIN + 3_000)
        assert groups.table.groups == 0
