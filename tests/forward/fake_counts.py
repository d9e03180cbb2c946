"""Sinks that count: InfluxDB 1, 2, 3 and a Prometheus over the same points, each asked in its own language."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["FakeCounts", "moment"]

Key = tuple[str, str, int]
"""Measurement, field, start of the stretch in ms."""

Row = tuple[str, dict[str, str], str, int, float | str]
"""Measurement, tags, field, time in ms, value."""


def moment(ms: int) -> str:
    """RFC 3339, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def identifiers(text: str) -> list[str]:
    """Names of InfluxQL."""
    return [re.sub(r"\\(.)", r"\1", name) for name in re.findall(r'"((?:[^"\\]|\\.)*)"(?=, |$)', text)]


@dataclass
class FakeCounts:
    """An ASGI app. `points` are (measurement, field, time in ms), which it counts; `rows` are those that it tells.

    `refusal` is what it answers instead; `closed` makes ranges of PromQL include their first millisecond.
    """

    points: list[Key] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    refusal: Response | None = None
    closed: bool = False
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answers = {
            "/query": self._influxql,
            "/api/v2/query": self._flux,
            "/api/v3/query_sql": self._sql,
            "/api/v1/query": self._promql,
        }
        response = self.refusal or await answers[request.url.path](request)
        await response(scope, receive, send)

    def _counts(self, names: Iterable[str], start: int, stop: int, width: int) -> Counter[Key]:
        wanted = set(names)
        return Counter(
            (name, field, time - time % width)
            for name, field, time in self.points
            if name in wanted and start <= time < stop
        )

    async def _influxql(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        statement = form["q"]
        self.asked.append(statement)
        if "GROUP BY *" in statement:
            return self._influxql_points(statement)
        match = re.fullmatch(
            r"SELECT count\(\*\) FROM (.*) WHERE time >= (\d+)ms AND time < (\d+)ms "
            r"GROUP BY time\((\d+)ms\) fill\(none\)",
            statement,
        )
        assert match is not None, statement
        names = identifiers(match[1])
        counts = self._counts(names, int(match[2]), int(match[3]), int(match[4]))
        series = []
        for name in sorted({key[0] for key in counts}):
            fields = sorted({key[1] for key in counts if key[0] == name})
            starts = sorted({key[2] for key in counts if key[0] == name})
            values = [[start, *(counts[name, one, start] for one in fields)] for start in starts]
            series.append({"name": name, "columns": ["time", *(f"count_{one}" for one in fields)], "values": values})
        return JSONResponse({"results": [{"statement_id": 0, "series": series}]})

    def _rows(self, names: Iterable[str], fields: Iterable[str], start: int, stop: int) -> list[Row]:
        return [row for row in self.rows if row[0] in names and row[2] in fields and start <= row[3] < stop]

    def _influxql_points(self, statement: str) -> Response:
        match = re.fullmatch(r"SELECT (.*) FROM (.*) WHERE time >= (\d+)ms AND time < (\d+)ms GROUP BY \*", statement)
        assert match is not None, statement
        fields = identifiers(match[1].replace("::field", ""))
        rows = self._rows(identifiers(match[2]), fields, int(match[3]), int(match[4]))
        keys = sorted({key for row in self.rows for key in row[1]})
        series = []
        for name, tags in {(row[0], tuple(row[1].get(key, "") for key in keys)) for row in rows}:
            own = [row for row in rows if row[0] == name and tuple(row[1].get(key, "") for key in keys) == tags]
            values = [[row[3], *(row[4] if row[2] == field else None for field in fields)] for row in own]
            told = {"name": name, "columns": ["time", *fields], "values": values}
            series.append(told | ({"tags": dict(zip(keys, tags, strict=True))} if keys else {}))
        return JSONResponse({"results": [{"statement_id": 0, "series": series}]})

    def _flux_points(self, names: Iterable[str], fields: Iterable[str], start: int, stop: int) -> Response:
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\r\n")
        for name, tags, one, time, value in self._rows(names, fields, start, stop):
            table.writerow(["", "result", "table", "_time", "_value", "_field", "_measurement", *tags])
            table.writerow(["", "_result", 0, moment(time), value, one, name, *tags.values()])
            table.writerow([])
        return PlainTextResponse(out.getvalue(), media_type="text/csv")

    def _sql_points(self, statement: str) -> Response:
        match = re.fullmatch(r"SELECT time, (.*) FROM (.*) WHERE time >= '(\S+)' AND time < '(\S+)'", statement)
        assert match is not None, statement
        columns, (name,) = (
            [one.replace('""', '"') for one in re.findall(r'"((?:[^"]|"")*)"', part)] for part in match.groups()[:2]
        )
        rows = self._rows([name], columns, milliseconds(match[3]), milliseconds(match[4]))
        return JSONResponse(
            [{"time": moment(t).removesuffix("Z"), one: value} | tags for _, tags, one, t, value in rows]
        )

    async def _flux(self, request: Request) -> Response:
        script = (await request.body()).decode()
        self.asked.append(script)
        span = re.search(r"range\(start: (\S+), stop: (\S+)\)", script)
        names = re.search(r"set: (\[.*\])\)", script)
        width = re.search(r"window\(every: (\d+)ms\)", script)
        assert span is not None, script
        assert names is not None, script
        wanted = json.loads(names[1].replace("\\$", "$"))
        if fields := re.search(r"r\._field, set: (\[.*\])\)", script):
            return self._flux_points(wanted, json.loads(fields[1]), milliseconds(span[1]), milliseconds(span[2]))
        assert width is not None, script
        counts = self._counts(wanted, milliseconds(span[1]), milliseconds(span[2]), int(width[1]))
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\r\n")
        for number, ((name, one, start), count) in enumerate(sorted(counts.items())):
            table.writerow(["", "result", "table", "_start", "_measurement", "_field", "_value"])
            table.writerow(["", "_result", number, moment(start), name, one, count])
            table.writerow([])
        return PlainTextResponse(out.getvalue(), media_type="text/csv")

    async def _sql(self, request: Request) -> Response:
        statement = json.loads(await request.body())["q"]
        self.asked.append(statement)
        if "information_schema" in statement:
            columns = {(name, one, "Float64") for name, one, _ in self.points}
            columns |= {(row[0], row[2], "Float64") for row in self.rows}
            columns |= {(row[0], tag, "Dictionary(Int32, Utf8)") for row in self.rows for tag in row[1]}
            return JSONResponse(
                [{"table_name": a, "column_name": b, "data_type": kind} for a, b, kind in sorted(columns)]
            )
        if statement.startswith("SELECT time"):
            return self._sql_points(statement)
        rows = []
        for part in statement.split(" UNION ALL "):
            match = re.fullmatch(
                r"SELECT '(.*)' AS m, '(.*)' AS f, date_bin\(INTERVAL '(\d+) milliseconds', time, .*\) AS bin, .* "
                r"WHERE time >= '(\S+)' AND time < '(\S+)' GROUP BY .*",
                part,
            )
            assert match is not None, part
            name, one = match[1].replace("''", "'"), match[2].replace("''", "'")
            assert (name, one) in {point[:2] for point in self.points}, "no such table or column"
            counts = self._counts([name], milliseconds(match[4]), milliseconds(match[5]), int(match[3]))
            rows += [
                {"m": name, "f": one, "bin": moment(start).removesuffix("Z"), "n": count}
                for (_, found, start), count in sorted(counts.items())
                if found == one
            ]
        return JSONResponse(rows)

    async def _promql(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        query, time = form["query"], round(float(form["time"]) * 1000)
        self.asked.append(query)
        result = []
        if "vector(1)" in query:
            result = [{"metric": {}, "value": [time / 1000, "2" if self.closed else "1"]}]
        else:
            part = r'__name__=("(?:[^"\\]|\\.)*").*?\[(\d+)ms\]\)\), "(\w+)", ("(?:[^"\\]|\\.)*"), "", ""\)'
            found = re.findall(part, query)
            assert len(found) == query.count("label_replace("), query
            for name, length, label, told in found:
                first = time - int(length) + (not self.closed)
                count = sum(point[0] == json.loads(name) and first <= point[2] <= time for point in self.points)
                if count:
                    labels = {label: json.loads(told).replace("$$", "$")}
                    result.append({"metric": labels, "value": [time / 1000, str(count)]})
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": result}})
