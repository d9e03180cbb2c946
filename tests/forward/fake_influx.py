"""A small InfluxDB on a real socket that fails in every way that a real one does."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["PATHS", "FakeInflux", "Fault", "Write"]

TOO_OLD = "points beyond retention policy"
# The same in the words of 2.8.
OUTSIDE = (
    "dropped 4 points outside retention policy of duration 1h0m0s - oldest point m,n=0 at 1970-01-01T00:00:01Z dropped"
    " because it violates a Retention Policy Lower Bound at 1970-01-01T00:00:01.003Z, newest point m,n=0 at"
    " 1970-01-01T00:00:01Z dropped because it violates a Retention Policy Lower Bound at 1970-01-01T00:00:01.003Z"
)
PATHS = {1: "/write", 2: "/api/v2/write", 3: "/api/v3/write_lp"}

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
    """A refusal in the words of 1.x, 2.x or 3."""
    body = {"code": code, "message": text} if version == 2 else {"error": text}
    return Response(json.dumps(body), status, media_type="application/json")


@dataclass
class FakeInflux:
    """An ASGI app.

    `faults` are met by the next requests, one each; `always` by every one while it is set. Lines for which
    `unparsable` gives a reason fail their request; those for which `conflicting` does are dropped from it.
    """

    version: Literal[1, 2, 3] = 1
    max_body: int | None = None
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    unparsable: Refuse = lambda _line: None
    conflicting: Refuse = lambda _line: None
    writes: list[Write] = field(default_factory=list)
    points: dict[tuple[str, int], str] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    served: int = 0
    missing: bool = False
    """There is no such database or bucket."""
    may_create: bool = True
    keeps: str = "0s"
    """How long points are kept, as Go writes it."""
    closed: bool = False
    """3 shows the token its own database and nothing else."""
    oldest: int | None = None
    """Points before this time, ms, are refused as 1.x and 2.x do."""
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/ping":
            await self._ping()(scope, receive, send)
            return
        response = await self._administrate(request) or await self._respond(request)
        if response is None:
            receive.__self__.transport.abort()  # type: ignore[attr-defined]
            while (await receive())["type"] != "http.disconnect":  # until the server notices
                pass
            return
        await response(scope, receive, send)

    def _ping(self) -> Response:
        if self.version == 3:
            return JSONResponse({"version": "3.10.0", "revision": "x"})
        version = "1.8.10" if self.version == 1 else "v2.7.1"
        return Response(status_code=204, headers={"X-Influxdb-Version": version})

    async def _administrate(self, request: Request) -> Response | None:
        """What is asked beside writing."""
        path, params, reads = request.url.path, request.query_params, request.method == "GET"
        if path == "/query":
            return self._influxql(params["q"])
        if path == "/api/v3/query_sql":
            return self._databases(params["db"])
        if path == "/api/v3/query_influxql":
            self.asked.append(params["q"])
            return JSONResponse([{"iox::database": "d", "name": "autogen", "duration": self.keeps}])
        if path == "/api/v2/buckets" and reads:
            self.asked.append(params["name"])
            if self.missing or params.get("org") != "o":
                return error(2, 404, f'bucket "{params["name"]}" not found', "not found")
            rules = [{"type": "expire", "everySeconds": self._seconds}]
            return JSONResponse({"buckets": [{"name": "b", "retentionRules": rules}]})
        if path == "/api/v2/orgs":
            return JSONResponse({"orgs": [{"id": "1", "name": "o"}]})
        if path in {"/api/v2/buckets", "/api/v3/configure/database"}:
            self.asked.append((await request.body()).decode())
            return self._create(JSONResponse({"name": "b", "retentionRules": []}, 201))
        return None

    @property
    def _seconds(self) -> int:
        """How long points are kept; 0: for ever."""
        return int(self.keeps.partition("h")[0]) * 3600 if "h" in self.keeps else 0

    def _databases(self, database: str) -> Response:
        """The table of databases of 3. A column that has nothing is not told."""
        if database != "_internal" or self.closed:
            return Response(status_code=403)
        return JSONResponse([{"retention_period_ns": self._seconds * 10**9} if self._seconds else {}])

    def _influxql(self, query: str) -> Response:
        self.asked.append(query)
        if query.startswith("CREATE DATABASE"):
            return self._create(JSONResponse({"results": [{"statement_id": 0}]}))
        columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
        rows = [["autogen", self.keeps, "1h0m0s", 1, True], ["short", "1h0m0s", "1h0m0s", 1, False]]
        return JSONResponse({"results": [{"statement_id": 0, "series": [{"columns": columns, "values": rows}]}]})

    def _create(self, done: Response) -> Response:
        if not self.may_create:
            return error(self.version, 403, "not allowed", "forbidden")
        self.missing = False
        return done

    async def _respond(self, request: Request) -> Response | None:
        if request.url.path != PATHS[self.version]:
            return PlainTextResponse("404 page not found", 404)
        body = await request.body()
        if self.max_body is not None and len(body) > self.max_body:
            return error(self.version, 413, "Request Entity Too Large")
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        lines = body.decode().splitlines()
        write = Write(request.url.path, dict(request.query_params), dict(request.headers), lines)
        self.writes.append(write)
        if self.missing:
            text = 'bucket "b" not found' if self.version == 2 else 'database not found: "d"'
            return error(self.version, 404, text, "not found")
        fault = self.faults.popleft() if self.faults else self.always
        return await fault(self, write) if fault is not None else self.serve(write)

    def serve(self, write: Write) -> Response:
        """Store what can be stored and answer as InfluxDB does."""
        self.served += 1
        if self.version == 3:
            return self._serve_v3(write)
        bad = [(line, reason) for line in write.lines if (reason := self.unparsable(line))]
        if bad and self.version == 2:
            return error(2, 400, "\n".join(f"unable to parse '{line}': {reason}" for line, reason in bad))
        good = [line for line in write.lines if not self.unparsable(line)]
        dropped = []
        for line in good:
            if reason := self._too_old(line) or self.conflicting(line):
                dropped.append(reason)
            else:
                self.store(line)
        if bad:
            text = "\n".join(f"unable to parse '{line}': {reason}" for line, reason in bad)
            return error(1, 400, f"partial write: {text} dropped=0" if good else text)
        if dropped:
            text = f"partial write: {dropped[0]} dropped={len(dropped)}"
            if self.version == 1:
                return error(1, 400, text)
            if dropped[0] == TOO_OLD:
                text = f"partial write: {OUTSIDE} dropped={len(dropped)} for database: 1 for retention policy: autogen"
            return error(2, 422, f"failure writing points to database: {text}", "unprocessable entity")
        return Response(status_code=204)

    def _too_old(self, line: str) -> str | None:
        is_old = self.oldest is not None and int(line.rsplit(" ", 1)[1]) < self.oldest
        return TOO_OLD if is_old else None

    def _serve_v3(self, write: Write) -> Response:
        """All lines but the bad ones are stored, and those are told by number."""
        told = []
        for number, line in enumerate(write.lines, 1):
            if reason := self.unparsable(line) or self.conflicting(line):
                told.append({"original_line": line[:20], "line_number": number, "error_message": reason})
            else:
                self.store(line)
        if told:
            return JSONResponse({"error": "partial write of line protocol occurred", "data": told}, 400)
        return Response(status_code=204)

    def store(self, line: str) -> None:
        """Keep a point; one that is there with another value is a conflict."""
        series, fields, time = line.rsplit(" ", 2)
        key = (series, int(time))
        if self.points.setdefault(key, fields) != fields:
            self.conflicts.append(line)
