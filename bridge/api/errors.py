"""What Prometheus' HTTP API calls the ways in which a request can fail."""

from typing import Literal

from bridge.errors import BridgeError, QueryTooLarge, Unavailable, Unreadable
from bridge.promql import QueryFailed, QueryTimeout

__all__ = ["ApiError", "Kind", "kind_of"]

Kind = Literal["bad_data", "execution", "canceled", "timeout", "internal", "unavailable", "not_found", "not_acceptable"]

STATUS: dict[Kind, int] = {
    "bad_data": 400,
    "execution": 422,
    "canceled": 499,  # nginx' number for a client that has gone
    "timeout": 503,
    "internal": 500,
    "unavailable": 500,  # Prometheus has no status of its own for it
    "not_found": 404,
    "not_acceptable": 406,
}


class ApiError(BridgeError):
    """A failure under the name that clients know it by."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = STATUS[kind]


def kind_of(error: BridgeError) -> Kind:
    """The name for a refusal of the floors below; its status stays its own."""
    match error:
        case ApiError():
            return error.kind
        case QueryTimeout():
            return "timeout"
        case QueryFailed() | QueryTooLarge():
            return "execution"
        case Unreadable():
            return "internal"
        case Unavailable():
            return "unavailable"
        case _:
            return "bad_data" if error.status < 500 else "internal"
