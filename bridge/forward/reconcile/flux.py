"""Counting with Flux: InfluxDB 2."""

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import anyio.to_thread

from bridge.forward.reconcile.census import Ask, Points, SinkSilent, in_groups, moment
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["Flux"]

_OF_ANSWERS = {"", "result", "table"}


class Flux:
    """`aggregateWindow(fn: count)` over `/api/v2/query`, which answers in CSV, and the points themselves."""

    def __init__(self, ask: Ask, bucket: str) -> None:
        self._ask = ask
        self._bucket = bucket

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """See `Census`."""
        counts: dict[Place, int] = {}
        for names in in_groups(fields):
            # One table a measurement and field, or points of one time in several series would count as one.
            counting = [
                f"  |> window(every: {width}ms)",
                "  |> count()",
                '  |> group(columns: ["_measurement", "_field", "_start"])',
                "  |> sum()",
            ]
            counts |= read_counts(await self._query(names, start, stop, counting))
        return counts

    async def points(self, fields: Mapping[str, Sequence[str]], start: int, stop: int) -> list[Points]:
        """See `Register`."""
        found = []
        for names in in_groups(fields):
            wanted = sorted({field for name in names for field in fields[name]})
            chosen = f"  |> filter(fn: (r) => contains(value: r._field, set: [{', '.join(map(quoted, wanted))}]))"
            answer = await self._query(names, start, stop, [chosen, '  |> drop(columns: ["_start", "_stop"])'])
            found += await anyio.to_thread.run_sync(read_points, answer)
        return found

    async def _query(self, names: Sequence[str], start: int, stop: int, then: Sequence[str]) -> str:
        script = [
            f"from(bucket: {quoted(self._bucket)})",
            f"  |> range(start: {moment(start)}, stop: {moment(stop)})",
            f"  |> filter(fn: (r) => contains(value: r._measurement, set: [{', '.join(map(quoted, names))}]))",
            *then,
        ]
        headers = {"Content-Type": "application/vnd.flux", "Accept": "application/csv"}
        return (await self._ask("\n".join(script).encode(), headers)).decode(errors="replace")


def quoted(text: str) -> str:
    """A string of Flux, whose escapes are among JSON's; `${` would begin an expression."""
    return json.dumps(text, ensure_ascii=False).replace("${", "\\${")


def read_counts(text: str) -> Counts:
    """What an answer says. Raises SinkSilent for one that is not such an answer."""
    with _reading():
        return {
            Place(row["_measurement"], row["_field"], _milliseconds(row["_start"])): int(row["_value"])
            for row in _rows(text)
        }


def read_points(text: str) -> list[Points]:
    """The same of an answer with points."""
    found: dict[tuple[tuple[str, str], ...], Points] = {}
    with _reading():
        for row in _rows(text):
            time, value = _milliseconds(row.pop("_time")), row.pop("_value")
            series = tuple(row.items())
            if series not in found:
                measurement, field = row.pop("_measurement"), row.pop("_field")
                tags = [(name, value) for name, value in row.items() if value and name not in _OF_ANSWERS]
                found[series] = Points(measurement, tags, field, [], [])
            found[series].add(time, _number(value))
    return list(found.values())


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError) as error:
        raise SinkSilent(f"the sink's answer cannot be read: {error!r}") from None


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _rows(text: str) -> Iterator[dict[str, str]]:
    """Tables are separated by empty lines, each with a header of its own; lines with # are annotations."""
    header: list[str] = []
    for cells in csv.reader(text.splitlines()):
        if not any(cells):
            header = []
        elif cells[0].startswith("#"):
            continue
        elif not header:
            header = cells
            if not {"_value", "error"} & set(header):
                raise ValueError(f"no table: {cells[0][:80]}")
        else:
            row = dict(zip(header, cells, strict=True))
            if "error" in row:
                raise SinkSilent(f"the sink cannot count: {row['error']}")
            yield row
