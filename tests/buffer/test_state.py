"""SQLite: transactions that many share, and what becomes of a database that cannot be read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from bridge.buffer import CURSORS, Cursor, Cursors, Files, Position, Schema, State
from bridge.errors import ConfigError, Unavailable

pytestmark = pytest.mark.anyio

NOTES = Schema("notes", ("CREATE TABLE notes (text TEXT UNIQUE)",))


def open_state(path: Path, *schemas: Schema) -> State:
    return State.open(path / "state.db", schemas or (NOTES,), Files())


def add(text: str) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute("INSERT INTO notes VALUES (?)", (text,)).rowcount


def notes(state: State) -> list[str]:
    return [text for (text,) in state.read(lambda c: c.execute("SELECT text FROM notes ORDER BY rowid").fetchall())]


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    assert not state.rebuilt
    assert await state.write(add("a")) == 1
    assert notes(state) == ["a"]
    await state.close()
    state = open_state(tmp_path)
    assert notes(state) == ["a"]
    await state.close()


async def test_writes_that_wait_share_a_transaction_and_an_error_undoes_its_own_only(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    seen: list[int] = []

    def version(connection: sqlite3.Connection) -> None:
        seen.append(connection.total_changes)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half')")
        raise ValueError("no")

    writes = [state.write(work) for work in (add("a"), half, add("b"), add("a"), version)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [int, ValueError, int, sqlite3.IntegrityError, type(None)]
    assert notes(state) == ["a", "b"]
    assert len(seen) == 1
    await state.close()


async def test_who_needs_no_sync_pays_for_none(tmp_path: Path) -> None:
    state = open_state(tmp_path)

    def level(connection: sqlite3.Connection) -> int:
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        return int(level)

    full, normal = 2, 1
    assert await state.write(level, durable=False) == normal
    assert await state.write(level) == full
    together = await asyncio.gather(state.write(level, durable=False), state.write(level))
    assert list(together) == [full, full]
    await state.close()


async def test_a_cancelled_writer_writes_all_the_same(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    task = asyncio.create_task(state.write(add("a")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await state.close()
    state = open_state(tmp_path)
    assert notes(state) == ["a"]
    await state.close()


async def test_after_close_nothing_is_taken(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    await state.close()
    with pytest.raises(Unavailable):
        await state.write(add("a"))


async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    await state.write(lambda c: c.execute("PRAGMA max_page_count = 5").fetchall())
    results = await asyncio.gather(state.write(add("x" * 100_000)), state.write(add("b")), return_exceptions=True)
    assert all(isinstance(result, Unavailable) and "disk is full" in str(result) for result in results)
    await state.write(lambda c: c.execute("PRAGMA max_page_count = 10000").fetchall())
    await state.write(add("a"))
    assert notes(state) == ["a"]
    await state.close()


async def test_tables_are_brought_up_to_date(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    await state.write(add("a"))
    await state.close()
    newer = Schema("notes", (*NOTES.steps, "ALTER TABLE notes ADD COLUMN author TEXT DEFAULT 'me'"))
    state = open_state(tmp_path, newer, CURSORS)
    assert state.read(lambda c: c.execute("SELECT * FROM notes").fetchall()) == [("a", "me")]
    await state.close()
    with pytest.raises(ConfigError, match="notes has version 2, this program knows 1"):
        open_state(tmp_path)


@pytest.mark.parametrize("damage", ["not a database", "a page"])
async def test_an_unreadable_database_is_moved_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    state = open_state(tmp_path)
    await asyncio.gather(*(state.write(add(f"{number} {'x' * 50}")) for number in range(2000)))
    await state.close()
    whole = path.read_bytes()
    broken = b"damaged" * 1000 if damage == "not a database" else whole[:8192] + b"\xff" * 8192 + whole[16384:]
    path.write_bytes(broken)
    with structlog.testing.capture_logs() as logs:
        state = open_state(tmp_path)
    assert state.rebuilt
    assert notes(state) == []
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert (tmp_path / "state.db.corrupt").read_bytes() == broken
    await state.close()
    path.write_bytes(b"damaged again" * 1000)
    await open_state(tmp_path).close()
    assert (tmp_path / "state.db.corrupt.1").exists()


def test_a_database_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(ConfigError, match="unable to open"):
        open_state(tmp_path)


async def test_cursors_come_back_as_saved(tmp_path: Path) -> None:
    state = open_state(tmp_path, CURSORS, NOTES)
    cursors = Cursors(state)
    assert cursors.load("main") is None
    assert cursors.oldest() is None
    main = Cursor(Position(3, 700), 12, {"sent": 12, "parts": [1, 2]})
    await cursors.save("main", main)
    await cursors.save("other", Cursor(Position(2, 900), 8), also=add("with it"))
    await state.close()
    state = open_state(tmp_path, CURSORS, NOTES)
    cursors = Cursors(state)
    assert cursors.load("main") == main
    assert cursors.names() == ["main", "other"]
    assert cursors.oldest() == Position(2, 900)
    assert notes(state) == ["with it"]
    await cursors.drop("other")
    assert cursors.oldest() == Position(3, 700)
    await state.close()


async def test_a_cursor_and_what_goes_with_it_are_saved_together_or_not(tmp_path: Path) -> None:
    state = open_state(tmp_path, CURSORS, NOTES)
    cursors = Cursors(state)
    before = Cursor(Position(1, 100), 5)
    await cursors.save("main", before, also=add("a"))
    with pytest.raises(sqlite3.IntegrityError):
        await cursors.save("main", Cursor(Position(1, 200), 9), also=add("a"))
    assert cursors.load("main") == before
    assert Cursors(state).load("main") == before
    await state.close()
