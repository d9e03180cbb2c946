"""How a delivery is divided over lanes, and that each series keeps its order whatever the lanes do."""

from __future__ import annotations

import random
from collections import Counter

import anyio
import anyio.lowlevel
import pytest

from bridge.forward.bisect import Outcome
from bridge.forward.lanes import Lanes
from bridge.native import Outbound
from tests.edge.serving import until

pytestmark = pytest.mark.anyio

BATCH = 100


def samples(count: int, t: int = 1) -> Outbound:
    """One sample each of so many series."""
    return Outbound.from_lines([f'{{n="{n}"}} 1 {t}' for n in range(count)])


class Search:
    """Takes what a lane gives it, `held` until it is let go, and then in any time up to the `slowest`."""

    def __init__(self, *, held: bool = False, slowest: float = 0.0) -> None:
        self.slowest = slowest  # seconds
        self.parts: list[Outbound] = []
        self.taken: list[bytes] = []
        self.go_on = anyio.Event()
        if not held:
            self.go_on.set()

    async def deliver(self, part: Outbound, *, doubtful: bool = False) -> Outcome:
        """Note a part when it begins, and its samples when it ends."""
        assert not doubtful
        self.parts.append(part)
        await self.go_on.wait()
        await anyio.sleep(random.uniform(0, self.slowest))
        self.taken += [part.line(index) for index in range(len(part))]
        return Outcome(sent=len(part))


def lanes_of(search: Search, *, least: int = 1, most: int = 50, version: int = 2) -> Lanes:
    return Lanes(search, version=lambda: version, least=least, most=most, batch=BATCH)  # type: ignore[arg-type]


async def parts(lanes: Lanes, search: Search, count: int) -> int:
    """Into how many parts that many samples are divided."""
    search.parts.clear()
    assert (await lanes.deliver(samples(count))).sent == count
    assert sum(map(len, search.parts)) == count
    return len(search.parts)


@pytest.mark.parametrize(
    ("count", "wanted"), [(1, 1), (95, 1), (96, 2), (190, 2), (191, 3), (950, 10), (951, 11), (1000, 11)]
)
async def test_a_lane_is_left_some_room(count: int, wanted: int) -> None:
    """As many as there are requests of 95 % of their size: with less room, lanes that get a few more would make two."""
    search = Search()
    assert await parts(lanes_of(search), search, count) == wanted


async def test_lanes_stay_within_their_bounds() -> None:
    search = Search()
    few = lanes_of(search, least=4, most=6)
    assert [await parts(few, search, count) for count in (50, 450, 2000)] == [4, 5, 6]


async def test_lanes_are_not_closed_for_a_little_less() -> None:
    search = Search()
    lanes = lanes_of(search)
    assert await parts(lanes, search, 1000) == 11
    assert await parts(lanes, search, 480) == 11, "six would do, and five are half of them"
    assert await parts(lanes, search, 470) == 5
    assert await parts(lanes, search, 480) == 6, "more are opened at once"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_part_that_is_one_request_has_its_message(version: int) -> None:
    search = Search()
    lanes = lanes_of(search, version=version)
    await lanes.deliver(samples(1000))
    assert all(part.made(version) is not None for part in search.parts if len(part) <= BATCH)
    assert all(part.made(3 - version) is None for part in search.parts)
    search.parts.clear()
    await lanes_of(search, most=2, version=version).deliver(samples(1000))
    assert {len(part) > BATCH for part in search.parts} == {True}
    assert all(part.made(version) is None for part in search.parts), (
        "it is sent in several requests, which are made then"
    )


async def test_a_series_keeps_its_order_when_lanes_change() -> None:
    search = Search(slowest=0.01)
    lanes = lanes_of(search, most=8)
    left = Outbound.from_lines([f'{{n="{n}"}} 1 {t}' for n in range(400) for t in range(30)])
    of_times = []
    while len(left):
        newest, left = left.split_newest()
        of_times.append(newest)
    async with anyio.create_task_group() as tasks:
        for samples in reversed(of_times):
            tasks.start_soon(lanes.deliver, samples.slice(0, random.choice((40, 200, 400))))
            await anyio.lowlevel.checkpoint()
    last: Counter[bytes] = Counter()
    for line in search.taken:
        series, _, t = line.rpartition(b" ")
        assert int(t) >= last[series]
        last[series] = int(t)


async def test_lanes_change_when_nothing_is_under_way() -> None:
    search = Search(held=True)
    lanes = lanes_of(search)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lanes.deliver, samples(150))
        await until(lambda: len(search.parts) == 2)
        tasks.start_soon(lanes.deliver, samples(1000, 2))
        for _ in range(20):
            await anyio.sleep(0.005)
            assert len(search.parts) == 2
        search.go_on.set()
    assert len(search.parts) == 2 + 11
