"""What every answer of Prometheus' HTTP API is wrapped in, and how its forms are read."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from bridge.edge import Gate, header, read_body, send_json
from bridge.errors import BadInput

__all__ = ["Form", "read_form", "send_data", "send_error"]

FORM_LIMIT = 10 << 20  # bytes, as Go's ParseForm has it
FORM = b"application/x-www-form-urlencoded"

STATUS = {"bad_data": 400, "internal": 500, "unavailable": 500}
"""The errors used here; Prometheus has no status of its own for `unavailable`."""

Form = Mapping[str, Sequence[str]]


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
        try:
            fields = parse_qs(text.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
        except ValueError as error:
            raise BadInput(f"error parsing form values: {error}") from None
        for name, values in fields.items():
            form.setdefault(name, []).extend(values)
    return form


async def send_data(send: Send, data: object) -> None:
    """An answer."""
    await send_json(send, 200, {"status": "success", "data": data})


async def send_error(send: Send, kind: str, text: str) -> None:
    """A refusal; `kind` is one of `STATUS`."""
    await send_json(send, STATUS[kind], {"status": "error", "errorType": kind, "error": text})
