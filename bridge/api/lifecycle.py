"""`/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`, with the answers of Prometheus and Pushgateway."""

from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from bridge.edge import send_response, send_text
from bridge.errors import ConfigError

__all__ = ["Lifecycle"]

TEXT = b"text/plain; charset=utf-8"
POST_OR_PUT = frozenset({"POST", "PUT"})


class Lifecycle:
    """ASGI endpoints; `reload` raises ConfigError when the new configuration is bad, `quit_` asks the process to
    end."""

    def __init__(
        self,
        *,
        problem: Callable[[], str | None],
        reload: Callable[[], Awaitable[None]],
        quit_: Callable[[], None],
        quit_enabled: bool,
    ) -> None:
        self._problem = problem
        self._reload = reload
        self._quit = quit_
        self._quit_enabled = quit_enabled

    async def health(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET, HEAD /-/healthy and /-/ready: 200, or 500 with what is wrong."""
        problem = self._problem()
        status, text = (200, "OK") if problem is None else (500, problem)
        body = b"" if scope["method"] == "HEAD" else text.encode()
        await send_response(send, status, TEXT, body)

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
