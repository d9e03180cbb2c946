"""Requests side by side without disorder: each series has its lane, and a lane one request at a time.

A delivery is divided over as many lanes as it has requests, within the bounds of `queue_config`. Series change lanes
only when their number changes, and before that all that is under way must have arrived.
"""

import asyncio
import math
from collections.abc import Callable, Sequence

import anyio.to_thread

from bridge.forward.bisect import Outcome
from bridge.forward.ordered import SeriesSearch
from bridge.forward.payload import Payload
from bridge.native import Outbound

__all__ = ["Lanes"]

_FULL = 0.95  # of a request: series are dealt out by hash, and a lane with a few more than fit one makes two of them


class Lanes:
    """The way of one sink's samples. Belongs to one event loop."""

    def __init__(self, search: SeriesSearch, *, version: Callable[[], int], least: int, most: int, batch: int) -> None:
        """Between `least` and `most` lanes, for requests of `batch` samples in messages of that version."""
        self._search = search
        self._version = version
        self._least = least
        self._most = most
        self._batch = batch
        self._lanes = [asyncio.Lock() for _ in range(least)]
        self._entrance = asyncio.Lock()
        self._under_way: set[asyncio.Task[Outcome]] = set()

    async def deliver(self, payload: Payload, *, doubtful: bool = False) -> Outcome:
        """Send all of it behind what was given before. Raises Stopped."""
        assert isinstance(payload, Outbound)  # noqa: S101 - the encoder makes nothing else
        async with self._entrance:
            await self._suit(len(payload))
            lanes = self._lanes
            parts = await anyio.to_thread.run_sync(self._divide, payload, len(lanes))
            # Locks are given in the order in which they were asked for, and tasks begin in the order of their making.
            rides = [
                asyncio.create_task(self._ride(lane, part, doubtful=doubtful))
                for lane, part in zip(lanes, parts, strict=True)
                if len(part)
            ]
        self._under_way.update(rides)
        for ride in rides:
            ride.add_done_callback(self._under_way.discard)
        whole = Outcome()
        for outcome in await asyncio.gather(*rides, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
            whole.sent += outcome.sent
            whole.rejected += outcome.rejected
        return whole

    def _divide(self, payload: Outbound, count: int) -> Sequence[Outbound]:
        """A part for each lane, its message made where it is one request: one way to a thread for all of them."""
        parts = payload.shards(count)
        for part in parts:
            if 0 < len(part) <= self._batch:
                part.message(self._version())
        return parts

    async def _suit(self, samples: int) -> None:
        """Have as many lanes as there are requests to be made; fewer only when far fewer will do."""
        wanted = min(max(math.ceil(samples / (self._batch * _FULL)), self._least), self._most)
        if wanted > len(self._lanes) or wanted <= len(self._lanes) // 2:
            if self._under_way:
                await asyncio.wait(self._under_way)
            self._lanes = [asyncio.Lock() for _ in range(wanted)]

    async def _ride(self, lane: asyncio.Lock, samples: Outbound, *, doubtful: bool) -> Outcome:
        async with lane:
            return await self._search.deliver(samples, doubtful=doubtful)
