"""Sending samples until the sink has said something final about them.

While all is well, bodies go out side by side, as many as the sink takes well. From the first "again" on, one body at a
time asks, with growing pauses, and the others wait for their turn: a sink in trouble gets one request a pause, however
many there are to send.
"""

import asyncio
import contextlib
import enum
from dataclasses import replace

from structlog.typing import FilteringBoundLogger
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from bridge.clock import Clock
from bridge.forward.answer import Ruling, Verdict
from bridge.forward.gate import Gate
from bridge.forward.metrics import SinkMetrics
from bridge.forward.pace import Pace
from bridge.forward.payload import Load, Payload
from bridge.forward.throttle import Signal, Throttle, signal_of
from bridge.forward.transport import Transport

__all__ = ["Delivery", "State", "Stopped"]

_AGAIN = frozenset({Verdict.RETRY, Verdict.HOLD})


class State(enum.Enum):
    """How a sink is."""

    UP = "up"
    CATCHING_UP = "catching up"  # takes samples, of which some come from history
    RETRYING = "retrying"
    HELD = "held"
    STOPPED = "stopped"


_STATES = {Verdict.RETRY: State.RETRYING, Verdict.HOLD: State.HELD, Verdict.DOUBT: State.HELD}


class Stopped(Exception):
    """The bridge is stopping: these samples stay in the log and are sent after the next start."""


