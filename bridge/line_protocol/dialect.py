"""How 1.x and 2.x name precisions and word their refusals."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import BadInput, BridgeError, LimitReached, TooLarge, Unauthorized, Unavailable, UnsupportedType

__all__ = ["V1", "V2", "Dialect"]

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One generation's manners.

    Attributes:
        name: "v1" or "v2", in metrics.
        precisions: what the parameter may be, with the name that the parser knows it by.
        wrong_precision: the refusal of any other, with `{}` for what was given.
        partial_status: the status of a write of which a part was refused.
        partial_text: what comes before `partial write: <why> dropped=<n>`.
        wrap: the JSON of a refusal.
    """

    name: str
    precisions: Mapping[str, str]
    wrong_precision: str
    partial_status: int
    partial_text: str
    wrap: Callable[[int, str], dict[str, str]]

    def precision(self, given: str) -> str:
        """The parser's name of a precision. Raises BadInput."""
        try:
            return self.precisions[given]
        except KeyError:
            raise BadInput(self.wrong_precision.format(json.dumps(given))) from None

    def partial(self, refused: int, reason: str | None) -> tuple[int, dict[str, str]]:
        """Status and JSON of a write of which `refused` samples were not taken; the others were."""
        text = f"{self.partial_text}partial write: {reason} dropped={refused}"
        return self.partial_status, self.wrap(self.partial_status, text)

    def render(self, error: BridgeError) -> tuple[bytes, bytes]:
        """Content type and body of a refusal."""
        return JSON, json.dumps(self.wrap(error.status, str(error)), ensure_ascii=False).encode(errors="replace")


_CODES = {
    BadInput.status: "invalid",
    Unauthorized.status: "unauthorized",
    TooLarge.status: "request too large",
    UnsupportedType.status: "unsupported media type",
    422: "unprocessable entity",
    LimitReached.status: "too many requests",
    Unavailable.status: "unavailable",
}

V1 = Dialect(
    name="v1",
    precisions={
        "": "ns",
        "n": "ns",
        "ns": "ns",
        "u": "us",
        "us": "us",
        "µ": "us",
        "ms": "ms",
        "s": "s",
        "m": "m",
        "h": "h",
    },
    wrong_precision="invalid precision {} (use n, u, ms, s, m or h)",
    partial_status=400,
    partial_text="",
    wrap=lambda _status, text: {"error": text},
)

V2 = Dialect(
    name="v2",
    precisions={"": "ns", "ns": "ns", "us": "us", "ms": "ms", "s": "s"},
    wrong_precision="invalid precision {}; valid precision units are ns, us, ms, and s",
    partial_status=422,
    partial_text="failure writing points to database: ",
    wrap=lambda status, text: {"code": _CODES.get(status, "internal error"), "message": text},
)
