"""`/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`, with the answers of Prometheus and Pushgateway."""

from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from bridge.edge import send_response, send_text
from bridge.errors import ConfigError

__all__ = ["Lifecycle"]

TEXT = b"text/plain; charset=utf-8"
POST_OR_PUT = frozenset({"POST", "PUT"})


class Lifecycle:
    """ASGI endpoints.

    `unready` and `unhealthy` say what is wrong, None for nothing; `reload` raises ConfigError when the new
    configuration is bad; `quit_` asks the process to end.
    """

    def __init__(
        self,
        *,
        unready: Callable[[], str | None],
        unhealthy: Callable[[], str | None],
        reload: Callable[[], Awaitable[None]],
        quit_: Callable[[], None],
        quit_enabled: bool,
    ) -> None:
        self._unready = unready
        self._unhealthy = unhealthy
        self._reload = reload
        self._quit = quit_
        self._quit_enabled = quit_enabled

    async def healthy(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET, HEAD /-/healthy: 200, or 500 with what only a restart can mend."""
        await _state(scope, send, self._unhealthy())

    async def ready(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET, HEAD /-/ready: 200, or 500 with why pushes are refused at the moment."""
        await _state(scope, send, self._unready())

    async def reload(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """POST, PUT /-/reload: read the configuration again; 500 with every problem when it is bad and the old one
        stays."""
        if scope["method"] not in POST_OR_PUT:
            await send_text(send, 405, "Only POST or PUT requests allowed.")
            return
        try:
            await self._reload()
        except ConfigError as error:
            await send_text(send, 500, f"failed to reload config, the old one stays in force:\n{error}")
        else:
            await send_response(send, 200, TEXT, b"")

    async def quit(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """POST, PUT /-/quit: end the process, if that is allowed."""
        if scope["method"] not in POST_OR_PUT:
            await send_text(send, 405, "Only POST or PUT requests allowed.")
        elif not self._quit_enabled:
            await send_response(send, 403, TEXT, b"Lifecycle API is not enabled.")
        else:
            await send_response(send, 200, TEXT, b"Requesting termination... Goodbye!")
            self._quit()


async def _state(scope: Scope, send: Send, problem: str | None) -> None:
    status, text = (200, "OK") if problem is None else (500, problem)
    await send_response(send, status, TEXT, b"" if scope["method"] == "HEAD" else text.encode())
