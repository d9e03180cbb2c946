"""How far each reader of the log has come."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.buffer.position import Position
from bridge.buffer.state import Schema, State

__all__ = ["CURSORS", "Cursor", "Cursors"]

CURSORS = Schema(
    "cursors",
    (
        """CREATE TABLE cursors (
            name TEXT PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
            seq INTEGER NOT NULL, counters TEXT NOT NULL
        )""",
    ),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A reader is done with all before `position`, which are `seq` samples. `counters` are its own, as JSON."""

    position: Position
    seq: int
    counters: dict[str, Any] = field(default_factory=dict)


class Cursors:
    """Durable cursors by name. A reader without one begins at the oldest position of the log: at least once."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cursors = state.read(_load)

    def load(self, name: str) -> Cursor | None:
        """The cursor as it was last saved."""
        return self._cursors.get(name)

    async def save(self, name: str, cursor: Cursor, also: Callable[[sqlite3.Connection], object] | None = None) -> None:
        """Return once the cursor is durable, together with what `also` writes in the same transaction."""

        def write(connection: sqlite3.Connection) -> None:
            row = (name, *cursor.position, cursor.seq, json.dumps(cursor.counters))
            connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)", row)
            if also is not None:
                also(connection)

        await self._state.write(write)
        self._cursors[name] = cursor

    async def drop(self, name: str) -> None:
        """Forget a reader that is no more, so that nothing is kept for it."""
        await self._state.write(lambda connection: connection.execute("DELETE FROM cursors WHERE name = ?", (name,)))
        self._cursors.pop(name, None)

    def names(self) -> list[str]:
        """Readers known, sorted."""
        return sorted(self._cursors)

    def oldest(self) -> Position | None:
        """Before here every reader is done; None when there are no readers."""
        return min((cursor.position for cursor in self._cursors.values()), default=None)


def _load(connection: sqlite3.Connection) -> dict[str, Cursor]:
    rows = connection.execute("SELECT name, segment, offset, seq, counters FROM cursors")
    return {
        name: Cursor(Position(segment, offset), seq, json.loads(counters))
        for name, segment, offset, seq, counters in rows
    }
