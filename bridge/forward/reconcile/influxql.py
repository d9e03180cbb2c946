"""Counting with InfluxQL: InfluxDB 1.x."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread

from bridge.forward.reconcile.census import FORM, Ask, Points, SinkSilent, in_groups
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["InfluxQl"]


class InfluxQl:
    """`SELECT count(*) ... GROUP BY time(width)` over `/query`, and the points themselves by `GROUP BY *`."""

    def __init__(self, ask: Ask, database: str, policy: str | None) -> None:
        """`policy` is the retention policy; None for the database's default one."""
        self._ask = ask
        self._database = database
        self._prefix = f"{quoted(policy)}." if policy else ""

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """See `Census`."""
        counts: dict[Place, int] = {}
        for names in in_groups(fields):
            sources = ", ".join(self._prefix + quoted(name) for name in names)
            statement = (
                f"SELECT count(*) FROM {sources} "  # noqa: S608 - every name is quoted
                f"WHERE time >= {start}ms AND time < {stop}ms GROUP BY time({width}ms) fill(none)"
            )
            counts |= read_counts(await self._query(statement))
        return counts

    async def points(self, fields: Mapping[str, Sequence[str]], start: int, stop: int) -> list[Points]:
        """See `Register`."""
        found = []
        for names in in_groups(fields):
            sources = ", ".join(self._prefix + quoted(name) for name in names)
            columns = sorted({field for name in names for field in fields[name]})
            wanted = ", ".join(f"{quoted(column)}::field" for column in columns)  # a tag may be called so too
            statement = f"SELECT {wanted} FROM {sources} WHERE time >= {start}ms AND time < {stop}ms GROUP BY *"  # noqa: S608
            found += await anyio.to_thread.run_sync(read_points, await self._query(statement))
        return found

    async def _query(self, statement: str) -> bytes:
        form = {"db": self._database, "epoch": "ms", "q": statement}
        return await self._ask(urlencode(form).encode(), FORM)


def quoted(name: str) -> str:
    """An identifier of InfluxQL."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def read_counts(body: bytes) -> Counts:
    """What an answer says. Raises SinkSilent when it says no, or something else altogether."""
    with _reading():
        return dict(_rows(body))


def read_points(body: bytes) -> list[Points]:
    """The same of an answer with points."""
    with _reading():
        return [points for series in _series(body) for points in _points(series)]


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SinkSilent(f"the sink's answer cannot be read: {error!r}") from None


def _series(body: bytes) -> Iterator[dict[str, Any]]:
    for result in json.loads(body)["results"]:
        if "error" in result:
            raise SinkSilent(f"the sink cannot count: {result['error']}")
        for series in result.get("series", []):
            if series.get("partial"):
                raise SinkSilent("the sink cuts its answers short: see `max-row-limit` there")
            yield series


def _points(series: dict[str, Any]) -> Iterator[Points]:
    tags = [(name, value) for name, value in series.get("tags", {}).items() if value]
    for number, field in enumerate(series["columns"][1:], start=1):
        points = Points(series["name"], tags, field, [], [])
        for row in series["values"]:
            if row[number] is not None:
                points.add(row[0], row[number])
        yield points


def _rows(body: bytes) -> Iterator[tuple[Place, int]]:
    for series in _series(body):
        fields = [column.removeprefix("count_") for column in series["columns"][1:]]
        for start, *numbers in series["values"]:
            for field, number in zip(fields, numbers, strict=True):
                if number:
                    yield Place(series["name"], field, int(start)), int(number)
