"""Pushgateway's JSON API and its administration, with what its users asked for in vain: deletion by matcher."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.types import Receive, Scope, Send

from bridge.edge import compressed, send_empty, send_json, send_response, send_text
from bridge.errors import BadInput
from bridge.model import parse_selector
from bridge.pushgw.groups import Groups, Selector

__all__ = ["PushApi"]

CORS = [
    (b"access-control-allow-headers", b"Accept, Authorization, Content-Type, Origin"),
    (b"access-control-allow-methods", b"GET, POST, DELETE, OPTIONS"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Date"),
    (b"cache-control", b"no-cache, no-store, must-revalidate"),
]
JSON = b"application/json"


class PushApi:
    """ASGI endpoints: `status` and `metrics` as Pushgateway has them, `wipe` and `delete_groups` for administrators."""

    def __init__(
        self, groups: Groups, build: Mapping[str, str], flags: Callable[[], Mapping[str, str]], started_ms: int
    ) -> None:
        self._groups = groups
        self._build = build
        self._flags = flags
        self._started = datetime.fromtimestamp(started_ms / 1000, tz=UTC).isoformat().replace("+00:00", "Z")

    async def status(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET /api/v1/status: build, settings, start time."""
        if not await _is_get(scope, send):
            return
        data = {"build_information": self._build, "flags": self._flags(), "start_time": self._started}
        await send_json(send, 200, {"status": "success", "data": data}, CORS)

    async def metrics(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET /api/v1/metrics: every group with its families, all numbers as strings."""
        if not await _is_get(scope, send):
            return

        def render() -> tuple[bytes, list[tuple[bytes, bytes]]]:
            return compressed(scope, b'{"status":"success","data":' + self._groups.table.api_json() + b"}")

        body, headers = await to_thread.run_sync(render)
        await send_response(send, 200, JSON, body, [*CORS, *headers])

    async def wipe(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """PUT /api/v1/admin/wipe: end all groups. Answers 202 when it is done and durable."""
        if scope["method"] != "PUT":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"PUT")])
            return
        await self._groups.delete_matching([], dry_run=False)
        await send_empty(send, 202)

    async def delete_groups(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """DELETE /api/v1/admin/groups?match[]=...: end the groups whose key a selector matches; `dry_run=1` only
        names them.

        A selector is required: everything at once is what `wipe` is for.
        """
        if scope["method"] != "DELETE":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"DELETE")])
            return
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        selectors: list[Selector] = [parse_selector(text) for text in query.get("match[]", [])]
        if not selectors:
            raise BadInput('no match[] parameter: give at least one selector, such as match[]={job="backup"}')
        dry_run = query.get("dry_run", ["0"])[-1] not in {"", "0", "false"}
        try:
            keys = await self._groups.delete_matching(selectors, dry_run=dry_run)
        except ValueError as error:
            raise BadInput(str(error)) from None
        data = {"dry_run": dry_run, "groups": [dict(key) for key in keys]}
        await send_response(send, 200, JSON, json.dumps({"status": "success", "data": data}).encode(), CORS)


async def _is_get(scope: Scope, send: Send) -> bool:
    """Answer what is no GET: OPTIONS with the CORS headers, everything else with 405."""
    if scope["method"] == "GET":
        return True
    if scope["method"] == "OPTIONS":
        await send_empty(send, 200, CORS)
    else:
        await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, OPTIONS")])
    return False
