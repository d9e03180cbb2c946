"""The write route, `POST /api/v1/write`: one request is one batch, durable before its answer.

A hot path: a plain ASGI callable in front of the router. What the core decodes goes into the store as it is; nothing
here looks at a series.
"""

import time
from typing import Protocol

from starlette.types import Receive, Scope, Send

from bridge.clock import Clock
from bridge.config import RemoteWriteReceiver
from bridge.edge import Gate, Hold, header, read_body, send_empty, send_text
from bridge.errors import BridgeError, SlowBody, TooLarge, Unavailable, UnsupportedType
from bridge.native import AppendRefused, Batch, Head, Refusals, WriteRules
from bridge.remote_write.metrics import WriteMetrics
from bridge.remote_write.newcomers import Newcomers
from bridge.remote_write.outcome import Outcome, judge
from bridge.remote_write.protocol import Version, check_encoding, negotiate
from bridge.remote_write.replicas import Replicas
from bridge.remote_write.request import Refused, Request, length_within

__all__ = ["Store", "Stored", "WriteRoute"]

FUTURE = 10 * 60 * 1000  # ms by which a sample may be ahead of the clock, as in Prometheus

REASONS: dict[type[BridgeError], str] = {
    TooLarge: "too_large",
    UnsupportedType: "unsupported",
    SlowBody: "slow",
    Unavailable: "unavailable",
}


class Stored(Protocol):
    """What became of a batch: `bridge.buffer.AppendResult`."""

    @property
    def series_created(self) -> int:
        """Series that were new."""

    @property
    def refusals(self) -> Refusals | None:
        """What was left out."""


class Store(Protocol):
    """Where batches go: `bridge.buffer.Store`."""

    @property
    def head(self) -> Head:
        """What is in memory."""

    async def append(self, batch: Batch, *, max_series: int | None = None, max_new_series: int | None = None) -> Stored:
        """Return once the batch is durable and visible. Raises AppendRefused and Unavailable."""


class WriteRoute:
    """ASGI app of the route."""

    def __init__(
        self,
        store: Store,
        settings: RemoteWriteReceiver,
        *,
        gate: Gate,
        clock: Clock,
        metrics: WriteMetrics,
        replicas: Replicas,
    ) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock
        self._metrics = metrics
        self._replicas = replicas
        self._newcomers = Newcomers(settings.max_new_series_per_minute, clock)
        self.configure(settings)

    def configure(self, settings: RemoteWriteReceiver) -> None:
        """Take new settings for the requests to come."""
        self._settings = settings
        self._newcomers.limit = settings.max_new_series_per_minute
        self._gate.limit = settings.max_inflight_bytes
        ha = settings.ha
        self._rules = WriteRules(
            max_samples=settings.max_samples,
            max_labels=settings.max_labels,
            max_label_name=settings.max_label_name,
            max_label_value=settings.max_label_value,
            replicas=None if ha is None else (ha.cluster_label, ha.replica_label),
            start_samples=settings.start_timestamps == "zero_sample",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; a refusal of the whole of it is raised."""
        if scope["method"] != "POST":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"POST")])
            return
        started = time.perf_counter()
        version = None
        try:
            version = negotiate(header(scope, b"content-type"))
            check_encoding(header(scope, b"content-encoding"))
            with self._gate.hold() as hold:
                outcome = await self._write(scope, receive, hold, version)
        except BridgeError as error:
            self._metrics.turned_away(version, error.status, reason_of(error))
            raise
        self._metrics.answered(version, outcome)
        headers = outcome.headers(version)
        if outcome.status == 204:
            await send_empty(send, 204, headers)
        else:
            retry = [(b"retry-after", b"%d" % self._newcomers.wait())] if outcome.crowded else []
            await send_text(send, outcome.status, outcome.text, [*headers, *retry])
        self._metrics.seconds.observe(time.perf_counter() - started)

    async def _write(self, scope: Scope, receive: Receive, hold: Hold, version: Version) -> Outcome:
        settings = self._settings
        body = await read_body(scope, receive, settings.max_body, hold)
        self._metrics.bytes.inc(len(body))
        hold.grow(length_within(body, settings.max_decompressed))
        newest = self._clock.now_ms() + FUTURE
        request = Request(body, version, self._gate, self._rules, newest=newest, limit=settings.max_decompressed)
        if settings.ha is not None:
            request.unheard = await self._replicas.unheard(await request.replicas(), settings.ha)
        decoded = await request.decode(self._store.head)
        if request.unheard:
            self._replicas.deduplicated(request.unheard, sum(decoded.unheard))
        if decoded.is_empty:
            return judge(decoded, None, version, crowded=False)
        try:
            stored, crowded = await self._append(decoded.batch)
        except Forgotten:
            decoded = await request.decode(self._store.head, fresh=True)
            stored, crowded = await self._append(decoded.batch)
        return judge(decoded, stored.refusals, version, crowded=crowded)

    async def _append(self, batch: Batch) -> tuple[Stored, bool]:
        """What became of the batch, and whether it was short of room for new series. Raises Forgotten."""
        room = self._newcomers.room()
        max_series = self._settings.max_series or None
        try:
            stored = await self._store.append(batch, max_series=max_series, max_new_series=room)
        except AppendRefused as refused:
            if refused.reason == "stale":
                raise Forgotten from None
            if refused.reason == "full":
                raise Unavailable(str(refused)) from None
            raise Refused(str(refused), refused.reason) from None
        if stored.series_created:
            self._newcomers.began(stored.series_created)
        crowded = room is not None and stored.series_created >= room
        return stored, crowded


class Forgotten(Exception):
    """A series has left the head between the decoding of a request and its staging."""


def reason_of(error: BridgeError) -> str:
    """The name of a refusal in metrics."""
    if isinstance(error, Refused):
        return error.reason
    return next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), "bad_input")
