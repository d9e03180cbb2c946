"""Blocking work in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import anyio
import pytest

from bridge.buffer.lane import Lane

pytestmark = pytest.mark.anyio


async def test_work_runs_in_order_in_one_other_thread() -> None:
    lane = Lane("test")
    order: list[tuple[int, str]] = []

    def work(number: int) -> int:
        order.append((number, threading.current_thread().name))
        return number

    results = await asyncio.gather(*(lane.call(partial(work, number)) for number in range(20)))
    lane.stop()
    assert results == list(range(20))
    assert order == [(number, "test") for number in range(20)]


async def test_an_error_reaches_the_caller_and_the_lane_goes_on() -> None:
    lane = Lane("test")

    def fail() -> int:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await lane.call(fail)
    assert await lane.call(lambda: 1) == 1
    lane.stop()


async def test_a_cancelled_caller_does_not_stop_the_work() -> None:
    lane = Lane("test")
    gate, done = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(20)
        done.set()

    caller = asyncio.create_task(lane.call(work))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    gate.set()
    assert await anyio.to_thread.run_sync(done.wait, 20)
    assert await lane.call(lambda: 1) == 1
    lane.stop()


def test_an_answer_for_a_loop_that_has_closed_is_dropped() -> None:
    lane = Lane("test")
    gate = threading.Event()
    answers: list[object] = []

    async def leave() -> None:
        lane.run(lambda: gate.wait(20), lambda *answer: answers.append(answer))

    asyncio.run(leave())
    gate.set()
    lane.stop()
    assert answers == []
