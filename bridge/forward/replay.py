"""Stored history, sent to one sink again: beside a running bridge, with no cursor and no dead letters of its own."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer import Spans
from bridge.clock import Clock
from bridge.forward.bisect import Outcome
from bridge.forward.delivery import Delivery, State, Stopped
from bridge.forward.history import Columns, History, Windows
from bridge.forward.metrics import ForwardMetrics
from bridge.forward.outlet import SinkSettings, open_outlet
from bridge.forward.pace import Pace
from bridge.forward.payload import Payload

__all__ = ["Replay", "ReplayState"]

logger = structlog.get_logger(__name__)

_PARCELS_A_WINDOW = 20
_MAX_WINDOW = 500_000
_MAX_REASONS = 100
_OTHER = "other reasons"


@dataclass(frozen=True, slots=True)
class ReplayState:
    """How far a replay has come: whole windows only.

    Attributes:
        span: all times that were asked for, ms, inclusive.
        left: those that are still to be sent.
        sent: samples that the sink has answered for.
        unrepresentable: samples that the sink cannot be sent, by reason.
        refused: samples that the sink refused, by its words.
    """

    span: tuple[int, int]
    left: Spans
    sent: int = 0
    unrepresentable: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, mint: int, maxt: int) -> "ReplayState":
        """Nothing of [mint, maxt] ms has been sent."""
        return cls((mint, maxt), ((mint, maxt),))

    @property
    def reached(self) -> int:
        """Before this time everything has been sent, ms."""
        return self.left[0][0] if self.left else self.span[1] + 1

    @property
    def share(self) -> float:
        """How much of the time that is, from 0 to 1."""
        first, last = self.span
        return (self.reached - first) / max(last + 1 - first, 1)

    def to_json(self) -> dict[str, Any]:
        """As it is kept between two runs."""
        return {
            "span": self.span,
            "left": self.left,
            "sent": self.sent,
            "unrepresentable": dict(self.unrepresentable),
            "refused": dict(self.refused),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ReplayState":
        """The inverse of `to_json`. Raises KeyError, TypeError and ValueError for anything else."""
        first, last = content["span"]
        return cls(
            span=(int(first), int(last)),
            left=tuple((int(mint), int(maxt)) for mint, maxt in content["left"]),
            sent=int(content["sent"]),
            unrepresentable=dict(content["unrepresentable"]),
            refused=dict(content["refused"]),
        )


@dataclass(slots=True)
class _Tally:
    """What became of the window under way."""

    sent: int = 0
    unrepresentable: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, payload: Payload, outcome: Outcome) -> None:
        self.sent += outcome.sent
        self.unrepresentable.update(payload.unrepresentable)
        if outcome.expired:
            self.unrepresentable["expired"] += outcome.expired
        self.refused.update(f"{rejection.code} {rejection.reason[:200]}" for rejection in outcome.rejected)


class Replay:
    """Sends a stretch of history to a sink. Belongs to one event loop: `run` once, `stop` from outside."""

    def __init__(
        self,
        settings: SinkSettings,
        history: History,
        state: ReplayState,
        *,
        save: Callable[[ReplayState], Awaitable[None]],
        clock: Clock,
        pace: Pace | None = None,
    ) -> None:
        """Go on from `state`; `save` makes a newer one durable."""
        self._outlet = open_outlet(settings, clock)
        pace = pace or self._outlet.pace
        most = min(_PARCELS_A_WINDOW * self._outlet.batch, _MAX_WINDOW)
        self.state = state
        self._windows = Windows(history, state.left, most)
        self._save = save
        self._stopping = asyncio.Event()
        self._delivery = Delivery(
            self._outlet.transport,
            logger=logger.bind(sink=settings.name, target=self._outlet.target),
            pace=pace,
            throttle=self._outlet.throttle,
            metrics=ForwardMetrics(CollectorRegistry()).requests_of(settings.name),
            stopping=self._stopping,
            clock=clock,
        )
        self._search = self._outlet.search(self._delivery, pace)
        self._tally = _Tally()

    @property
    def sent(self) -> int:
        """Samples that the sink has answered for, those of the window under way included."""
        return self.state.sent + self._tally.sent

    @property
    def refused(self) -> int:
        """Samples that it has refused, counted likewise."""
        return sum(self.state.refused.values()) + self._tally.refused.total()

    @property
    def problem(self) -> str:
        """What the sink said last, while it takes nothing."""
        return self._delivery.problem if self._delivery.state is not State.UP else ""

    def stop(self) -> None:
        """Make `run` end soon: the window under way is not finished, and sent again by the next run."""
        self._stopping.set()

    async def run(self) -> bool:
        """Send all of it, which takes as long as the sink is not there. False when it was stopped.

        Raises OSError and Unreadable when history cannot be read, and what `save` raises.
        """
        try:
            while (window := await anyio.to_thread.run_sync(self._windows.next)) is not None:
                if not await self._send(window.columns):
                    return False
                self.state, self._tally = self._after(window.rest), _Tally()
                await self._save(self.state)
            return True
        finally:
            await self._outlet.transport.close()

    async def _send(self, columns: Columns) -> bool:
        """Send a window in pieces, several at a time. They set out in order, which some sinks want of a series."""
        free = asyncio.Semaphore(self._outlet.in_flight)
        senders: list[asyncio.Task[bool]] = []
        async with asyncio.TaskGroup() as group:
            for start in range(0, len(columns), self._outlet.batch):
                await free.acquire()
                if self._stopping.is_set():
                    return False
                stop = min(start + self._outlet.batch, len(columns))
                payload = await anyio.to_thread.run_sync(columns.encode, start, stop, self._outlet.encoder)
                sender = group.create_task(self._deliver(payload))
                sender.add_done_callback(lambda _: free.release())
                senders.append(sender)
        return all(sender.result() for sender in senders)

    async def _deliver(self, payload: Payload) -> bool:
        try:
            outcome = await self._search.deliver(payload, doubtful=True) if len(payload) else Outcome()
        except Stopped:
            return False
        self._tally.add(payload, outcome)
        return True

    def _after(self, left: Spans) -> ReplayState:
        """With the window under way counted, which left `left`."""
        refused = Counter(self.state.refused)
        for reason, count in self._tally.refused.items():
            known = reason in refused or len(refused) < _MAX_REASONS
            refused[reason if known else _OTHER] += count
        return ReplayState(
            span=self.state.span,
            left=left,
            sent=self.sent,
            unrepresentable=Counter(self.state.unrepresentable) + self._tally.unrepresentable,
            refused=refused,
        )
