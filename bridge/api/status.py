"""`/api/v1/status/sinks`: where every accepted sample is, sink by sink."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from bridge.edge import send_json, send_text

__all__ = ["SinkStatus"]


class SinkStatus:
    """ASGI endpoint. `rows` gives one object a sink; its figures satisfy accepted = sent + unrepresentable + expired +
    dead_lettered + pending."""

    def __init__(self, rows: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._rows = rows

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET: the figures."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET")])
            return
        await send_json(send, 200, {"status": "success", "data": {"sinks": list(self._rows())}})
