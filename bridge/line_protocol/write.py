"""The write routes: a body of lines becomes one batch, durable before the answer.

A request with a line that cannot be read is refused whole, as InfluxDB 2 does. Samples that the store refuses (older
than their series' newest, or another value at the same time) are left out and counted in the answer, so that a client
that sends its batch until it is taken gets on. A batch that was stored and is sent again is taken again.

`db`, `rp`, `org` and `bucket` are accepted and mean nothing here: there is one store.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from bridge.clock import Clock
from bridge.edge import Gate, answer, decode_body, header, read_body, send_empty, send_json, send_text
from bridge.errors import BadInput, BridgeError, TooLarge
from bridge.line_protocol.dialect import Dialect
from bridge.line_protocol.metrics import LineMetrics
from bridge.native import Batch, LabelsTooLong, LineError, parse_lines

__all__ = ["Append", "Appended", "LineLimits", "WriteRoute"]


class Appended(Protocol):
    """What became of a batch: `bridge.buffer.AppendResult`."""

    @property
    def refused(self) -> int:
        """Samples that were left out."""

    @property
    def refusal(self) -> str | None:
        """Why the first of them was."""


Append = Callable[[Batch], Awaitable[Appended]]


@dataclass(frozen=True, slots=True)
class LineLimits:
    """Bytes that one request may have: as sent, decompressed, and of labels, which each field of a point repeats."""

    body: int = 25_000_000
    decompressed: int = 64 << 20
    labels: int = 256 << 20


class WriteRoute:
    """ASGI endpoint of one dialect."""

    def __init__(
        self, dialect: Dialect, append: Append, *, gate: Gate, limits: LineLimits, clock: Clock, metrics: LineMetrics
    ) -> None:
        self._dialect = dialect
        self._append = append
        self._gate = gate
        self._limits = limits
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 204, or say in the dialect's way what is wrong."""
        if scope["method"] != "POST":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"POST")])
            return
        try:
            appended = await self._write(scope, receive)
        except BridgeError as error:
            self._count(error.status)
            await answer(send, error, self._dialect.render)
            return
        if appended is not None and appended.refused:
            self._metrics.refused.inc(appended.refused)
            status, text = self._dialect.partial(appended.refused, appended.refusal)
            self._count(status)
            await send_json(send, status, text)
            return
        self._count(204)
        await send_empty(send, 204)

    async def _write(self, scope: Scope, receive: Receive) -> Appended | None:
        """None when there was nothing to store."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        precision = self._dialect.precision(query.get("precision", [""])[-1])
        limits = self._limits
        with self._gate.hold() as hold:
            raw = await read_body(scope, receive, limits.body, hold)
            encoding = header(scope, b"content-encoding")
            body = await decode_body(raw, encoding, limits.decompressed, hold, refuse_unknown=True)
            batch, skipped = await self._parse(body, precision)
            self._metrics.skipped.inc(skipped)
            self._metrics.samples.inc(len(batch))
            return await self._append(batch) if len(batch) else None

    async def _parse(self, body: bytes, precision: str) -> tuple[Batch, int]:
        def parse() -> tuple[Batch, int]:
            return parse_lines(body, precision, self._clock.now_ms(), self._limits.labels)

        try:
            return await self._gate.run(body, parse)
        except LineError as error:
            raise BadInput(str(error)) from None
        except LabelsTooLong as error:
            raise TooLarge(str(error)) from None

    def _count(self, status: int) -> None:
        self._metrics.requests.labels(self._dialect.name, str(status)).inc()
