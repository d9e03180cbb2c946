"""Counting with InfluxQL: InfluxDB 1.x."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bridge.forward.reconcile.census import FORM, Ask, SinkSilent, in_groups
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["InfluxQl"]


class InfluxQl:
    """`SELECT count(*) ... GROUP BY time(width)` over `/query`."""

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
            form = {"db": self._database, "epoch": "ms", "q": statement}
            counts |= read_counts(await self._ask(urlencode(form).encode(), FORM))
        return counts


def quoted(name: str) -> str:
    """An identifier of InfluxQL."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def read_counts(body: bytes) -> Counts:
    """What an answer says. Raises SinkSilent when it says no, or something else altogether."""
    try:
        results = json.loads(body)["results"]
        for result in results:
            if "error" in result:
                raise SinkSilent(f"the sink cannot count: {result['error']}")
        return dict(_rows(results))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SinkSilent(f"the sink's answer cannot be read: {error!r}") from None


def _rows(results: list[dict[str, Any]]) -> Iterator[tuple[Place, int]]:
    for series in (series for result in results for series in result.get("series", [])):
        fields = [column.removeprefix("count_") for column in series["columns"][1:]]
        for start, *numbers in series["values"]:
            for field, number in zip(fields, numbers, strict=True):
                if number:
                    yield Place(series["name"], field, int(start)), int(number)
