"""Remote read, `POST /api/v1/read`: a Prometheus that is set up with `remote_read` asks us for samples or chunks.

What it asks for is answered as local queries see it: pushed values stand until the next one. External labels are added
to every series, and a matcher that wants such a label is not asked of the store, whose series have not got it.

| response type | body | held in memory |
|---|---|---|
| SAMPLES | `ReadResponse` in one snappy block, whose length comes first | the compressed answer |
| STREAMED_XOR_CHUNKS | frames of chunks as they are stored | one piece |
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import Message, Receive, Scope, Send

from bridge.buffer import ReadAnswer, Selector
from bridge.edge import Gate, Hold, header, read_body, send_text
from bridge.errors import BadInput, BridgeError, QueryTooLarge, UnsupportedType
from bridge.native import ReadRequestError, read_heads, read_request

__all__ = ["ReadLimits", "ReadMetrics", "ReadRoute", "Reads"]

logger = structlog.get_logger(__name__)

T = TypeVar("T")

SAMPLES, STREAMED_XOR_CHUNKS = 0, 1
CHUNKED_TYPE = b"application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
CHUNKED_START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", CHUNKED_TYPE)]}
NAMES = {SAMPLES: "samples", STREAMED_XOR_CHUNKS: "streamed_xor_chunks"}


class Reads(Protocol):
    """What is asked of the store: `bridge.buffer.View.querier`."""

    def read_chunks(
        self, selector: Selector, number: int, external: Iterable[tuple[str, str]]
    ) -> Generator[bytes, None, None]:
        """Frames with the chunks of query number `number`."""

    def read_samples(
        self, selector: Selector, external: Iterable[tuple[str, str]], *, max_samples: int
    ) -> Generator[ReadAnswer, None, None]:
        """Compressed samples, and beside each piece the bytes that all so far were. Raises QueryTooLarge."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What requests may take.

    Attributes:
        body: bytes of a request, compressed or not.
        samples: of one query of a request for samples.
        concurrency: requests that are answered at a time; others wait.
        memory: bytes of compressed answers that are being made, all requests together; beyond it 503.
        patience: seconds that a client may take for a piece of its answer.
    """

    body: int = 32 << 20
    samples: int = 50_000_000
    concurrency: int = 10
    memory: int = 512 << 20
    patience: float = 60.0


class ReadMetrics:
    """What remote read counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "pushbridge_remote_read_requests", "Answers by response type.", ("type", "code"), registry=registry
        )
        self.queries = Gauge(
            "pushbridge_remote_read_queries", "Requests that are being answered or wait for that.", registry=registry
        )


