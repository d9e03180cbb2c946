"""`/status/walreplay`, and who answers while the store is being opened."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.envelope import send_data
from bridge.edge import send_response, send_text

__all__ = ["Entrance", "WalReplay"]

TEXT = b"text/plain; charset=utf-8"
PATIENCE = 10.0  # seconds that a request waits for the store before it is sent away


@dataclass
class WalReplay:
    """How far reading the log at start has come, by segment. `note` may be called in any thread."""

    first: int = 0
    last: int = 0
    current: int = 0
    state: Literal["waiting", "in progress", "done"] = "waiting"

    def note(self, first: int, last: int, current: int) -> None:
        """Of segments `first` to `last`, `current` is read now."""
        self.first, self.last, self.current, self.state = first, last, current, "in progress"

    def finish(self) -> None:
        """All are read."""
        self.current, self.state = self.last, "done"

    def row(self) -> Mapping[str, object]:
        """As Prometheus shows it."""
        return {"min": self.first, "max": self.last, "current": self.current, "state": self.state}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """ASGI endpoint: GET."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, OPTIONS")])
            return
        await send_data(send, self.row())


class Entrance:
    """ASGI app in front of a bridge that is still reading its log: it says so to those who ask how it is.

    All others wait a while, as they would for a server that has not begun to listen, and are then told to come again.
    """

    def __init__(self, replay: WalReplay, prefix: str) -> None:
        self._replay = replay
        self._answers: Mapping[str, ASGIApp] = {
            f"{prefix}/-/healthy": _healthy,
            f"{prefix}/-/ready": _unavailable,
            f"{prefix}/api/v1/status/walreplay": replay,
        }
        self._app: ASGIApp | None = None
        self._opened = asyncio.Event()

    def open(self, app: ASGIApp) -> None:
        """The bridge is there."""
        self._app = app
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None and scope["path"] not in self._answers:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._opened.wait()
            except TimeoutError:
                pass
        app = self._app or self._answers.get(scope["path"], _unavailable)
        await app(scope, receive, send)


async def _healthy(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_response(send, 200, TEXT, b"OK")


async def _unavailable(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"x-prometheus-stopping", b"false"), (b"retry-after", b"5")]
    await send_response(send, 503, TEXT, b"Service Unavailable", headers)
