"""GET /metrics: the pushed metrics of all groups and the bridge's own, in the format that the client prefers."""

from urllib.parse import parse_qs

from anyio import to_thread
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import Receive, Scope, Send

from bridge.edge import header, negotiate, send_pieces, send_text
from bridge.native import Page, PushTable

__all__ = ["MetricsPage"]


class MetricsPage:
    """ASGI app. Rendering and compressing happen in a thread, piece by piece: the page may be larger than all that is
    kept, and pushes must not wait for it."""

    def __init__(self, table: PushTable, registry: CollectorRegistry) -> None:
        self._table = table
        self._registry = registry

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET: the page."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, OPTIONS")])
            return
        exposition = negotiate((header(scope, b"accept") or b"").decode("latin-1"))
        names = parse_qs(scope["query_string"].decode("latin-1")).get("name[]")

        def begin() -> Page:
            own = generate_latest(self._registry)
            return self._table.render(own, format=exposition.format, escaping=exposition.escaping, names=names)

        page = await to_thread.run_sync(begin)
        await send_pieces(scope, send, exposition.content_type.encode(), page)
