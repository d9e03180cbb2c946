"""A small remote-write receiver on a real socket, with Prometheus' rules of order, that fails in every way.

1.0 takes a request whole or not at all; 2.0 takes what it can and says how much, and of which series the rest was.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import snappy
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from tests.remote_write.prompb import WriteRequest, WriteRequest2

__all__ = ["FakeReceiver", "Fault", "Row", "Write", "answers", "name_of", "slow"]

Labels = tuple[tuple[str, str], ...]
Refuse = Callable[[Labels, int, Any], str | None]
"""Why a sample is refused, or None."""


@dataclass(frozen=True)
class Row:
    """A sample as it came: value, or the message of a histogram."""

    labels: Labels
    t: int
    value: Any

    @property
    def bits(self) -> Any:
        """What it is compared by: NaN too is equal to itself."""
        return struct.pack("<d", self.value) if isinstance(self.value, float) else self.value.SerializeToString()


@dataclass(frozen=True)
class Write:
    """A request."""

    version: int
    headers: dict[str, str]
    message: Any
    rows: list[Row]
    exemplars: list[tuple[Labels, Labels, float, int]]
    metadata: dict[Labels, tuple[int, str, str]]


Fault = Callable[["FakeReceiver", Write], Awaitable["Response | None"]]
"""What one request meets instead of good service; None: the connection is reset."""


def name_of(labels: Labels) -> str:
    """As Go prints label sets."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def _rows(labels: Labels, series: Any) -> Iterator[Row]:
    for sample in series.samples:
        yield Row(labels, sample.timestamp, sample.value)
    for histogram in series.histograms:
        yield Row(labels, histogram.timestamp, histogram)


def read_v1(headers: dict[str, str], body: bytes) -> Write:
    """A message of 1.0."""
    message = WriteRequest.FromString(body)
    write = Write(1, headers, message, [], [], {})
    for series in message.timeseries:
        labels = tuple((label.name, label.value) for label in series.labels)
        write.rows.extend(_rows(labels, series))
        for exemplar in series.exemplars:
            own = tuple((label.name, label.value) for label in exemplar.labels)
            write.exemplars.append((labels, own, exemplar.value, exemplar.timestamp))
    return write


def read_v2(headers: dict[str, str], body: bytes) -> Write:
    """A message of 2.0."""
    message = WriteRequest2.FromString(body)
    write = Write(2, headers, message, [], [], {})
    symbols = message.symbols
    assert symbols[0] == ""

    def labels_of(refs: Any) -> Labels:
        assert len(refs) % 2 == 0
        return tuple((symbols[refs[i]], symbols[refs[i + 1]]) for i in range(0, len(refs), 2))

    for series in message.timeseries:
        labels = labels_of(series.labels_refs)
        assert series.samples or series.histograms, "a series without samples is an error"
        write.rows.extend(_rows(labels, series))
        for exemplar in series.exemplars:
            write.exemplars.append((labels, labels_of(exemplar.labels_refs), exemplar.value, exemplar.timestamp))
        told = series.metadata
        if series.HasField("metadata"):
            write.metadata[labels] = (told.type, symbols[told.help_ref], symbols[told.unit_ref])
    return write


