"""Push groups: staged in the table, made durable in the store, then shown.

The log is the commit point. A group's change travels in the same batch as the samples of its push, so the two are
there together or
not at all; what SQLite keeps of the groups (`projection.py`) is a copy that is rolled forward from the log at start.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from bridge.clock import Clock
from bridge.config import Push
from bridge.errors import Inconsistent, LimitReached, Unavailable
from bridge.native import AppendRefused, Batch, Families, PushRefused, PushTable, PushTicket
from bridge.pushgw.path import Key

__all__ = ["Groups", "Log", "Selector"]

Selector = Sequence[tuple[str, str, str]]
"""Matchers as (label name, operator, value)."""

AT_ONCE = 256  # deletions on their way together: they share fsyncs, and pushes find their turn in between
INCONSISTENT = "pushed metrics are invalid or inconsistent with existing metrics: "


class Log(Protocol):
    """The write path of the store."""

    async def append(self, batch: Batch) -> object:
        """Durable and visible when it returns; raises AppendRefused or Unavailable, and then nothing has happened."""

    async def tick(self, t: int) -> None:
        """Record that at `t` ms every held series' last value is sampled again."""


class Groups:
    """All groups of this bridge.

    Invariant: `_staged` holds the tickets whose batches are on their way, oldest first. The store settles batches in
    the order in which they were staged, so the table's commits and rollbacks follow the log's.
    """

    def __init__(self, table: PushTable, log: Log, settings: Push, clock: Clock) -> None:
        self._table = table
        self._log = log
        self._settings = settings
        self._clock = clock
        self._staged: deque[PushTicket] = deque()

    @property
    def table(self) -> PushTable:
        """The groups, for reading."""
        return self._table

    def configure(self, settings: Push) -> None:
        """Take new settings; groups that are there stay, whatever the limits."""
        self._settings = settings
        self._table.set_limits(settings.max_groups, settings.max_series)

    async def push(
        self, key: Key, families: Families, *, replace: bool, merge_series: bool = False, ttl_ms: int | None = None
    ) -> None:
        """Take a push: durable when this returns.

        Raises Inconsistent, and remembers the failure in the group as Pushgateway does; LimitReached, which leaves
        no trace; Unavailable when it could not be made durable.
        """
        settings = self._settings
        now = self._clock.now_ms()
        ttl = int(settings.ttl) if ttl_ms is None else ttl_ms
        oldest, newest = self._bounds(now)
        try:
            ticket = self._table.stage(
                key,
                families,
                now=now,
                ttl=ttl,
                replace=replace,
                merge_series=merge_series,
                oldest=oldest,
                newest=newest,
            )
            await self._append(ticket)
        except PushRefused as refused:
            kind, text = refused.args
            if kind in ("groups", "series"):
                raise LimitReached(text) from None
            await self._remember_failure(key, now, ttl)
            raise Inconsistent(INCONSISTENT + text) from None
        except AppendRefused as refused:
            await self._remember_failure(key, now, ttl)
            raise Inconsistent(f"{INCONSISTENT}{refused}") from None

    def _bounds(self, now: int) -> tuple[int | None, int | None]:
        if self._settings.timestamps == "refuse":
            return None, None
        return now - self._settings.timestamp_max_age, now + self._settings.timestamp_max_future

    async def delete(self, key: Key) -> bool:
        """End a group; False if there was none."""
        ticket = self._table.stage_delete(key, self._clock.now_ms())
        if ticket is None:
            return False
        await self._append(ticket)
        return True

    async def delete_matching(self, selectors: Sequence[Selector], *, dry_run: bool) -> list[Key]:
        """End every group whose key matches one of the selectors (no selector: all groups); returns their keys."""
        keys = [tuple(key) for key in self._table.matching(selectors)]
        if not dry_run:
            await self._delete_all(keys)
        return keys

    async def expire(self) -> int:
        """End the groups whose time to live is over."""
        keys = [tuple(key) for key in self._table.expired(self._clock.now_ms())]
        await self._delete_all(keys)
        return len(keys)

    async def _delete_all(self, keys: Sequence[Key]) -> None:
        for start in range(0, len(keys), AT_ONCE):
            await asyncio.gather(*(self.delete(key) for key in keys[start : start + AT_ONCE]))

    async def hold(self) -> None:
        """Sample every group's values again, for local queries only."""
        if self._table.groups:
            await self._log.tick(self._clock.now_ms())

    async def _remember_failure(self, key: Key, now: int, ttl: int) -> None:
        ticket = self._table.stage_failure(key, now, ttl)
        if ticket is not None:
            await self._append(ticket)

    async def _append(self, ticket: PushTicket) -> None:
        self._staged.append(ticket)
        try:
            await self._log.append(ticket.batch)
        except (AppendRefused, Unavailable):
            # Refused before it was on its way: still the newest. What was rolled back later is not here any more.
            if self._staged and self._staged[-1] is ticket:
                self._staged.pop().rollback()
            raise

    # -- the store's side of the conversation ------------------------------------------------------------------------

    def batch_committed(self, batch: Batch) -> None:
        """The store has made a batch visible; called in log order."""
        if self._staged and self._staged[0].batch is batch:
            self._staged.popleft().commit()

    def batches_rolled_back(self) -> None:
        """The store has given up everything that it had not made durable."""
        while self._staged:
            self._staged.pop().rollback()
