"""The dead letters of a running sink: the one process that adds some.

A letter is on the disk before the cursor moves past its sample, so after a crash the last ones may be refused once more
and brought here again. Their samples' place in the log tells which those can be, and none of them is kept twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

from bridge.buffer import Files
from bridge.clock import Clock
from bridge.forward.bisect import Rejection
from bridge.forward.letters import DeadLetters, Letter
from bridge.forward.ranges import Ranges
from bridge.forward.records import append_records, encode_record, read_records

__all__ = ["LetterBox"]

_FILE_BYTES = 16 << 20


class LetterBox(DeadLetters):
    """The letters of one sink, opened for adding. All methods do file work and block; one thread at a time."""

    def __init__(self, files: Files, path: Path, clock: Clock, seq: int | None) -> None:
        """For a sink that goes on at `seq` samples, where its saved cursor stands; None: it begins, and letters that
        are there are of another log. Raises OSError."""
        super().__init__(files, path)
        self._clock = clock
        files.make_dir(path)
        files.sync_dir(path.parent)
        self._first = self._remove_settled()
        self._current = self._next = max(self._firsts(), default=1)
        self._size = 0
        for content in self._contents(self._current):
            # A damaged record had a number too, or two if the newline between them is what was damaged.
            self._next = self._next + 2 if content is None else content["letter"] + 1
        self._unsure = set(self._lines_beyond(seq)) if seq is not None else set()
        self._decisions = self._marks.read()
        self._marks_size = self._marks.size()

    def append(self, rejections: Iterable[Rejection], seq: int) -> None:
        """Keep lines of the slice that ends at `seq` samples, durably. Raises OSError: then they must come again."""
        fresh = [rejection for rejection in rejections if rejection.line not in self._unsure]
        records = [self._record(number, rejection, seq) for number, rejection in enumerate(fresh, self._next)]
        if not records:
            return
        if self._size >= _FILE_BYTES:
            self._current, self._size = self._next, 0
        self._size = append_records(self._files, self._file(self._current), records)
        self._next += len(records)

    def _record(self, number: int, rejection: Rejection, seq: int) -> bytes:
        return encode_record(
            {
                "letter": number,
                "time": self._clock.now_ms(),
                "code": rejection.code,
                "reason": rejection.reason,
                "line": rejection.line.decode(errors="replace"),
                "seq": seq,
            }
        )

    def look(self) -> bool:
        """Look for new marks; True when there are letters to be sent again."""
        size = self._marks.size()
        if size != self._marks_size:
            self._decisions = self._marks.read()
            self._marks_size = size
        return bool(self._decisions.requested)

    def requested(self, limit: int) -> list[Letter]:
        """Letters to be sent again, oldest first, `limit` at most."""
        return list(islice((letter for letter in self.letters() if letter.state == "requested"), limit))

    def answer(self, letters: Sequence[Letter], refused: dict[str, str]) -> None:
        """Note what came of sending `letters` again: those whose line is in `refused` (line -> reason) wait on."""
        for reason in set(refused.values()):
            numbers = [letter.number for letter in letters if refused.get(letter.line) == reason]
            self._marks.add("refused", Ranges((n, n) for n in numbers), reason=reason)
        sent = Ranges((letter.number, letter.number) for letter in letters if letter.line not in refused)
        if sent:
            self._marks.add("resent", sent)

    @property
    def waiting(self) -> int:
        """Letters that nobody has settled, as of the last look."""
        return self._next - self._first - len(self._decisions.settled)

    @property
    def resent(self) -> int:
        """Letters sent again with success over the sink's life, as of the last look."""
        return self._decisions.resent

    @property
    def dropped(self) -> int:
        """Letters given up over the sink's life, as of the last look."""
        return self._decisions.dropped

    def _remove_settled(self) -> int:
        """Remove files that nobody will ask for, but the newest, which keeps the count; the first letter left."""
        settled = self._marks.read().settled
        kept = None
        for first, following in pairwise(self._firsts()):
            if settled.covers(first, following - 1):
                self._files.remove(self._file(first))
            elif kept is None:
                kept = first
        first = kept if kept is not None else max(self._firsts(), default=1)
        if self._marks.size():
            self._files.sync_dir(self._path)
            self._marks.condense(first)
        return first

    def _lines_beyond(self, seq: int) -> Iterator[bytes]:
        """Lines of slices that end beyond `seq` samples: the newest letters, so older files need no look."""
        for first in reversed(self._firsts()):
            contents = [content for content in read_records(self._files, self._file(first)) if content is not None]
            yield from (content["line"].encode() for content in contents if content["seq"] > seq)
            if contents and contents[0]["seq"] <= seq:
                return
