"""Scripts of other origins may read the API, as far as `web.cors_origin` lets them (source: Prometheus'
`util/httputil/cors.go`)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.edge import header, send_empty, send_text
from bridge.native import Pattern

__all__ = ["Cors"]

HEADERS = [
    (b"access-control-allow-headers", b"Accept, Authorization, Content-Type, Origin"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-expose-headers", b"Date"),
]
VARY = (b"vary", b"Origin")


class Cors:
    """Says in every answer who may read it; `origins` is a regular expression that has to match a whole origin."""

    def __init__(self, origins: str) -> None:
        self._origins = Pattern(origins)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """The same endpoint, whose answers say so; it answers OPTIONS, too."""
        return _WithCors(app, self)

    async def anywhere(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """ASGI endpoint for what is no endpoint: OPTIONS may ask about any address."""
        if scope["method"] == "OPTIONS":
            await send_empty(send, 204, self.headers(scope))
        else:
            await send_text(send, 404, "404 page not found")

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What an answer to this request says."""
        origin = header(scope, b"origin")
        if not origin:
            return [VARY]
        if self._origins.matches(origin.decode("latin-1")):
            return [VARY, *HEADERS, (b"access-control-allow-origin", origin)]
        return [VARY, *HEADERS]


class _WithCors:
    def __init__(self, app: ASGIApp, cors: Cors) -> None:
        self._app = app
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await self._cors.anywhere(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._cors.headers(scope)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