class Delivery:
    """One sink's way out. Belongs to one event loop."""

    def __init__(
        self,
        transport: Transport,
        *,
        logger: FilteringBoundLogger,
        pace: Pace,
        throttle: Throttle,
        metrics: SinkMetrics,
        stopping: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._pace = pace
        self.throttle = throttle
        self._gate = Gate(lambda: throttle.limit)
        self._metrics = metrics
        self._stopping = stopping
        self._turn = asyncio.Lock()
        self._streak = 0
        self._log = logger
        self.state = State.UP
        self.problem = ""
        self.last_problem = ""  # also after it is over
        self.last_problem_ms: int | None = None
        self._clock = clock
        self.accepted = 0  # bodies of samples: whoever is refused while this grows is refused for its samples

    async def send(self, payload: Payload, *, doubts: int) -> Ruling:
        """Send `payload` until the answer is OK, SPLIT, PARTIAL, POISON or DOUBT.

        SPLIT is also what becomes of one that was not answered in time and is larger than what is sent since. RETRY
        comes back only after `doubts` equal 5xx answers in a row. Raises Stopped.
        """
        ruling = await self._attempt(payload, 0)
        if ruling.verdict not in _AGAIN:
            return ruling
        must_pause = not self._turn.locked()  # whoever had to wait for the turn has paused long enough
        async with self._turn:
            if must_pause:
                await self._pause(self._pace.delay(ruling, self._streak))
            unsure = ruling.unsure or ruling.answer.may_be_stored
            if not self._is_slow(payload, ruling):
                ruling = await self._insist(payload, doubts, unsure=unsure)
                unsure = ruling.unsure
            if self._is_slow(payload, ruling):
                return replace(ruling, verdict=Verdict.SPLIT, unsure=unsure)
            return ruling

    async def offer(self, load: Load) -> Ruling:
        """Send what is no sample until the answer is OK, SPLIT, PARTIAL, POISON or DOUBT.

        Samples that ask come first, and are never held up: RETRY or HOLD comes back after `Pace.doubts` attempts, if
        samples got through meanwhile. Raises Stopped.
        """
        accepted, attempts = self.accepted, 0
        while True:
            async with self._turn:
                pass
            ruling = await self._attempt(load, attempts, beside=True)
            attempts += 1
            if ruling.verdict not in _AGAIN or (attempts >= self._pace.doubts and self.accepted > accepted):
                return ruling
            if self._is_slow(load, ruling):
                return replace(ruling, verdict=Verdict.SPLIT)
            # Samples that get through in between make the sink's streak short.
            await self._pause(self._pace.delay(ruling, max(self._streak, attempts)))

    def _is_slow(self, load: Load, ruling: Ruling) -> bool:
        """It was not answered in time, and by now it would be sent in smaller requests."""
        return signal_of(ruling) is Signal.LATE and len(load) > self.throttle.batch

    async def _insist(self, payload: Payload, doubts: int, *, unsure: bool) -> Ruling:
        equal = retries = 0
        last = None

        async def attempt() -> Ruling:
            nonlocal equal, last, retries, unsure
            retries += 1
            ruling = await self._attempt(payload, retries)
            unsure = unsure or ruling.unsure or ruling.answer.may_be_stored
            answer = (ruling.answer.status, ruling.answer.text)
            equal, last = (equal + 1 if answer == last else 1), answer
            return ruling

        def is_doubtful(state: RetryCallState) -> bool:
            # An overload or a fault of the network, which a proxy tells as 502 and 504, is never blamed on the samples.
            status = _ruling(state).answer.status
            return 500 <= status < 600 and status not in {502, 503, 504} and equal >= doubts

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda ruling: ruling.verdict in _AGAIN),
            wait=lambda state: self._pace.delay(_ruling(state), self._streak),
            stop=lambda state: is_doubtful(state) or self._is_slow(payload, _ruling(state)),
            sleep=self._pause,
            retry_error_callback=_ruling,
        )
        return replace(await retrying(attempt), unsure=unsure)

    async def _attempt(self, load: Load, retries: int, *, beside: bool = False) -> Ruling:
        """`beside`: it is no sample, takes the room of none, and that it is taken tells nothing of what becomes of
        those."""
        async with contextlib.nullcontext() if beside else self._gate:
            if self._stopping.is_set():
                raise Stopped
            request = await self._transport.pack(load)
            started = self._clock.monotonic()
            ruling = await self._transport.post(request, retries=retries)
            now = self._clock.monotonic()
            if not (beside and signal_of(ruling) is Signal.TAKEN):
                self.throttle.note(
                    now,
                    signal_of(ruling),
                    now - started,
                    samples=len(load),
                    size=load.size,
                    waiting=self._gate.waiting,
                )
        if ruling.verdict is Verdict.REPACK:
            self._log.warning("sink does not understand, sending in another form", answer=ruling.answer.text[:500])
            again = await self._attempt(load, retries, beside=beside)
            return replace(again, unsure=again.unsure or ruling.answer.status != 415)
        self._metrics.note_request(ruling.verdict.value, now - started)
        self._note(ruling)
        if ruling.verdict is Verdict.OK and not beside:
            self.accepted += 1
        return ruling

    def _note(self, ruling: Ruling) -> None:
        """Keep the state; log only when it changes."""
        state = _STATES.get(ruling.verdict, State.UP)
        before, self.state = self.state, state
        self._streak = self._streak + 1 if state is before and state is not State.UP else 1
        told = {"status": ruling.answer.status, "answer": ruling.answer.told[:500]}
        if state is State.UP:
            self.problem = ""
            if before is not State.UP:
                self._log.info("sink answers again")
        else:
            self.problem = f"{ruling.answer.status or 'no answer'}: {ruling.answer.told[:500]}"
            self.last_problem, self.last_problem_ms = self.problem, self._clock.now_ms()
            if state is State.HELD and before is not State.HELD:
                self._log.error(
                    "sink refuses everything: samples are kept until this is put right", advice=ruling.advice, **told
                )
            elif before is State.UP:
                self._log.warning("sink does not take samples, trying again", **told)

    async def wait(self, ruling: Ruling) -> None:
        """Wait as long as before an attempt that follows this ruling. Raises Stopped."""
        await self._pause(self._pace.delay(ruling, self._streak))

    async def _pause(self, seconds: float) -> None:
        try:
            async with self._clock.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise Stopped


def _ruling(state: RetryCallState) -> Ruling:
    assert state.outcome is not None  # noqa: S101 - tenacity asks only after an attempt
    ruling: Ruling = state.outcome.result()
    return ruling
