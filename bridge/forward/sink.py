"""One sink and everything about it: its outlet, progress, dead letters, status."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

import anyio.to_thread
import structlog

from bridge.buffer import Cursor, Files, Gap, Position
from bridge.clock import Clock
from bridge.forward.account import Account
from bridge.forward.backlog import Backlog, Log
from bridge.forward.bisect import Outcome, Rejection
from bridge.forward.deadletter import LetterBox
from bridge.forward.delivery import Delivery, State, Stopped
from bridge.forward.feed import Feed
from bridge.forward.forecast import Pulse
from bridge.forward.history import History
from bridge.forward.letters import Letter
from bridge.forward.metrics import ForwardMetrics, SinkStatus
from bridge.forward.outlet import SinkSettings, open_outlet
from bridge.forward.pace import Pace
from bridge.forward.parcel import Parcel

__all__ = ["CursorStore", "Sink"]

logger = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_LETTERS_AT_ONCE = 500


class CursorStore(Protocol):
    """Durable cursors by name: implemented by `bridge.buffer.Cursors`."""

    def load(self, name: str) -> Cursor | None:
        """The cursor as it was last saved."""

    async def save(self, name: str, cursor: Cursor) -> None:
        """Return once it is durable."""

    def gap(self, name: str, position: Position) -> Gap | None:
        """What a reader at `position` misses before it can read the log on; None when nothing is known of any."""


class Sink:
    """Feeds one sink. Belongs to one event loop: `run` in a task of its own, `stop` from outside."""

    def __init__(
        self,
        settings: SinkSettings,
        *,
        log: Log,
        history: History,
        cursors: CursorStore,
        files: Files,
        rejected: Path,
        clock: Clock,
        metrics: ForwardMetrics,
        pace: Pace | None = None,
        kept_for: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`history` is what the sink is fed from where it comes too late for the log; `rejected` is the folder of all
        sinks' dead letters; `kept_for` tells how old samples become before history loses them, ms."""
        self.name = settings.name
        self._outlet = open_outlet(settings, clock)
        self.target = self._outlet.target
        self._log = log
        self._history = history
        self._cursors = cursors
        self._files = files
        self._rejected = rejected
        self._clock = clock
        self._pace = pace or self._outlet.pace
        self._stopping = asyncio.Event()
        self._started_ms = clock.now_ms()
        self._kept_for = kept_for
        self._pulse = Pulse()
        self._logger = logger.bind(sink=self.name)
        self._delivery = Delivery(
            self._outlet.transport,
            logger=self._logger.bind(target=self.target),
            pace=self._pace,
            throttle=self._outlet.throttle,
            metrics=metrics.requests_of(self.name),
            stopping=self._stopping,
            clock=clock,
        )
        self._search = self._outlet.search(self._delivery, self._pace)
        self._feed = self._new_feed(self._load())
        self._letters: LetterBox | None = None
        self._using_letters = asyncio.Lock()
        metrics.add(self)

    def status(self) -> SinkStatus:
        """The sink at a glance."""
        account, accepted, letters = self._feed.account, self._log.seq, self._letters
        newest = account.newest if account.newest is not None else self._started_ms
        behind = self._clock.now_ms() - newest if accepted > account.seq else 0
        self._look(account)
        return SinkStatus(
            name=self.name,
            target=self.target,
            state=self._state(account).value,
            problem=self._delivery.problem,
            account=account,
            accepted=accepted,
            lag_seconds=max(behind, 0) / 1000,
            letters_waiting=letters.waiting if letters is not None else 0,
            letters_resent=letters.resent if letters is not None else 0,
            letters_dropped=letters.dropped if letters is not None else 0,
            forecast=self._pulse.forecast(self._kept_for()),
            last_error=self._delivery.last_problem,
            last_error_time=self._delivery.last_problem_ms,
            concurrency=self._outlet.throttle.limit,
            batch_samples=self._outlet.throttle.batch,
            batch_bytes=self._outlet.throttle.max_bytes,
        )

    def _look(self, account: Account) -> None:
        """Note how far the sink has come, for the forecast."""
        reached = account.newest if account.newest is not None else self._started_ms
        self._pulse.beat(self._clock.now_ms(), accepted=self._log.seq, accounted=account.seq, reached=reached)

    def _state(self, account: Account) -> State:
        if self._stopping.is_set():
            return State.STOPPED
        if self._delivery.state is State.UP and account.catching_up is not None:
            return State.CATCHING_UP
        return self._delivery.state

    async def run(self) -> None:
        """Feed the sink until `stop`. A fault of ours is logged, and the work taken up again at the saved cursor."""
        try:
            while not self._stopping.is_set():
                # The fault of one sink must not end the others.
                try:
                    await self._run()
                except Exception:
                    self._logger.exception("sink failed, starting again from its cursor")
                    await self._pause(self._pace.cap)
                    self._feed = self._new_feed(self._load())
        finally:
            await self._outlet.transport.close()

    def stop(self) -> None:
        """Make `run` end: no more requests; answers that are under way are awaited for `Pace.stop` seconds."""
        self._stopping.set()

    async def _run(self) -> None:
        # Saved before the first sample is sent: what a crash then leaves unsure is what lies behind it.
        account = self._feed.account
        await self._save(account)
        beyond = account.certain if self._resumes else None
        self._letters = await _to_the_end(
            partial(LetterBox, self._files, self._rejected / self.name, self._clock, beyond)
        )
        self._logger.info(
            "sink started", target=self.target, position=str(account.position), pending=self._log.seq - account.seq
        )
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._resend_letters())]
            if (retention := self._outlet.retention) is not None:
                await retention.learn()
                others.append(group.create_task(retention.watch()))
            if self._outlet.beside is not None:
                others.append(group.create_task(self._outlet.beside(self._log.head, self._delivery, self._search)))
            await self._feed.run(self._stopping, self._pace.stop)
            for task in others:
                task.cancel()
        self._logger.info("sink stopped", pending=self._log.seq - self._feed.account.seq)

    # -- progress -----------------------------------------------------------------------------------------------------

    def _load(self) -> Account:
        cursor = self._cursors.load(self.name)
        self._resumes = False
        if cursor is None:
            return Account(self._log.oldest())
        if cursor.seq > self._log.seq or cursor.position > self._log.durable():
            self._logger.error("the log is not the one that the cursor is about: all of it is sent")
            return Account(self._log.oldest())
        self._resumes = True
        return Account.from_cursor(cursor)

    async def _save(self, account: Account) -> None:
        await self._cursors.save(self.name, account.to_cursor())
        self._look(account)

    def _new_feed(self, account: Account) -> Feed:
        backlog = Backlog(
            self._log,
            account,
            gap=partial(self._cursors.gap, self.name),
            history=self._history,
            max_samples=self._outlet.parcel,
            encoder=self._outlet.encoder,
            logger=self._logger,
            ordered=self._outlet.ordered,
            exemplars=self._outlet.exemplars,
        )
        return Feed(
            account,
            backlog,
            deliver=self._deliver,
            keep=self._keep,
            save=self._save,
            in_flight=self._outlet.in_flight,
            batch=self._outlet.batch,
            ahead=self._outlet.parcel if self._outlet.ordered else 0,
        )

    async def _deliver(self, parcel: Parcel) -> Outcome:
        return await self._search.deliver(parcel.payload, doubtful=parcel.doubtful)

    # -- dead letters -------------------------------------------------------------------------------------------------

    async def _keep(self, rejections: Sequence[Rejection], seq: int) -> None:
        letters = self._opened_letters()
        await self._in_thread(letters.append, rejections, seq)
        self._logger.warning(
            "samples refused for good, kept as dead letters", samples=len(rejections), reason=rejections[0].reason[:500]
        )

    async def _resend_letters(self) -> None:
        """Send again what an operator has asked for, between the samples of the log."""
        letters = self._opened_letters()
        while True:
            if not await self._in_thread(letters.look):
                await self._pause(self._pace.letters)
                continue
            requested = await self._in_thread(letters.requested, _LETTERS_AT_ONCE)
            refused = self._unreadable(requested)
            payload = self._outlet.encoder.read([one.line for one in requested if one.line not in refused])
            try:
                outcome = await self._search.deliver(payload) if len(payload) else Outcome()
            except Stopped:
                return
            refused |= {rejection.line.decode(): rejection.reason for rejection in outcome.rejected}
            await self._in_thread(letters.answer, requested, refused)
            self._logger.info("dead letters sent again", letters=len(requested), refused=len(refused))

    def _unreadable(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Lines that are none, for they were mended badly or are those of another kind of sink, and why."""
        found = {}
        for letter in letters:
            try:
                self._outlet.encoder.read([letter.line])
            except ValueError as error:
                found[letter.line] = str(error)
        return found

    def _opened_letters(self) -> LetterBox:
        assert self._letters is not None  # noqa: S101 - `_run` opens it before anything that may need it
        return self._letters

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._using_letters:
            return await _to_the_end(partial(work, *args, **kwargs))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _to_the_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread, to its end even when cancelled: files that a thread still writes to are nobody else's."""
    thread = asyncio.ensure_future(anyio.to_thread.run_sync(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        raise
