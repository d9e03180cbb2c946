"""Sending lines until the sink has said something final about them.

While all is well, bodies go out side by side. From the first "again" on, one body at a time asks, with growing pauses,
and the others wait for their turn: a sink in trouble gets one request a pause, however many there are to send.
"""

import asyncio
import enum
import time

import anyio.to_thread
from isal import igzip_lib
from structlog.typing import FilteringBoundLogger
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from bridge.forward.classify import Ruling, Verdict, classify
from bridge.forward.influxdb import Transport
from bridge.forward.metrics import SinkMetrics
from bridge.forward.pace import Pace
from bridge.native import Lines

__all__ = ["Delivery", "State", "Stopped"]

_AGAIN = frozenset({Verdict.RETRY, Verdict.HOLD})
_WORTH_A_THREAD = 64 << 10  # bytes; compressing less takes less time than a hop to a thread and back


class State(enum.Enum):
    """How a sink is."""

    UP = "up"
    CATCHING_UP = "catching up"  # takes samples, of which some come from history
    RETRYING = "retrying"
    HELD = "held"
    STOPPED = "stopped"


class Stopped(Exception):
    """The bridge is stopping: these lines stay in the log and are sent after the next start."""


class Delivery:
    """One sink's way out. Belongs to one event loop."""

    def __init__(
        self,
        transport: Transport,
        *,
        logger: FilteringBoundLogger,
        pace: Pace,
        metrics: SinkMetrics,
        compress: bool,
        stopping: asyncio.Event,
    ) -> None:
        self._transport = transport
        self._pace = pace
        self._metrics = metrics
        self._compress = compress
        self._stopping = stopping
        self._turn = asyncio.Lock()
        self._streak = 0
        self._log = logger
        self.state = State.UP
        self.problem = ""
        self.accepted = 0  # bodies: whoever is refused while this grows is refused for its lines

    async def send(self, lines: Lines, *, doubts: int) -> Ruling:
        """Send `lines` until the answer is OK, SPLIT, PARTIAL or POISON.

        RETRY comes back only after `doubts` equal 5xx answers in a row. Raises Stopped.
        """
        body = await self._pack(lines)
        ruling = await self._attempt(body)
        if ruling.verdict not in _AGAIN:
            return ruling
        must_pause = not self._turn.locked()  # whoever had to wait for the turn has paused long enough
        async with self._turn:
            if must_pause:
                await self._pause(self._pace.delay(ruling, self._streak))
            return await self._insist(body, doubts)

    async def _insist(self, body: bytes, doubts: int) -> Ruling:
        equal = 0
        last = None

        async def attempt() -> Ruling:
            nonlocal equal, last
            ruling = await self._attempt(body)
            answer = (ruling.answer.status, ruling.answer.text)
            equal, last = (equal + 1 if answer == last else 1), answer
            return ruling

        def is_doubtful(state: RetryCallState) -> bool:
            # An overload or a fault of the network is never blamed on the lines.
            status = _ruling(state).answer.status
            return 500 <= status < 600 and status != 503 and equal >= doubts

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda ruling: ruling.verdict in _AGAIN),
            wait=lambda state: self._pace.delay(_ruling(state), self._streak),
            stop=is_doubtful,
            sleep=self._pause,
            retry_error_callback=_ruling,
        )
        return await retrying(attempt)

    async def _attempt(self, body: bytes) -> Ruling:
        if self._stopping.is_set():
            raise Stopped
        started = time.perf_counter()
        answer = await self._transport.post(body, gzipped=self._compress)
        ruling = classify(answer, self._transport.dialect)
        self._metrics.note_request(ruling.verdict.value, time.perf_counter() - started)
        self._note(ruling)
        return ruling

    def _note(self, ruling: Ruling) -> None:
        """Keep the state; log only when it changes."""
        if ruling.verdict is Verdict.OK:
            self.accepted += 1
        state = {Verdict.RETRY: State.RETRYING, Verdict.HOLD: State.HELD}.get(ruling.verdict, State.UP)
        before, self.state = self.state, state
        self._streak = self._streak + 1 if state is before and state is not State.UP else 1
        told = {"status": ruling.answer.status, "answer": ruling.answer.text[:500]}
        if state is State.UP:
            self.problem = ""
            if before is not State.UP:
                self._log.info("sink answers again")
        else:
            self.problem = f"{ruling.answer.status or 'no answer'}: {ruling.answer.text[:500]}"
            if state is State.HELD and before is not State.HELD:
                self._log.error(
                    "sink refuses everything: samples are kept until this is put right", advice=ruling.advice, **told
                )
            elif before is State.UP:
                self._log.warning("sink does not take samples, trying again", **told)

    async def _pack(self, lines: Lines) -> bytes:
        body = lines.body
        if not self._compress:
            return body
        if len(body) < _WORTH_A_THREAD:
            return _gzip(body)
        return await anyio.to_thread.run_sync(_gzip, body)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise Stopped


def _gzip(body: bytes) -> bytes:
    compressed: bytes = igzip_lib.compress(body, level=1, flag=igzip_lib.COMP_GZIP)
    return compressed


def _ruling(state: RetryCallState) -> Ruling:
    assert state.outcome is not None  # noqa: S101 - tenacity asks only after an attempt
    ruling: Ruling = state.outcome.result()
    return ruling
