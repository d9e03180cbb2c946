"""Where answers come from: a server, or a data directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = ["Answer", "Source", "Span"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The `data` of Prometheus' API as JSON, and what it says beside it."""

    data: bytes
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()


class Span(NamedTuple):
    """Times in ms, both inclusive; None: no bound."""

    mint: int | None = None
    maxt: int | None = None


class Source(Protocol):
    """What can be asked. Methods raise ClickException."""

    def instant(self, query: str, time: int) -> Answer:
        """The value of an expression at a time, ms."""

    def range(self, query: str, start: int, end: int, step: float) -> Answer:
        """The values of an expression from `start` to `end`, every `step` ms."""

    def series(self, selectors: Sequence[str], span: Span) -> Answer:
        """Label sets of the series that any selector finds."""

    def labels(self, name: str | None, selectors: Sequence[str], span: Span) -> Answer:
        """Names of labels, or the values of one."""