@dataclass
class FakeReceiver:
    """An ASGI app.

    `faults` are met by the next requests of samples, one each; `always` by every request while it is set,
    `metadata_fault` by those of metadata alone, which have a list of their own. `refuse` tells which samples are bad.
    With `ordered` a sample older than the newest of its series is refused, as by a Prometheus. `silent` answers without
    counts, as receivers do that know nothing of 2.0; `named` lets a partial answer say which series.
    """

    versions: tuple[int, ...] = (1, 2)
    ordered: bool = True
    silent: bool = False
    named: bool = True
    max_body: int | None = None
    refuse: Refuse = lambda _labels, _t, _value: None
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    metadata_fault: Fault | None = None
    writes: list[Write] = field(default_factory=list)
    metadata_writes: list[Write] = field(default_factory=list)
    stored: dict[Labels, dict[int, Row]] = field(default_factory=dict)
    metadata: list[Any] = field(default_factory=list)
    under_way: int = 0
    side_by_side: int = 0
    served: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.under_way += 1
        self.side_by_side = max(self.side_by_side, self.under_way)
        try:
            response = await self._respond(Request(scope, receive))
        finally:
            self.under_way -= 1
        if response is None:
            receive.__self__.transport.abort()  # type: ignore[attr-defined]
            while (await receive())["type"] != "http.disconnect":  # until the server notices
                pass
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response | None:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.max_body is not None and len(body) > self.max_body:
            return PlainTextResponse("request too large", 413)
        assert headers["content-encoding"] == "snappy"
        assert headers["user-agent"].startswith("pushbridge/")
        version = 2 if "proto=io.prometheus.write.v2.Request" in headers["content-type"] else 1
        assert headers["x-prometheus-remote-write-version"] == {1: "0.1.0", 2: "2.0.0"}[version]
        if version not in self.versions and not self.silent:
            return PlainTextResponse("unsupported media type", 415)
        raw = snappy.uncompress(body)
        if self.silent:
            version = 1  # the fields of 2.0 mean nothing to it
        write = (read_v1 if version == 1 else read_v2)(headers, raw)
        if version == 1 and write.message.metadata:
            return await self._take_metadata(write)
        self.writes.append(write)
        fault = self.faults.popleft() if self.faults else self.always
        return await fault(self, write) if fault is not None else self.serve(write)

    async def _take_metadata(self, write: Write) -> Response | None:
        assert not write.rows, "metadata goes alone"
        self.metadata_writes.append(write)
        fault = self.metadata_fault or self.always
        if fault is not None:
            return await fault(self, write)
        self.metadata.append(write.message.metadata)
        return Response(status_code=204)

    def serve(self, write: Write) -> Response:
        """Store what can be stored and answer as a Prometheus does."""
        self.served += 1
        before = {labels: dict(rows) for labels, rows in self.stored.items()} if write.version == 1 else {}
        refused = [(row, reason) for row in write.rows if (reason := self._store(row))]
        if write.version == 1:
            if refused:
                self.stored = before
                return PlainTextResponse(refused[0][1], 400)
            return Response(status_code=204)
        written = len(write.rows) - len(refused)
        headers = {
            "X-Prometheus-Remote-Write-Samples-Written": str(written),
            "X-Prometheus-Remote-Write-Histograms-Written": "0",
            "X-Prometheus-Remote-Write-Exemplars-Written": str(len(write.exemplars)),
        }
        if not refused:
            return Response(status_code=204, headers=headers)
        named = (f"{reason} for series {name_of(row.labels)}" for row, reason in refused)
        text = "\n".join(named) if self.named else "out of order sample: one or more"
        return PlainTextResponse(text, 400, headers=headers)

    def _store(self, row: Row) -> str | None:
        if reason := self.refuse(row.labels, row.t, row.value):
            return reason
        rows = self.stored.setdefault(row.labels, {})
        newest = max(rows, default=None)
        if self.ordered and newest is not None and row.t < newest:
            return "out of order sample"
        if row.t in rows and rows[row.t].bits != row.bits:
            return "duplicate sample for timestamp"
        rows[row.t] = row
        return None

    @property
    def rows(self) -> dict[tuple[Labels, int], Any]:
        """All that is stored."""
        return {(labels, t): row.value for labels, rows in self.stored.items() for t, row in rows.items()}


def answers(status: int, text: str = "", **headers: str) -> Fault:
    """Nothing is stored and this is said."""

    async def fault(_sink: FakeReceiver, _write: Write) -> Response:
        return PlainTextResponse(text, status, {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


async def reset_after_commit(sink: FakeReceiver, write: Write) -> None:
    """All is stored, and nobody told."""
    sink.serve(write)


async def reset_before_commit(_sink: FakeReceiver, _write: Write) -> None:
    """Nothing is stored, and nobody told."""


async def error_after_commit(sink: FakeReceiver, write: Write) -> Response:
    """All is stored, and the contrary told."""
    sink.serve(write)
    return PlainTextResponse("context deadline exceeded", 500)


async def torn_answer(sink: FakeReceiver, write: Write) -> Response:
    """All is stored, and the answer ends before it should."""
    sink.serve(write)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        receive.__self__.transport.abort()  # type: ignore[attr-defined]

    return app  # type: ignore[return-value]


def slow(seconds: float) -> Fault:
    """All is stored, and said too late."""

    async def fault(sink: FakeReceiver, write: Write) -> Response:
        response = sink.serve(write)
        await asyncio.sleep(seconds)
        return response

    return fault


async def web_page(_sink: FakeReceiver, _write: Write) -> Response:
    """Somebody else answers there."""
    return HTMLResponse("<h1>Not here!</h1>", 404)


async def welcome(_sink: FakeReceiver, _write: Write) -> Response:
    """Somebody else answers there, and says that all is well."""
    return HTMLResponse("<h1>Welcome!</h1>", 200)
