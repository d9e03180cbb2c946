"""From the log to the sink and on to the cursor, in log order.

    launch ─ reads, encodes, starts deliveries ──> flights ──> land ─ takes outcomes in log order:
                                                                      dead letters to disk, then the account
                                                 save ─ makes the newest account the durable cursor

Several deliveries are under way at a time, but the account moves over finished ones only, and without a gap: what is
sent again after a crash is what was sent before. Dead letters are on the disk before the account moves, and the account
moves before the cursor does.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from bridge.errors import Unavailable
from bridge.forward.account import Account, Landing
from bridge.forward.backlog import Backlog
from bridge.forward.bisect import Outcome, Rejection
from bridge.forward.delivery import Stopped
from bridge.forward.parcel import Parcel

__all__ = ["Feed"]

logger = structlog.get_logger(__name__)

_LOOK_AGAIN = 0.05  # seconds; how long a full batch may go unnoticed while a sink takes its time


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A parcel as it was sent in the end, and what became of it."""

    parcel: Parcel
    outcome: Outcome


_Flight = asyncio.Task[_Arrival | None]
"""A parcel on its way; None when the bridge stops before its fate is known."""


class Feed:
    """One run of a sink, from a saved account on.

    `deliver` sends a parcel's samples until the fate of each is known; `keep` makes refused ones of the slice that ends
    at a `seq` durable; `save` makes an account durable.
    """

    def __init__(
        self,
        account: Account,
        backlog: Backlog,
        *,
        deliver: Callable[[Parcel], Awaitable[Outcome]],
        keep: Callable[[Sequence[Rejection], int], Awaitable[None]],
        save: Callable[[Account], Awaitable[None]],
        in_flight: int,
        batch: int,
        ahead: int = 0,
    ) -> None:
        """`ahead`: let the durable account say what may be under way, so many samples beyond at a time. 0: a sink that
        can be sent anything twice needs no such thing."""
        self.account = account
        self._backlog = backlog
        self._deliver = deliver
        self._keep = keep
        self._save = save
        self._batch = batch
        self._ahead = ahead
        self._saving = asyncio.Lock()
        self._room = asyncio.Semaphore(in_flight)
        self._flights: asyncio.Queue[_Flight | None] = asyncio.Queue()  # bounded by the room
        self._flying: set[_Flight] = set()
        self._landed = asyncio.Event()
        self._unsaved = asyncio.Event()

    async def run(self, stopping: asyncio.Event, grace: float) -> None:
        """Go on until `stopping`, then wait up to `grace` seconds for answers and save what has landed."""
        async with asyncio.TaskGroup() as group:
            launch = group.create_task(self._launch(group))
            land = group.create_task(self._land())
            save = group.create_task(self._save_as_it_moves())
            await stopping.wait()
            launch.cancel()
            self._flights.put_nowait(None)
            await asyncio.wait({land}, timeout=grace)
            if land.done() and land.result():
                self.account = replace(self.account, launched=0, until=None)
                self._unsaved.set()
            for task in (land, save, *self._flying):
                task.cancel()
        if self._unsaved.is_set():
            await self._save_account()

    async def _launch(self, group: asyncio.TaskGroup) -> None:
        """Keep deliveries under way, with one more parcel read ahead."""
        while True:
            await self._enough_to_send()
            parcel = await self._backlog.next()
            await self._room.acquire()
            await self._announce(parcel)
            flight = group.create_task(self._fly(parcel))
            self._flying.add(flight)
            flight.add_done_callback(self._flying.discard)
            self._flights.put_nowait(flight)

    async def _announce(self, parcel: Parcel) -> None:
        """Before samples leave, the saved account must say that they may have."""
        account = self.account
        if not self._ahead:
            return
        if parcel.seq > account.launched:
            account = replace(account, launched=parcel.seq + self._ahead)
        if parcel.until is not None and (account.until is None or parcel.until > account.until):
            account = replace(account, until=parcel.until)
        if account is not self.account:
            self.account = account
            await _patiently(self._save_account)

    async def _save_account(self) -> None:
        """One save at a time, each of the newest account."""
        async with self._saving:
            await self._save(self.account)

    async def _enough_to_send(self) -> None:
        """While something is under way, gather a full batch first: a sink likes few large requests."""
        while self._flying and self._backlog.unread < self._batch:
            self._landed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._landed.wait()

    async def _fly(self, parcel: Parcel) -> _Arrival | None:
        try:
            outcome = await self._deliver(parcel) if len(parcel.payload) else Outcome()
            if parcel.abridged is not None and (outcome.rejected or outcome.expired):
                # What was left out may have relied on what was refused.
                parcel = await anyio.to_thread.run_sync(parcel.whole)
                outcome = await self._deliver(parcel)
        except Stopped:
            return None
        return _Arrival(parcel, outcome)

    async def _land(self) -> bool:
        """Take the outcomes in log order, up to the first that the stop has cut off; whether that were all."""
        while (flight := await self._flights.get()) is not None:
            arrival = await flight
            if arrival is None:
                return False
            parcel, outcome = arrival.parcel, arrival.outcome
            if outcome.rejected:
                await _patiently(partial(self._keep, outcome.rejected, parcel.seq))
            self._move(parcel, outcome)
            if parcel.abridged is not None:
                parcel.abridged.taken()
            self._room.release()
            self._landed.set()
            self._unsaved.set()
        return True

    def _move(self, parcel: Parcel, outcome: Outcome) -> None:
        held_before = self.account.holds
        lost = dict(parcel.unrepresentable)
        expired = lost.pop("expired", 0) + outcome.expired
        self.account = self.account.after(
            Landing(
                position=parcel.position,
                seq=parcel.seq,
                sent=outcome.sent,
                unrepresentable=lost,
                expired=expired,
                dead_lettered=outcome.dead,
                newest=parcel.payload.newest,
                from_history=parcel.from_history,
                catching_up=parcel.catching_up,
                exemplars_lost=parcel.exemplars_lost,
            )
        )
        if held_before and not self.account.holds:
            logger.error("the account of a sink does not add up", account=str(self.account))

    async def _save_as_it_moves(self) -> None:
        """One save at a time, each of the newest account: a slow disk makes them fewer, not later."""
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            try:
                await _patiently(self._save_account)
            except BaseException:
                self._unsaved.set()
                raise


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Wait a full or failing disk out: the sink stands still meanwhile, and nothing is lost."""

    async def attempt() -> None:
        await work()

    await AsyncRetrying(
        retry=retry_if_exception_type((OSError, Unavailable)),
        wait=wait_exponential(max=60.0),
        before_sleep=_log_fault,
    )(attempt)


def _log_fault(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    logger.error("progress of a sink cannot be kept, trying again", error=str(error), attempt=state.attempt_number)
