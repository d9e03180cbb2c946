"""Warnings and infos: what is odd about a query or its data and did not stop it, in Prometheus' words.

Texts are collected once each, however often they come up; positions are put behind them in the end.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from bridge.promql.ast import Span
from bridge.promql.errors import locate
from bridge.promql.quoting import quote

__all__ = ["Annotations", "Monotonicity", "Occurrences", "general", "of_metric"]

Text = str


class Detail(Protocol):
    """What is told beside an annotation's text, of all times that it came up."""

    def merged(self, other: "Detail") -> "Detail":
        """Of both."""

    def suffix(self) -> str:
        """As text."""


@dataclass(frozen=True, slots=True)
class Monotonicity:
    """How far buckets had to be changed so that each has at least what those below have.

    Attributes:
        first: ms.
        last: ms.
        low: the lowest bound of a bucket that was changed.
        high: the highest.
        most: by how much the count of one was changed, at most.
    """

    first: int
    last: int
    low: float
    high: float
    most: float
    samples: int = 1

    def merged(self, other: Detail) -> Detail:
        """Of both."""
        if not isinstance(other, Monotonicity):
            return self
        return Monotonicity(
            min(self.first, other.first),
            max(self.last, other.last),
            min(self.low, other.low),
            max(self.high, other.high),
            max(self.most, other.most),
            self.samples + other.samples,
        )

    def suffix(self) -> str:
        """As text."""
        first, last = (
            datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for ms in (self.first, self.last)
        )
        return (
            f", from buckets {general(self.low)} to {general(self.high)}, with a max diff of {self.most:.2g},"
            f" over {self.samples} samples from {first} to {last}"
        )


@dataclass(frozen=True, slots=True)
class Occurrences:
    """How often something was seen."""

    times: int

    def merged(self, other: Detail) -> Detail:
        """Of both."""
        return replace(self, times=self.times + other.times) if isinstance(other, Occurrences) else self

    def suffix(self) -> str:
        """As text."""
        return f" ({self.times} occurrences)" if self.times > 1 else ""


@dataclass(slots=True)
class Annotations:
    """Those of one query.

    Attributes:
        rank: how many operators are evaluated before the one that annotates. The last one's position is told.
    """

    rank: int = -1
    _warnings: dict[Text, "Note"] = field(default_factory=dict)
    _infos: dict[Text, "Note"] = field(default_factory=dict)

    def warn(self, text: str, pos: Span, detail: Detail | None = None) -> None:
        """Something that makes the result doubtful; `pos` is where in the query."""
        collect(self._warnings, f"PromQL warning: {text}", Note(self.rank, pos, detail))

    def info(self, text: str, pos: Span, detail: Detail | None = None) -> None:
        """Something that the user may not have meant."""
        collect(self._infos, f"PromQL info: {text}", Note(self.rank, pos, detail))

    def texts(self, query: str) -> tuple[list[str], list[str]]:
        """Warnings and infos with line and column."""
        return located(self._warnings, query), located(self._infos, query)


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation: who made it, and where in the query."""

    rank: int
    pos: Span
    detail: Detail | None


def collect(notes: dict[Text, Note], text: str, note: Note) -> None:
    """Collect one."""
    known = notes.get(text)
    if known is None:
        notes[text] = note
        return
    detail = note.detail.merged(known.detail) if note.detail and known.detail else note.detail or known.detail
    notes[text] = replace(note if note.rank >= known.rank else known, detail=detail)


def located(notes: dict[Text, Note], query: str) -> list[str]:
    """The texts as users read them, in the order in which operators are evaluated."""
    lines = []
    for text, note in sorted(notes.items(), key=lambda item: item[1].rank):
        line, column = locate(query, note.pos[0])
        lines.append(f"{text}{note.detail.suffix() if note.detail else ''} ({line}:{column})")
    return lines


def of_metric(text: str, metric: str) -> str:
    """The text with the metric's name, unless that is not known."""
    return f"{text} for metric name {quote(metric)}" if metric else text


def general(value: float) -> str:
    """A number as Go's `%g` has it: `1e+06`, `0.25`, `+Inf`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
    digits = Decimal(repr(value))
    if value and not -4 <= digits.adjusted() < 6:
        mantissa, exponent = f"{digits.normalize():e}".split("e")
        return f"{mantissa}e{exponent[0]}{int(exponent[1:]):02d}"
    return f"{digits:f}".removesuffix(".0")
