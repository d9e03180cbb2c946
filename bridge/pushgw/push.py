"""The push routes: PUT, POST and DELETE on `/metrics/job/...`.

A hot path: a plain ASGI callable that stands in front of the router. Source of texts and status codes: Pushgateway's
`handler/push.go` and `handler/delete.go`.
"""

import time
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from bridge.config import Push
from bridge.edge import Gate, Hold, decode_body, header, read_body, send_empty, send_text
from bridge.errors import BadInput, BridgeError, Inconsistent, LimitReached, TooLarge, Unavailable
from bridge.model import parse_duration
from bridge.native import Families, ParseError, TooManyMetrics, parse_families
from bridge.pushgw.groups import Groups
from bridge.pushgw.metrics import PushMetrics
from bridge.pushgw.negotiate import body_format
from bridge.pushgw.path import Key, parse_push_path

__all__ = ["PushRoute"]

ALLOW = (b"allow", b"DELETE, OPTIONS, POST, PUT")

REASONS: dict[type[BridgeError], str] = {
    Inconsistent: "inconsistent",
    TooLarge: "too_large",
    LimitReached: "limit",
    Unavailable: "unavailable",
}


class PushRoute:
    """ASGI app for everything below `/metrics/`; `prefix` is what stands before a push path, `/metrics/` included."""

    def __init__(self, groups: Groups, settings: Push, metrics: PushMetrics, gate: Gate, *, prefix: bytes) -> None:
        self._groups = groups
        self._settings = settings
        self._metrics = metrics
        self._prefix = prefix
        self._gate = gate

    def configure(self, settings: Push) -> None:
        """Take new settings for the requests to come."""
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; refusals are raised."""
        method: str = scope["method"]
        try:
            key = parse_push_path(scope["raw_path"][len(self._prefix) :], utf8_names=self._settings.utf8_names)
            if key is None:
                await send_text(send, 404, "404 page not found")
            elif method in {"PUT", "POST"}:
                await self._push(key, scope, receive, send)
            elif method == "DELETE":
                await self._groups.delete(key)
                self._metrics.requests.labels(method, "202").inc()
                await send_empty(send, 202)
            elif method == "OPTIONS":
                await send_empty(send, 200, [ALLOW])
            else:
                await send_text(send, 405, "Method Not Allowed", [ALLOW])
        except BridgeError as error:
            self._metrics.requests.labels(method, str(error.status)).inc()
            self._metrics.refused.labels(REASONS.get(type(error), "bad_input")).inc()
            raise

    async def _push(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method: str = scope["method"]
        replace = method == "PUT"
        merge_series = self._merges_series(scope, replace=replace)
        ttl_ms = _ttl(scope)
        with self._gate.hold() as hold:
            families = await self._families(scope, receive, hold)
            try:
                await self._groups.push(key, families, replace=replace, merge_series=merge_series, ttl_ms=ttl_ms)
            except Inconsistent:
                if self._settings.consistency_check:
                    raise
                self._metrics.refused.labels("inconsistent").inc()
        if self._settings.consistency_check:
            self._metrics.ok[method].inc()
            await send_empty(send, 200)
        else:
            self._metrics.requests.labels(method, "202").inc()
            await send_empty(send, 202)
        self._metrics.seconds.observe(time.perf_counter() - started)

    async def _families(self, scope: Scope, receive: Receive, hold: Hold) -> Families:
        """The body, read, decompressed and parsed; raises BadInput with the parser's own words."""
        settings = self._settings
        raw = await read_body(scope, receive, settings.max_body, hold)
        body = await decode_body(raw, header(scope, b"content-encoding"), settings.max_decompressed, hold)
        self._metrics.size.observe(len(body))
        kind = body_format((header(scope, b"content-type") or b"").decode("latin-1"))

        def parse() -> Families:
            return parse_families(
                body, kind, utf8=settings.utf8_names, lenient=settings.lenient, max_metrics=settings.max_series
            )

        try:
            return await self._gate.run(body, parse)
        except ParseError as error:
            raise BadInput(str(error)) from None
        except TooManyMetrics as error:
            raise LimitReached(f"{error}; send fewer or raise push.max_series") from None

    def _merges_series(self, scope: Scope, *, replace: bool) -> bool:
        query: bytes = scope["query_string"]
        if not query:
            return False
        merge = parse_qs(query.decode("latin-1")).get("merge", ["family"])[-1]
        if merge not in {"family", "series"}:
            raise BadInput(f'merge must be "family" or "series", got "{merge}"')
        if merge == "series" and replace:
            raise BadInput("merge=series goes with POST: PUT replaces the whole group")
        return merge == "series"


def _ttl(scope: Scope) -> int | None:
    """The X-Push-TTL header in ms; None when it is not there."""
    value = header(scope, b"x-push-ttl")
    if value is None:
        return None
    try:
        return parse_duration(value.decode("latin-1").strip())
    except ValueError as error:
        raise BadInput(f"X-Push-TTL: {error}") from None
