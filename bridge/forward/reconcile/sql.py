"""Counting with SQL: InfluxDB 3."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread

from bridge.forward.reconcile.census import Ask, Points, SinkSilent, in_groups, moment
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["Sql"]

_COLUMNS = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox'"
_OF_TAGS = "Dictionary"
"""The type of columns that are tags."""


class Sql:
    """`SELECT count(field)` over `/api/v3/query_sql`, and the points themselves.

    A table or column that is not there has nothing to count; nor has a tag of a field's name, for which all such lines
    were refused: where they were the first ones of a table, asking for anything in it is an error.
    """

    def __init__(self, ask: Ask, database: str) -> None:
        self._ask = ask
        self._database = database

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """See `Census`."""
        _, there = await self._columns()
        counts: dict[Place, int] = {}
        for names in in_groups(fields):
            wanted = [(name, field) for name in names for field in fields[name] if (name, field) in there]
            if wanted:
                parts = [_part(name, field, start, stop, width) for name, field in wanted]
                for row in await self._query(" UNION ALL ".join(parts)):
                    counts[Place(row["m"], row["f"], _ms(row["bin"]))] = int(row["n"])
        return counts

    async def points(self, fields: Mapping[str, Sequence[str]], start: int, stop: int) -> list[Points]:
        """See `Register`."""
        tags, there = await self._columns()
        found = []
        for name, wanted in sorted(fields.items()):
            own = sorted(column for table, column in tags if table == name)
            held = sorted(field for field in wanted if (name, field) in there)
            if held:
                rows = await self._query(_rows_of(name, [*own, *held], start, stop))
                found += await anyio.to_thread.run_sync(_points, name, own, held, rows)
        return found

    async def _columns(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """(table, column) of all tags, and of what else there is."""
        tags: set[tuple[str, str]] = set()
        others: set[tuple[str, str]] = set()
        for row in await self._query(_COLUMNS):
            found = tags if row["data_type"].startswith(_OF_TAGS) else others
            found.add((row["table_name"], row["column_name"]))
        return tags, others

    async def _query(self, statement: str) -> list[dict[str, Any]]:
        question = {"db": self._database, "q": statement, "format": "json"}
        body = await self._ask(json.dumps(question).encode(), {"Content-Type": "application/json"})
        try:
            rows = json.loads(body)
            if isinstance(rows, list):
                return rows
        except ValueError:
            pass
        raise SinkSilent(f"the sink's answer cannot be read: {body[:200]!r}")


def _rows_of(name: str, columns: Sequence[str], start: int, stop: int) -> str:
    return (
        f"SELECT time, {', '.join(map(identifier, columns))} FROM {identifier(name)} "  # noqa: S608
        f"WHERE time >= {literal(moment(start))} AND time < {literal(moment(stop))}"
    )


def _points(name: str, tags: Sequence[str], fields: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[Points]:
    found: dict[tuple[str | None, ...], list[Points]] = {}
    for row in rows:
        key = tuple(row.get(tag) for tag in tags)
        if key not in found:
            own = [(tag, value) for tag, value in zip(tags, key, strict=True) if value]
            found[key] = [Points(name, own, field, [], []) for field in fields]
        for points in found[key]:
            if (value := row.get(points.field)) is not None:
                points.add(_ms(row["time"]), value)
    return [points for series in found.values() for points in series]


def _part(name: str, field: str, start: int, stop: int, width: int) -> str:
    column, origin = identifier(field), literal(moment(0))
    binned = f"date_bin(INTERVAL '{width} milliseconds', time, TIMESTAMP {origin})"
    return (
        f"SELECT {literal(name)} AS m, {literal(field)} AS f, {binned} AS bin, count({column}) AS n "  # noqa: S608
        f"FROM {identifier(name)} WHERE time >= {literal(moment(start))} AND time < {literal(moment(stop))} "
        f"GROUP BY {binned} HAVING count({column}) > 0"
    )


def identifier(name: str) -> str:
    """A name of SQL."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """A string of SQL."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _ms(text: str) -> int:
    """The engine writes times without a zone, and means UTC."""
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
