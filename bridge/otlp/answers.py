"""What OTLP/HTTP answers, in the form of the request: `ExportMetricsServiceResponse`, or a `google.rpc.Status`."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BridgeError, UnsupportedType

__all__ = ["Form", "form_of"]

# google.rpc.Code of an HTTP status; any other is INTERNAL.
CODES = {400: 3, 401: 16, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
INTERNAL = 13


@dataclass(frozen=True, slots=True)
class Form:
    """How a request is written, and its answer.

    Attributes:
        name: in metrics.
        content_type: of both.
        partial: the body of an answer that tells how many points were refused and why.
        accepted: the body of one that has nothing to tell.
        status: the body of a refusal, from code and text.
    """

    name: str
    content_type: bytes
    partial: Callable[[int, str], bytes]
    accepted: bytes
    status: Callable[[int, str], bytes]

    def render(self, error: BridgeError) -> tuple[bytes, bytes]:
        """Content type and body of a refusal."""
        return self.content_type, self.status(CODES.get(error.status, INTERNAL), str(error))


def _uvarint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _number_and_text(number: int, text: str) -> bytes:
    """A message with an integer in field 1 and a string in field 2, as all of these are."""
    encoded = text.encode(errors="backslashreplace")
    first = b"\x08" + _uvarint(number) if number else b""
    return first + (b"\x12" + _uvarint(len(encoded)) + encoded if encoded else b"")


def _partial_protobuf(refused: int, why: str) -> bytes:
    message = _number_and_text(refused, why)
    return b"\x0a" + _uvarint(len(message)) + message


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


PROTOBUF = Form(
    name="protobuf",
    content_type=b"application/x-protobuf",
    partial=_partial_protobuf,
    accepted=b"",
    status=_number_and_text,
)

JSON = Form(
    name="json",
    content_type=b"application/json",
    # ProtoJSON has integers of 64 bits as strings.
    partial=lambda refused, why: _json({"partialSuccess": {"rejectedDataPoints": str(refused), "errorMessage": why}}),
    accepted=b"{}",
    status=lambda code, text: _json({"code": code, "message": text}),
)

FORMS = {form.content_type: form for form in (PROTOBUF, JSON)}


def form_of(content_type: bytes | None) -> Form:
    """By Content-Type, whatever its parameters. Raises UnsupportedType."""
    name = (content_type or b"").partition(b";")[0].strip().lower()
    try:
        return FORMS[name]
    except KeyError:
        known = ", ".join(kind.decode() for kind in FORMS)
        raise UnsupportedType(f"unsupported content type: {name.decode('latin-1')!r}, supported: [{known}]") from None
