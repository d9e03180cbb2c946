"""What a sink can do to every request for a while, in the words of each kind, and how it then shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.forward import fake_receiver as messages
from tests.forward import faults as lines
from tests.forward.kinds import KINDS, Kind

__all__ = ["TROUBLES", "Trouble", "each"]


@dataclass(frozen=True)
class Trouble:
    """A fault of InfluxDB and one of a receiver; None where a kind cannot have it. `state` is the sink's meanwhile."""

    lines: Any
    messages: Any
    state: str

    def of(self, kind: Kind) -> Any:
        """The fault of that kind."""
        return self.messages if kind.is_remote else self.lines


def _says(state: str, status: int, text: str, code: str = "", retry_after: str | None = None) -> Trouble:
    """The same status and text from all."""
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return Trouble(
        lines.answers(status, text, code=code, retry_after=retry_after),
        messages.answers(status, text, **headers),
        state,
    )


TROUBLES = {
    "500": Trouble(lines.not_stored, messages.answers(500, "boom"), "retrying"),
    "500 with half of it stored": Trouble(lines.half_stored, messages.error_after_commit, "retrying"),
    "429": _says("retrying", 429, "too many requests"),
    "429 with Retry-After": _says("retrying", 429, "too many requests", retry_after="1"),
    "429 with a long Retry-After": _says("retrying", 429, "too many requests", retry_after="1200"),
    "503": _says("retrying", 503, "request throttled, queue full"),
    "503 with Retry-After": _says("retrying", 503, "wait", retry_after="1"),
    "slow": Trouble(lines.slow(0.4), messages.slow(0.4), "retrying"),
    "reset after commit": Trouble(lines.reset_after_commit, messages.reset_after_commit, "retrying"),
    "reset before commit": Trouble(lines.reset_before_commit, messages.reset_before_commit, "retrying"),
    "torn answer": Trouble(lines.torn, messages.torn_answer, "retrying"),
    "401": _says("held", 401, "unauthorized access", "unauthorized"),
    "403": _says("held", 403, "forbidden", "forbidden"),
    "404": Trouble(lines.answers(404, 'database not found: "d"', code="not found"), messages.web_page, "held"),
    "a limit of InfluxDB 3": Trouble(
        lines.answers(422, "Update to schema would exceed number of tables per database"), None, "held"
    ),
    "a full buffer told as 400": Trouble(
        lines.answers(400, "error from wal: wal buffer full with 9 ops", code="invalid"), None, "retrying"
    ),
    "a 400 that says nothing": Trouble(None, messages.answers(400, "some proxy is in a mood"), "held"),
    "no retention policy": Trouble(lines.answers(500, "retention policy not found: x"), None, "held"),
    "a web page that says 200": Trouble(lines.web_page, messages.welcome, "held"),
    "a redirect": _says("held", 302, ""),
}


def each(*names: str) -> list[tuple[str, str]]:
    """(trouble, kind) for all kinds that can have it, of those `names`, or of all."""
    return [(name, kind) for name in names or TROUBLES for kind in KINDS if TROUBLES[name].of(KINDS[kind]) is not None]
