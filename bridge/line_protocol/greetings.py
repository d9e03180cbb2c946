"""What Influx clients ask before they write: are you there, which version, create my database.

The version is that of the API that is spoken here. Databases need no creation; what else InfluxQL could ask, PromQL
answers.
"""

import re
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from bridge.edge import Gate, read_body, send_empty, send_json, send_text

__all__ = ["Query", "health", "ping"]

VERSION = "1.8.10"
VERSION_HEADERS = [(b"x-influxdb-version", VERSION.encode()), (b"x-influxdb-build", b"pushbridge")]

_NOTHING_TO_DO = re.compile(r"\s*(create\s+(database|retention\s+policy)|alter\s+retention\s+policy)\b", re.IGNORECASE)
_SHOW_DATABASES = re.compile(r"\s*show\s+databases\s*\Z", re.IGNORECASE)
_MAX_QUERY = 64 << 10


async def ping(scope: Scope, _receive: Receive, send: Send) -> None:
    """GET or HEAD /ping: 204 with the version."""
    if await _is_read(scope, send):
        await send_empty(send, 204, VERSION_HEADERS)


async def health(scope: Scope, _receive: Receive, send: Send) -> None:
    """GET or HEAD /health, as 1.8 and 2.x answer it."""
    if await _is_read(scope, send):
        text = {"name": "influxdb", "message": "ready for writes", "status": "pass", "version": VERSION}
        await send_json(send, 200, text, VERSION_HEADERS)


async def _is_read(scope: Scope, send: Send) -> bool:
    if scope["method"] in {"GET", "HEAD"}:
        return True
    await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, HEAD")])
    return False


class Query:
    """GET or POST /query: InfluxQL that sets up a database; `SHOW DATABASES` shows whichever is asked about."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer each statement of `q` apart, as InfluxDB does."""
        if scope["method"] not in {"GET", "POST"}:
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, POST")])
            return
        with self._gate.hold() as hold:
            form = await read_body(scope, receive, _MAX_QUERY, hold)
        text = scope["query_string"].decode("latin-1")
        parameters = parse_qs(f"{text}&{form.decode('latin-1')}", errors="replace")
        statements = [statement for statement in parameters.get("q", [""])[-1].split(";") if statement.strip()]
        if not statements:
            await send_json(send, 400, {"error": 'missing required parameter "q"'}, VERSION_HEADERS)
            return
        databases = parameters.get("db", [])
        results = [{"statement_id": i} | _answer(statement, databases) for i, statement in enumerate(statements)]
        await send_json(send, 200, {"results": results}, VERSION_HEADERS)


def _answer(statement: str, databases: list[str]) -> dict[str, object]:
    if _NOTHING_TO_DO.match(statement):
        return {}
    if _SHOW_DATABASES.match(statement):
        return {"series": [{"name": "databases", "columns": ["name"], "values": [[name] for name in databases]}]}
    return {"error": "InfluxQL queries are not answered here: use PromQL on /api/v1/query"}
