"""What has been decided about dead letters: requests of an operator, and what came of them.

One append-only file beside the letters, written by commands and by the running bridge alike, under a lock. A command
asks (`requeue`, `drop`); the bridge answers (`resent`, `refused`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bridge.buffer import Files
from bridge.errors import Unavailable
from bridge.forward.ranges import Ranges
from bridge.forward.records import append_records, encode_record, read_records

__all__ = ["Decisions", "Mark", "MarkFile"]

Mark = Literal["requeue", "drop", "resent", "refused"]

_LOCK_SECONDS = 10.0


@dataclass(slots=True)
class Decisions:
    """The marks of one sink, summed up.

    Attributes:
        requested: letters to be sent again.
        replaced: the lines to be sent instead, where an operator has mended them.
        settled: letters that were dropped, or sent again with success.
        resent: how many were sent again with success.
        dropped: how many were dropped.
        refused: letters that were refused again, with the newest reason.
    """

    requested: Ranges = field(default_factory=Ranges)
    replaced: dict[int, str] = field(default_factory=dict)
    settled: Ranges = field(default_factory=Ranges)
    resent: int = 0
    dropped: int = 0
    refused: dict[int, str] = field(default_factory=dict)

    def apply(self, record: dict[str, Any]) -> None:
        """Take one mark into account. What is settled stays so."""
        if record["mark"] == "summary":
            self.resent += record["resent"]
            self.dropped += record["dropped"]
            self.settled = Ranges(record["settled"])
            return
        for first, last in record["letters"]:
            match record["mark"]:
                case "requeue":
                    self._request(first, last, record.get("line"))
                case "refused":
                    self._close(first, last)
                    self.refused.update(dict.fromkeys(range(first, last + 1), record["reason"]))
                case "resent":
                    self.resent += self._settle(first, last)
                case "drop":
                    self.dropped += self._settle(first, last)

    def _request(self, first: int, last: int, line: str | None) -> None:
        for a, b in self._unsettled(first, last).runs():
            self.requested.add(a, b)
            if line is not None:
                self.replaced[a] = line

    def _settle(self, first: int, last: int) -> int:
        """How many of them were not settled yet."""
        self._close(first, last)
        count = len(self._unsettled(first, last))
        self.settled.add(first, last)
        return count

    def _close(self, first: int, last: int) -> None:
        """Whatever was asked or said about these is over."""
        self.requested.remove(first, last)
        self.replaced = {n: line for n, line in self.replaced.items() if not first <= n <= last}
        self.refused = {n: reason for n, reason in self.refused.items() if not first <= n <= last}

    def _unsettled(self, first: int, last: int) -> Ranges:
        rest = Ranges([(first, last)])
        for a, b in self.settled.runs():
            rest.remove(a, b)
        return rest

    def forget(self, first: int) -> None:
        """Forget letters before `first`, which are settled and gone; the counts remember them."""
        self.settled.remove(0, first - 1)

    def summary(self) -> list[bytes]:
        """Records that say the same in fewer words."""
        records: list[dict[str, Any]] = [
            {"mark": "summary", "resent": self.resent, "dropped": self.dropped, "settled": self.settled.runs()}
        ]
        records += [{"mark": "refused", "letters": [(n, n)], "reason": text} for n, text in self.refused.items()]
        if self.requested:
            records.append({"mark": "requeue", "letters": self.requested.runs()})
        records += [{"mark": "requeue", "letters": [(n, n)], "line": line} for n, line in self.replaced.items()]
        return [encode_record(record) for record in records]


class MarkFile:
    """The file of marks of one sink. Any process may read and add."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._path = path

    def read(self) -> Decisions:
        """All marks; damaged ones count as never made."""
        decisions = Decisions()
        for record in read_records(self._files, self._path):
            if record is not None:
                decisions.apply(record)
        return decisions

    def add(self, mark: Mark, letters: Ranges, **details: str) -> None:
        """Make a mark, durably. Raises OSError, or Unavailable when others keep the file locked."""
        record = {"mark": mark, "letters": letters.runs(), **details}
        self._locked(lambda: append_records(self._files, self._path, [encode_record(record)]))

    def condense(self, first: int) -> None:
        """Replace the marks by their sum, without letters before `first`."""

        def rewrite() -> None:
            decisions = self.read()
            decisions.forget(first)
            self._files.write_whole(self._path, b"".join(decisions.summary()))

        self._locked(rewrite)

    def size(self) -> int:
        """Length in bytes, which grows with every mark; 0 when there is none."""
        try:
            file = self._files.open(self._path)
        except FileNotFoundError:
            return 0
        try:
            return self._files.size(file)
        finally:
            self._files.close(file)

    def _locked(self, work: Callable[[], object]) -> None:
        """Run `work` while nobody else writes: another process may be replacing or extending the file."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            file = self._files.edit(self._path, or_create=True)
            try:
                # Whoever held the lock may have replaced the file that it was on.
                if self._files.lock(file) and self._files.still_named(file):
                    work()
                    return
            finally:
                self._files.close(file)
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._path} stays locked by another process")
            time.sleep(0.01)
