"""A small InfluxDB on a real socket that fails in every way that a real one does."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["FakeInflux", "Fault", "Write"]

Refuse = Callable[[str], str | None]
"""Why a line is refused, or None."""


@dataclass(frozen=True)
class Write:
    """A request to write."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]
    lines: list[str]


Fault = Callable[["FakeInflux", Write], Awaitable["Response | None"]]
"""What one request meets instead of good service; None: the connection is reset."""


def error(version: int, status: int, text: str, code: str = "invalid") -> Response:
    """A refusal in the words of 1.x or 2.x."""
    body = {"error": text} if version == 1 else {"code": code, "message": text}
    return Response(json.dumps(body), status, media_type="application/json")


@dataclass
class FakeInflux:
    """An ASGI app.

    `faults` are met by the next requests, one each; `always` by every one while it is set. Lines for which
    `unparsable` gives a reason fail their request; those for which `conflicting` does are dropped from it.
    """

    version: Literal[1, 2] = 1
    max_body: int | None = None
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    unparsable: Refuse = lambda _line: None
    conflicting: Refuse = lambda _line: None
    writes: list[Write] = field(default_factory=list)
    points: dict[tuple[str, int], str] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    served: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/ping":
            version = "1.8.10" if self.version == 1 else "v2.7.1"
            await Response(status_code=204, headers={"X-Influxdb-Version": version})(scope, receive, send)
            return
        response = await self._respond(request)
        if response is None:
            receive.__self__.transport.abort()  # type: ignore[attr-defined]
            while (await receive())["type"] != "http.disconnect":  # until the server notices
                pass
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response | None:
        if request.url.path != {1: "/write", 2: "/api/v2/write"}[self.version]:
            return PlainTextResponse("404 page not found", 404)
        body = await request.body()
        if self.max_body is not None and len(body) > self.max_body:
            return error(self.version, 413, "Request Entity Too Large")
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        lines = body.decode().splitlines()
        write = Write(request.url.path, dict(request.query_params), dict(request.headers), lines)
        self.writes.append(write)
        fault = self.faults.popleft() if self.faults else self.always
        return await fault(self, write) if fault is not None else self.serve(write)

    def serve(self, write: Write) -> Response:
        """Store what can be stored and answer as InfluxDB does."""
        self.served += 1
        bad = [(line, reason) for line in write.lines if (reason := self.unparsable(line))]
        if bad and self.version == 2:
            return error(2, 400, "\n".join(f"unable to parse '{line}': {reason}" for line, reason in bad))
        good = [line for line in write.lines if not self.unparsable(line)]
        dropped = [reason for line in good if (reason := self.conflicting(line))]
        for line in good:
            if not self.conflicting(line):
                self.store(line)
        if bad:
            text = "\n".join(f"unable to parse '{line}': {reason}" for line, reason in bad)
            return error(1, 400, f"partial write: {text} dropped=0" if good else text)
        if dropped:
            text = f"partial write: {dropped[0]} dropped={len(dropped)}"
            if self.version == 1:
                return error(1, 400, text)
            return error(2, 422, f"failure writing points to database: {text}", "unprocessable entity")
        return Response(status_code=204)

    def store(self, line: str) -> None:
        """Keep a point; one that is there with another value is a conflict."""
        series, fields, time = line.rsplit(" ", 2)
        key = (series, int(time))
        if self.points.setdefault(key, fields) != fields:
            self.conflicts.append(line)
