"""An endpoint of Prometheus' HTTP API: from a form to an answer in its envelope."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from bridge.api.envelope import Form, Reply, read_form, send_refusal, send_reply
from bridge.edge import Gate, send_empty, send_text
from bridge.errors import BridgeError

__all__ = ["Call", "Endpoint", "Work"]

logger = structlog.get_logger(__name__)

GET = ("GET",)
GET_POST = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose form has been read. `path` are the parts of the address that vary."""

    form: Form
    path: dict[str, str]
    receive: Receive

    def first(self, name: str) -> str:
        """The first value of a parameter; empty when it was not given."""
        values = self.form.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> list[str]:
        """All values of a parameter."""
        return list(self.form.get(name, ()))

    async def gone(self) -> None:
        """Return when the client has gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


Work = Callable[[Call], Awaitable[Reply | None]]
"""What an endpoint does; None answers 204. May raise any BridgeError."""


class Endpoint:
    """ASGI endpoint for GET and, unless told otherwise, POST forms."""

    def __init__(self, work: Work, gate: Gate, *, post: bool = True) -> None:
        self._work = work
        self._gate = gate
        self._methods = GET_POST if post else GET

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in self._methods:
            allow = (b"allow", ", ".join(sorted((*self._methods, "OPTIONS"))).encode())
            await send_text(send, 405, "Method Not Allowed", [allow])
            return
        try:
            form = await read_form(scope, receive, self._gate)
            reply = await self._work(Call(form, scope.get("path_params") or {}, receive))
        except BridgeError as error:
            if error.status >= 500 and error.retry_after is None:
                logger.warning("request failed", path=scope["path"], reason=str(error))
            await send_refusal(send, error)
            return
        await (send_empty(send, 204) if reply is None else send_reply(scope, send, reply))
