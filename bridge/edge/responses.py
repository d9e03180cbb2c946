"""Sending a response in one piece, and the one place that turns a refusal into an answer."""

import http
import json
from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.edge.request import ClientGone
from bridge.errors import BridgeError, Unauthorized

__all__ = ["Answering", "Headers", "answer", "send_empty", "send_json", "send_response", "send_text"]

Headers = Iterable[tuple[bytes, bytes]]
Rendered = tuple[bytes, bytes]  # content type, body

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"
NOSNIFF = (b"x-content-type-options", b"nosniff")


async def send_response(send: Send, status: int, content_type: bytes, body: bytes, headers: Headers = ()) -> None:
    """A complete response; `headers` are further ones, names in lower case."""
    length = (b"content-length", b"%d" % len(body))
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), NOSNIFF, length, *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_text(send: Send, status: int, text: str, headers: Headers = ()) -> None:
    """Plain text that ends in a newline, as Go's http.Error sends it."""
    await send_response(send, status, *render_line(text), headers)


async def send_json(send: Send, status: int, value: object, headers: Headers = ()) -> None:
    """A JSON value."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    await send_response(send, status, JSON, body, headers)


async def send_empty(send: Send, status: int, headers: Headers = ()) -> None:
    """A response without a body."""
    length = [] if status == http.HTTPStatus.NO_CONTENT else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": b""})


def render_line(text: str) -> Rendered:
    """Text as the body of a response; lone surrogates, which come from bytes that are no UTF-8, are escaped."""
    return TEXT, text.encode(errors="backslashreplace") + b"\n"


def render_text(error: BridgeError) -> Rendered:
    """The message of a refusal, or the name of its status when it has none."""
    return render_line(str(error) or http.HTTPStatus(error.status).phrase)


async def answer(send: Send, error: BridgeError, render: Callable[[BridgeError], Rendered] = render_text) -> None:
    """Send a refusal: its status, what the client may do about it, and why."""
    headers = []
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after))
    if isinstance(error, Unauthorized):
        headers.append((b"www-authenticate", b"Basic"))
    await send_response(send, error.status, *render(error), headers)


class Answering:
    """ASGI middleware: what the app refuses becomes its answer, and a client that has gone becomes nothing.

    Anything else that an app raises is a bug: the server logs it and answers 500. `render` gives the body of a refusal
    for protocols whose clients expect more than a line of text.
    """

    def __init__(self, app: ASGIApp, render: Callable[[BridgeError], Rendered] = render_text) -> None:
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app and answer for it where it refuses."""
        try:
            await self.app(scope, receive, send)
        except BridgeError as error:
            await answer(send, error, self.render)
        except ClientGone:
            pass  # the response would go nowhere
