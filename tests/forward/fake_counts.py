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

__all__ = ["FakeCounts"]

Key = tuple[str, str, int]
"""Measurement, field, start of the stretch in ms."""


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@dataclass
class FakeCounts:
    """An ASGI app. `points` are (measurement, field, time in ms); `refusal` is what it answers instead of counting;
    `closed` makes ranges of PromQL include their first millisecond."""

    points: list[Key] = field(default_factory=list)
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
        match = re.fullmatch(
            r"SELECT count\(\*\) FROM (.*) WHERE time >= (\d+)ms AND time < (\d+)ms "
            r"GROUP BY time\((\d+)ms\) fill\(none\)",
            statement,
        )
        assert match is not None, statement
        names = [re.sub(r"\\(.)", r"\1", name) for name in re.findall(r'"((?:[^"\\]|\\.)*)"(?=, |$)', match[1])]
        counts = self._counts(names, int(match[2]), int(match[3]), int(match[4]))
        series = []
        for name in sorted({key[0] for key in counts}):
            fields = sorted({key[1] for key in counts if key[0] == name})
            starts = sorted({key[2] for key in counts if key[0] == name})
            values = [[start, *(counts[name, one, start] for one in fields)] for start in starts]
            series.append({"name": name, "columns": ["time", *(f"count_{one}" for one in fields)], "values": values})
        return JSONResponse({"results": [{"statement_id": 0, "series": series}]})

    async def _flux(self, request: Request) -> Response:
        script = (await request.body()).decode()
        self.asked.append(script)
        span = re.search(r"range\(start: (\S+), stop: (\S+)\)", script)
        names = re.search(r"set: (\[.*\])\)", script)
        width = re.search(r"window\(every: (\d+)ms\)", script)
        assert span is not None, script
        assert names is not None, script
        assert width is not None, script
        counts = self._counts(
            json.loads(names[1].replace("\\$", "$")), milliseconds(span[1]), milliseconds(span[2]), int(width[1])
        )
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
            columns = sorted({(name, one) for name, one, _ in self.points})
            return JSONResponse([{"table_name": name, "column_name": one} for name, one in columns])
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
