"""The HTTP server: uvicorn, held to our choices."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bridge.config import Listen, Web

__all__ = ["Server", "bind"]

BACKLOG = 2048
KEEP_ALIVE = 75  # seconds; longer than the usual scrape and push intervals, so clients keep their connections
DRAIN = 5  # seconds that requests in progress get to finish after a stop


class Server(uvicorn.Server):
    """Serves one ASGI app on one socket; `stop()` ends it after what is in progress."""

    def __init__(self, app: ASGIApp, web: Web, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",  # whoever runs us has chosen it
                http="httptools",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=DRAIN,
                # uvicorn counts the connection that asks, too.
                limit_concurrency=web.max_connections + 1 if web.max_connections else None,
                ssl_context_factory=(lambda _config, _default: tls) if tls else None,
            )
        )

        self._stopping = asyncio.Event()

    async def main_loop(self) -> None:
        """Renew the Date header once a second until `stop`. uvicorn asks ten times a second whether to end."""
        tenths = 0
        while not await self.on_tick(tenths):
            tenths += 10
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command: uvicorn would raise them again after a clean stop."""
        yield

    def stop(self) -> None:
        """Stop accepting, finish what is in progress for up to DRAIN seconds, then return from `serve`."""
        self.should_exit = True
        self._stopping.set()


def bind(listen: Listen) -> socket.socket:
    """A listening socket; `[::]` takes IPv4 as well. Raises OSError."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    dual = family == socket.AF_INET6 and listen.host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    # Connections inherit it. uvloop sets it for each, asyncio for sockets made otherwise only: without it, an answer
    # whose body follows its head waits 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
