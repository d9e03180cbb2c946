"""Samples that a sink refused for good, kept as lines of text with the reason until somebody decides about them.

    rejected/<sink>/0000000001.letters   letters 1, 2, ...; the next file begins with the number in its name
    rejected/<sink>/marks                what was decided about them

Numbers are never given twice. Files whose letters are all settled are removed when the sink starts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bridge.buffer import Files
from bridge.forward.marks import Decisions, MarkFile
from bridge.forward.ranges import Ranges
from bridge.forward.records import read_records

__all__ = ["DeadLetters", "Letter", "LetterCounts"]

LetterState = Literal["waiting", "requested", "settled"]

_FILE = re.compile(r"([0-9]{10,})\.letters")


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused sample.

    Attributes:
        number: its name, unique for its sink.
        time: when it was refused, ms.
        code: HTTP status of the refusal.
        reason: the sink's words; those of the last refusal, if it was sent again.
        line: the sample as its sink has it; as mended, if it was.
        seq: samples accepted by the store up to the end of the slice that it came from.
        state: "waiting", "requested" (to be sent again), or "settled" (sent again, or dropped).
    """

    number: int
    time: int
    code: int
    reason: str
    line: str
    seq: int
    state: LetterState


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """How many letters are in which state; `resent` and `dropped` over the sink's life, `damaged` cannot be read."""

    waiting: int
    requested: int
    resent: int
    dropped: int
    damaged: int


class DeadLetters:
    """The letters of one sink, for reading and deciding: in any process, beside a running bridge or without one."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._path = path
        self._marks = MarkFile(files, path / "marks")

    @classmethod
    def all(cls, files: Files, path: Path) -> dict[str, "DeadLetters"]:
        """By sink, all that the folder `rejected` of a data directory holds."""
        return {name: cls(files, path / name) for name in files.list(path)}

    def letters(self) -> Iterator[Letter]:
        """All that there are, oldest first; damaged ones are left out."""
        decisions = self._marks.read()
        return (_letter(content, decisions) for content in self._contents() if content is not None)

    def counts(self) -> LetterCounts:
        """What a look at all files tells."""
        decisions = self._marks.read()
        states = {"waiting": 0, "requested": 0, "settled": 0}
        damaged = 0
        for content in self._contents():
            if content is None:
                damaged += 1
            else:
                states[_state(content["letter"], decisions)] += 1
        return LetterCounts(states["waiting"], states["requested"], decisions.resent, decisions.dropped, damaged)

    def requeue(self, numbers: Ranges, line: str | None = None) -> None:
        """Ask the sink to send these letters again, at once or after its next start; `line` in the place of theirs."""
        self._marks.add("requeue", numbers, **({"line": line} if line is not None else {}))

    def drop(self, numbers: Ranges) -> None:
        """Give these letters up."""
        self._marks.add("drop", numbers)

    def _contents(self, first: int = 0) -> Iterator[dict[str, Any] | None]:
        """Records of the files from `first` on; None for each damaged one.

        A write that failed half-way may have been repeated: of equal numbers the first counts.
        """
        last = 0
        for number in self._firsts():
            for content in read_records(self._files, self._file(number)) if number >= first else ():
                if content is None:
                    yield None
                elif content["letter"] > last:
                    last = content["letter"]
                    yield content

    def _firsts(self) -> list[int]:
        """The files, by the number of their first letter."""
        matches = (_FILE.fullmatch(name) for name in self._files.list(self._path))
        return sorted(int(match[1]) for match in matches if match is not None)

    def _file(self, first: int) -> Path:
        return self._path / f"{first:010d}.letters"


def _state(number: int, decisions: Decisions) -> LetterState:
    if number in decisions.settled:
        return "settled"
    return "requested" if number in decisions.requested else "waiting"


def _letter(content: dict[str, Any], decisions: Decisions) -> Letter:
    number = content["letter"]
    return Letter(
        number=number,
        time=content["time"],
        code=content["code"],
        reason=decisions.refused.get(number, content["reason"]),
        line=decisions.replaced.get(number, content["line"]),
        seq=content["seq"],
        state=_state(number, decisions),
    )
