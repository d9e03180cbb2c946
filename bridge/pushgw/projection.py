"""The groups' projection: a table in SQLite that saves reading the whole log at start.

It holds each group as of a position in the log. At start it is loaded, and rolled forward by the events after that
position; what
a checkpoint of the log needs is read from it. Losing it costs time, not data: the log has all changes, or a checkpoint
what came of them.
"""

import sqlite3
import zlib
from collections.abc import Iterable

import structlog

from bridge.buffer import Position, Schema, State

__all__ = ["SCHEMA", "Projection"]

logger = structlog.get_logger(__name__)

CHECKSUM_SIZE = 4  # CRC-32 in front of each state

SCHEMA = Schema(
    "push_groups",
    (
        "CREATE TABLE push_groups (key BLOB PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE push_groups_position (
            one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, offset INTEGER NOT NULL
        )""",
    ),
)
"""The tables, for `State.open`."""


class Projection:
    """Rows (key, state) and the log position that they reflect, changed in one transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.reached: Position | None = None

    def load(self) -> tuple[Position | None, list[bytes]]:
        """The position and the states as of there; None and nothing when there are none, or when a row is damaged."""

        def read(db: sqlite3.Connection) -> tuple[Position | None, list[bytes]]:
            row = db.execute("SELECT segment, offset FROM push_groups_position").fetchone()
            states = [checked(state) for (state,) in db.execute("SELECT state FROM push_groups")]
            return (Position(*row) if row else None), states

        try:
            self.reached, states = self._state.read(read)
        except ValueError as error:
            logger.error("the push groups' projection is not used, the log is read from its start", error=str(error))  # noqa: TRY400
            return None, []
        return self.reached, states

    async def save(self, position: Position, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Put the changed groups in place (None: deleted) and move the position."""
        changed = list(rows)

        def write(db: sqlite3.Connection) -> None:
            put = [(key, sealed(state)) for key, state in changed if state is not None]
            gone = [(key,) for key, state in changed if state is None]
            db.executemany("INSERT OR REPLACE INTO push_groups VALUES (?, ?)", put)
            db.executemany("DELETE FROM push_groups WHERE key = ?", gone)
            db.execute("INSERT OR REPLACE INTO push_groups_position VALUES (1, ?, ?)", position)

        await self._state.write(write, durable=False)
        self.reached = position

    def advance(self, position: Position) -> None:
        """No group has changed up to there."""
        self.reached = position

    def events(self) -> list[bytes]:
        """The state of every group as of `reached` or later: what the log must say in place of the changes before."""
        return self.load()[1]


def sealed(state: bytes) -> bytes:
    """A state with its checksum before it: SQLite has none over its rows."""
    return zlib.crc32(state).to_bytes(CHECKSUM_SIZE, "big") + state


def checked(row: bytes) -> bytes:
    """The state of a row. Raises ValueError when it is not what was sealed."""
    state = row[CHECKSUM_SIZE:]
    if sealed(state) != row:
        raise ValueError("a row of push_groups is damaged")
    return state
