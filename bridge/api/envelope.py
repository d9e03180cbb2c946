"""What every answer of Prometheus' HTTP API is wrapped in, and how its forms are read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.types import Receive, Scope, Send

from bridge.api.errors import ApiError, Kind, kind_of
from bridge.edge import Gate, compressed, header, read_body, send_response
from bridge.errors import BadInput, BridgeError

__all__ = ["Form", "Reply", "encoded", "read_form", "send_data", "send_error", "send_refusal", "send_reply"]

FORM_LIMIT = 10 << 20  # bytes, as Go's ParseForm has it
FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
INLINE = 64 << 10  # bytes; larger answers are put together and compressed in a thread

Form = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its data as JSON, and what clients show beside it."""

    data: bytes
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()

    @classmethod
    def of(cls, value: object, *, warnings: Sequence[str] = ()) -> "Reply":
        """With a value that JSON has."""
        return cls(encoded(value), warnings)


def encoded(value: object) -> bytes:
    """A value as JSON. Lone surrogates, which come from bytes that are no UTF-8, are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


async def read_form(scope: Scope, receive: Receive, gate: Gate) -> Form:
    """The parameters of a request: those of its body, then those of its address.

    Raises BadInput, TooLarge, SlowBody, Unavailable, ClientGone.
    """
    body = b""
    if (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower() == FORM:
        with gate.hold() as hold:
            body = await read_body(scope, receive, FORM_LIMIT, hold)
    form: dict[str, list[str]] = {}
    for text in (body, scope["query_string"]):
        if not text:
            continue
        try:
            fields = parse_qs(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=10_000)
        except ValueError as error:
            raise BadInput(f"error parsing form values: {error}") from None
        for name, values in fields.items():
            form.setdefault(name, []).extend(values)
    return form


async def send_reply(scope: Scope, send: Send, reply: Reply) -> None:
    """An answer, gzipped if it is worth it."""
    parts = [b'{"status":"success","data":', reply.data]
    if reply.warnings:
        parts += [b',"warnings":', encoded(list(reply.warnings))]
    if reply.infos:
        parts += [b',"infos":', encoded(list(reply.infos))]
    parts.append(b"}")

    def finish() -> tuple[bytes, list[tuple[bytes, bytes]]]:
        return compressed(scope, b"".join(parts))

    body, headers = finish() if len(reply.data) <= INLINE else await to_thread.run_sync(finish)
    await send_response(send, 200, JSON, body, headers)


async def send_data(send: Send, data: object) -> None:
    """A short answer."""
    await send_response(send, 200, JSON, b'{"status":"success","data":%b}' % encoded(data))


async def send_error(send: Send, kind: Kind, text: str) -> None:
    """A failure by its name."""
    await send_refusal(send, ApiError(kind, text))


async def send_refusal(send: Send, error: BridgeError) -> None:
    """A failure of this floor or of those below."""
    body = encoded({"status": "error", "errorType": kind_of(error), "error": str(error)})
    headers = [] if error.retry_after is None else [(b"retry-after", b"%d" % error.retry_after)]
    await send_response(send, error.status, JSON, body, headers)
