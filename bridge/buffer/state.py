"""Small durable state in SQLite: cursors, and projections of the log.

Writes that wait share one transaction, made by one thread. A projection needs no fsync of its own: it is rolled forward
from the log at start. What exists only here asks for `durable`.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bridge.buffer.files import Files
from bridge.buffer.lane import Lane
from bridge.errors import ConfigError, Unavailable

__all__ = ["Schema", "State"]

logger = structlog.get_logger(__name__)

T = TypeVar("T")

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Schema:
    """One owner's tables: SQL statements, each leading from one version to the next. They are only ever added to."""

    name: str
    steps: Sequence[str]


@dataclass(slots=True)
class _Write:
    work: Callable[[sqlite3.Connection], Any]
    durable: bool
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class State:
    """The database. `rebuilt` tells that the one found was unreadable and this one began empty."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, rebuilt: bool) -> None:
        self.rebuilt = rebuilt
        self._path = path
        self._writer = connection
        self._reader = _connect(path)
        self._reading = threading.Lock()
        self._lane = Lane("state")
        self._waiting: list[_Write] = []
        self._busy = False
        self._closed = False

    @classmethod
    def open(cls, path: Path, schemas: Sequence[Schema], files: Files) -> "State":
        """Open or create the database at `path`, its tables brought up to date.

        An unreadable one is moved to `<path>.corrupt`. Raises ConfigError when a newer version has written it, or when
        it cannot be opened at all.
        """
        rebuilt = False
        try:
            connection = _open(path, schemas)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise ConfigError([f"{path}: {error}"]) from error
            aside = _move_aside(files, path)
            text = "state database unreadable, begun afresh"
            logger.error(text, path=str(path), moved_to=str(aside), error=str(error))  # noqa: TRY400 - it says all
            connection, rebuilt = _open(path, schemas), True
        return cls(path, connection, rebuilt=rebuilt)

    async def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run `work` in a transaction and return its result once that is committed.

        `work` runs in another thread, gets a connection and must not commit. What it raises undoes what it did, and
        nothing else. Raises Unavailable when the transaction could not be committed.
        """
        if self._closed:
            raise Unavailable("the bridge is shutting down")
        loop = asyncio.get_running_loop()
        job = _Write(work, durable, loop.create_future())
        self._waiting.append(job)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._flush)
        result: T = await job.future
        return result

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on a connection for reading: it sees what was committed last."""
        with self._reading:
            return work(self._reader)

    async def close(self) -> None:
        """Finish what waits, then close."""
        self._closed = True
        while self._busy:
            await self._lane.call(lambda: None)
        self._lane.stop()
        self._reader.close()
        self._writer.close()

    def _flush(self) -> None:
        jobs, self._waiting = self._waiting, []
        self._lane.run(lambda: self._transact(jobs), lambda _, error: self._finished(jobs, error))

    def _transact(self, jobs: list[_Write]) -> None:
        """Run all jobs in one transaction, each in a savepoint of its own."""
        connection = self._writer
        level = "FULL" if any(job.durable for job in jobs) else "NORMAL"
        connection.execute(f"PRAGMA synchronous = {level}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                connection.execute("SAVEPOINT job")
                try:
                    job.result = job.work(connection)
                except Exception as error:
                    if not connection.in_transaction:
                        raise  # a full disk ends the transaction, and with it everybody's work
                    job.error = error
                    connection.execute("ROLLBACK TO job")
                connection.execute("RELEASE job")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _finished(self, jobs: list[_Write], failure: BaseException | None) -> None:
        for job in jobs:
            error = Unavailable(f"{self._path}: {failure}") if failure is not None else job.error
            if job.future.done():
                continue
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(job.result)
        self._busy = bool(self._waiting)
        if self._busy:
            self._flush()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _open(path: Path, schemas: Sequence[Schema]) -> sqlite3.Connection:
    connection = _connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        _check(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS schemas (name TEXT PRIMARY KEY, version INTEGER NOT NULL)")
        for schema in schemas:
            _upgrade(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(verdict)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _upgrade(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    row = connection.execute("SELECT version FROM schemas WHERE name = ?", (schema.name,)).fetchone()
    version = row[0] if row else 0
    if version > len(schema.steps):
        raise ConfigError([f"{path}: {schema.name} has version {version}, this program knows {len(schema.steps)}"])
    for number, step in enumerate(schema.steps[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(step)
        connection.execute("INSERT OR REPLACE INTO schemas VALUES (?, ?)", (schema.name, number))
        connection.execute("COMMIT")


def _move_aside(files: Files, path: Path) -> Path:
    """Rename the database and its journal files; whatever could be saved from them is left to a person."""
    aside, n = path.with_name(f"{path.name}.corrupt"), 1
    while files.exists(aside):
        aside, n = path.with_name(f"{path.name}.corrupt.{n}"), n + 1
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if files.exists(part):
            files.rename(part, aside.with_name(aside.name + suffix))
    files.sync_dir(path.parent)
    return aside
