"""How far each reader of the log has come, and what it misses on its way."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.buffer.gaps import Gap, MissedExemplars
from bridge.buffer.position import Position
from bridge.buffer.state import Schema, State
from bridge.native import Extent

__all__ = ["CURSORS", "Cursor", "Cursors"]

CURSORS = Schema(
    "cursors",
    (
        """CREATE TABLE cursors (
            name TEXT PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
            seq INTEGER NOT NULL, counters TEXT NOT NULL
        )""",
        """CREATE TABLE gaps (
            name TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
            seq INTEGER NOT NULL, spans TEXT NOT NULL, PRIMARY KEY (name, segment, offset)
        )""",
        "ALTER TABLE gaps ADD COLUMN exemplars TEXT NOT NULL DEFAULT 'null'",
    ),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A reader is done with all before `position`, which are `seq` samples. `counters` are its own, as JSON."""

    position: Position
    seq: int
    counters: dict[str, Any] = field(default_factory=dict)


class Cursors:
    """Durable cursors by name. A reader without one begins at the oldest position of the log: at least once.

    Each part of the log that goes before a reader has come to it is a gap of that reader, until its cursor stands
    behind it: cursors and gaps change in one transaction.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._cursors = state.read(_load)
        self._gaps = state.read(_load_gaps)

    def load(self, name: str) -> Cursor | None:
        """The cursor as it was last saved."""
        return self._cursors.get(name)

    async def save(self, name: str, cursor: Cursor, also: Callable[[sqlite3.Connection], object] | None = None) -> None:
        """Return once the cursor is durable, together with what `also` writes in the same transaction."""

        def write(connection: sqlite3.Connection) -> None:
            row = (name, *cursor.position, cursor.seq, json.dumps(cursor.counters))
            connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)", row)
            passed = "DELETE FROM gaps WHERE name = ? AND (segment, offset) <= (?, ?)"
            connection.execute(passed, (name, *cursor.position))
            if also is not None:
                also(connection)

        await self._state.write(write)
        self._cursors[name] = cursor
        if name in self._gaps:
            self._gaps[name] = [gap for gap in self._gaps[name] if gap.end > cursor.position]

    async def drop(self, name: str) -> None:
        """Forget a reader that is no more, so that nothing is kept for it."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM cursors WHERE name = ?", (name,))
            connection.execute("DELETE FROM gaps WHERE name = ?", (name,))

        await self._state.write(write)
        self._cursors.pop(name, None)
        self._gaps.pop(name, None)

    async def note_gap(self, name: str, gap: Gap) -> None:
        """Return once it is durable that a reader misses this too; gaps are noted in log order."""
        row = (name, *gap.end, gap.seq, json.dumps(gap.spans), json.dumps(gap.exemplars))
        await self._state.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?, ?)", row)
        )
        others = [other for other in self._gaps.get(name, []) if other.end != gap.end]
        self._gaps[name] = [*others, gap]

    def gap(self, name: str, position: Position) -> Gap | None:
        """All that a reader at `position` misses before it can read on, as one; None when nothing is known of any."""
        missed = [gap for gap in self._gaps.get(name, []) if gap.end > position]
        if not missed:
            return None
        spans = Extent([span for gap in missed for span in gap.spans]).spans
        exemplars = MissedExemplars.of(gap.exemplars for gap in missed)
        return Gap(missed[-1].end, missed[-1].seq, tuple(spans), exemplars)

    def reached(self, name: str) -> tuple[Position, int] | None:
        """Where what a reader still needs of the log begins, and the samples before there; None: there is no reader."""
        cursor = self._cursors.get(name)
        if cursor is None:
            return None
        gap = self.gap(name, cursor.position)
        return (cursor.position, cursor.seq) if gap is None else (gap.end, gap.seq)

    def names(self) -> list[str]:
        """Readers known, sorted."""
        return sorted(self._cursors)

    def oldest(self) -> Position | None:
        """Before here every reader is done, or knows what it misses; None when there are no readers."""
        places = (self.reached(name) for name in self._cursors)
        return min((place[0] for place in places if place is not None), default=None)


def _load(connection: sqlite3.Connection) -> dict[str, Cursor]:
    rows = connection.execute("SELECT name, segment, offset, seq, counters FROM cursors")
    return {
        name: Cursor(Position(segment, offset), seq, json.loads(counters))
        for name, segment, offset, seq, counters in rows
    }


def _load_gaps(connection: sqlite3.Connection) -> dict[str, list[Gap]]:
    rows = connection.execute("SELECT name, segment, offset, seq, spans, exemplars FROM gaps ORDER BY segment, offset")
    found: dict[str, list[Gap]] = {}
    for name, segment, offset, seq, spans, exemplars in rows:
        times = tuple((first, last) for first, last in json.loads(spans))
        missed = MissedExemplars.of([json.loads(exemplars)])
        found.setdefault(name, []).append(Gap(Position(segment, offset), seq, times, missed))
    return found
