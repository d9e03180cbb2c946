"""Counting with Flux: InfluxDB 2."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bridge.forward.reconcile.census import Ask, SinkSilent, in_groups, moment
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["Flux"]


class Flux:
    """`aggregateWindow(fn: count)` over `/api/v2/query`, which answers in CSV."""

    def __init__(self, ask: Ask, bucket: str) -> None:
        self._ask = ask
        self._bucket = bucket

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """See `Census`."""
        counts: dict[Place, int] = {}
        for names in in_groups(fields):
            script = self._script(names, start, stop, width)
            body = await self._ask(
                script.encode(), {"Content-Type": "application/vnd.flux", "Accept": "application/csv"}
            )
            counts |= read_counts(body.decode(errors="replace"))
        return counts

    def _script(self, names: Sequence[str], start: int, stop: int, width: int) -> str:
        # One table a measurement and field, or points of one time in several series would count as one.
        return "\n".join(
            [
                f"from(bucket: {quoted(self._bucket)})",
                f"  |> range(start: {moment(start)}, stop: {moment(stop)})",
                f"  |> filter(fn: (r) => contains(value: r._measurement, set: [{', '.join(map(quoted, names))}]))",
                f"  |> window(every: {width}ms)",
                "  |> count()",
                '  |> group(columns: ["_measurement", "_field", "_start"])',
                "  |> sum()",
            ]
        )


def quoted(text: str) -> str:
    """A string of Flux, whose escapes are among JSON's; `${` would begin an expression."""
    return json.dumps(text, ensure_ascii=False).replace("${", "\\${")


def read_counts(text: str) -> Counts:
    """What an answer says. Raises SinkSilent for one that is not such an answer."""
    try:
        return dict(_rows(text))
    except (ValueError, KeyError) as error:
        raise SinkSilent(f"the sink's answer cannot be read: {error!r}") from None


def _rows(text: str) -> Iterator[tuple[Place, int]]:
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
            start = round(datetime.fromisoformat(row["_start"]).timestamp() * 1000)
            yield Place(row["_measurement"], row["_field"], start), int(row["_value"])
