"""The edge in front of a real store, on a real socket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.buffer import AppendResult, Store
from bridge.clock import SystemClock
from bridge.edge import Answering, Gate
from bridge.errors import Unavailable
from bridge.line_protocol import LineLimits, LineMetrics, line_routes
from bridge.native import Batch
from tests.buffer.samples import dump, open_store
from tests.edge.serving import serving

__all__ = ["Edge", "edge"]


class Edge:
    """A running edge and a client of it."""

    def __init__(self, url: str, store: Store, session: aiohttp.ClientSession, registry: CollectorRegistry) -> None:
        self.url = url
        self.store = store
        self.session = session
        self.registry = registry

    async def write(self, body: bytes | str, path: str = "/write", **headers: str) -> tuple[int, str]:
        """POST; status and text."""
        async with self.session.post(path, data=body, headers=headers) as response:
            return response.status, await response.text()

    @property
    def lines(self) -> list[str]:
        """What the store holds."""
        return dump(self.store).splitlines()


class _Endpoint:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@contextlib.asynccontextmanager
async def edge(folder: Path, *, limits: LineLimits | None = None, broken: bool = False) -> AsyncIterator[Edge]:
    """A running edge; `broken`: nothing can be made durable."""
    store = open_store(folder)
    registry = CollectorRegistry()

    async def append(batch: Batch) -> AppendResult:
        if broken:
            raise Unavailable("disk full")
        return await store.append(batch)

    routes = line_routes(append, gate=Gate(1 << 20), clock=SystemClock(), metrics=LineMetrics(registry), limits=limits)
    app = Answering(Router([Route(path, _Endpoint(app)) for path, app in routes.items()]))
    async with serving(app) as port:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(url) as session:
            yield Edge(url, store, session, registry)
    await store.close()