class ReadRoute:
    """ASGI endpoint."""

    def __init__(
        self,
        reads: Reads,
        external_labels: Mapping[str, str],
        *,
        gate: Gate,
        metrics: ReadMetrics,
        limits: ReadLimits | None = None,
    ) -> None:
        self._reads = reads
        self._external = dict(external_labels)
        self._gate = gate
        self._metrics = metrics
        self._limits = limits or ReadLimits()
        self._turns = CapacityLimiter(self._limits.concurrency)
        self._answers = Gate(self._limits.memory)

    def configure(self, external_labels: Mapping[str, str]) -> None:
        """Add these labels from now on."""
        self._external = dict(external_labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the first of the types that the client takes and we have."""
        if scope["method"] != "POST":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"POST")])
            return
        kind = "none"
        try:
            with self._metrics.queries.track_inprogress():
                async with self._turns:
                    selectors, accepted = await self._request(scope, receive)
                    chosen = negotiate(accepted)
                    kind = NAMES[chosen]
                    if chosen == SAMPLES:
                        await self._send_samples(selectors, send)
                    else:
                        await self._send_chunks(selectors, receive, send)
        except BridgeError as error:
            self._metrics.requests.labels(kind, str(error.status)).inc()
            raise
        self._metrics.requests.labels(kind, "200").inc()

    async def _request(self, scope: Scope, receive: Receive) -> tuple[list[Selector], list[int]]:
        encoding = (header(scope, b"content-encoding") or b"snappy").strip().lower()
        if encoding != b"snappy":
            raise UnsupportedType(f"unsupported Content-Encoding {encoding.decode('latin-1')!r}: only snappy is read")
        with self._gate.hold() as hold:
            body = await read_body(scope, receive, self._limits.body, hold)
            try:
                queries, accepted = await self._gate.run(body, lambda: read_request(body, self._limits.body))
            except ReadRequestError as error:
                raise BadInput(str(error)) from None
        return [Selector(self._asked(matchers), mint, maxt, held=True) for mint, maxt, matchers in queries], accepted

    def _asked(self, matchers: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        """The matchers as the store understands them: its series have no external labels."""
        return [
            (name, "=", "") if operator == "=" and self._external.get(name) == value else (name, operator, value)
            for name, operator, value in matchers
        ]

    async def _send_samples(self, selectors: list[Selector], send: Send) -> None:
        results: list[list[bytes]] = []
        lengths: list[int] = []
        with self._answers.hold() as hold:
            for selector in selectors:
                pieces, length = await self._samples(selector, hold)
                results.append(pieces)
                lengths.append(length)
            try:
                block, heads = read_heads(lengths)
            except ValueError as error:
                raise BadInput(str(error)) from None
            parts = [block]
            for head, pieces in zip(heads, results, strict=True):
                parts += [head, *pieces]
            size = sum(map(len, parts))
            headers = [
                (b"content-type", b"application/x-protobuf"),
                (b"content-encoding", b"snappy"),
                (b"content-length", b"%d" % size),
            ]
            await self._patiently(send, {"type": "http.response.start", "status": 200, "headers": headers})
            for part in parts:
                await self._patiently(send, {"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _samples(self, selector: Selector, hold: Hold) -> tuple[list[bytes], int]:
        """The compressed samples of one query, and their length before that."""
        found = self._reads.read_samples(selector, self._external.items(), max_samples=self._limits.samples)
        pieces: list[bytes] = []
        length = 0
        try:
            async with contextlib.aclosing(stepwise(found)) as answers:
                async for answer in answers:
                    hold.grow(len(answer.data))
                    pieces.append(answer.data)
                    length = answer.length
        except QueryTooLarge:
            raise BadInput(f"exceeded sample limit ({self._limits.samples})") from None
        return pieces, length

    async def _send_chunks(self, selectors: list[Selector], receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(receive())
        started = False
        try:
            async with contextlib.aclosing(stepwise(self._frames(selectors))) as frames:
                async for piece in frames:
                    if gone.done():
                        return
                    if not started:
                        await self._patiently(send, CHUNKED_START)
                        started = True
                    await self._patiently(send, {"type": "http.response.body", "body": piece, "more_body": True})
        except (BridgeError, TimeoutError) as error:
            if not started:
                raise
            # The answer breaks off: the client sees that its last chunk is missing.
            logger.error("remote read broke off", error=str(error) or "the client reads too slowly")  # noqa: TRY400
            return
        finally:
            gone.cancel()
        if not started:
            await send(CHUNKED_START)
        await send({"type": "http.response.body", "body": b""})

    def _frames(self, selectors: list[Selector]) -> Generator[bytes, None, None]:
        for number, selector in enumerate(selectors):
            yield from self._reads.read_chunks(selector, number, self._external.items())

    async def _patiently(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._limits.patience):
            await send(message)


def negotiate(accepted: list[int]) -> int:
    """The first type that we have; samples when nothing is asked for. Raises BadInput."""
    for kind in accepted or [SAMPLES]:
        if kind in NAMES:
            return kind
    raise BadInput(
        f"server does not support any of the requested response types: {accepted}; supported: {sorted(NAMES)}"
    )


async def stepwise(items: Generator[T, None, None]) -> AsyncGenerator[T, None]:
    """Each step of a generator is taken in a thread; it is closed whatever happens."""
    try:
        while (item := await to_thread.run_sync(next, items, None)) is not None:
            yield item
    finally:
        items.close()
