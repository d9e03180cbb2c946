"""Real InfluxDB 1, 2 and 3 on free loopback ports, each with its data in a folder, asked and changed in one way."""

from __future__ import annotations

import csv
import json
import re
import urllib.parse
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.bridge_process import free_port
from tests.forward.fake_counts import moment
from tests.interop.peers import Server

__all__ = ["Influxd", "Influxd1", "Influxd2", "Influxd3", "Point"]


@dataclass(frozen=True, order=True)
class Point:
    """A value of one field; `time` in ms. Text is as it was written, and numbers are floats."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    field: str
    time: int
    value: float | str

    @property
    def line(self) -> str:
        """Line protocol again."""
        key = self.measurement.replace(",", "\\,").replace(" ", "\\ ")
        tags = "".join(f",{_escaped(name)}={_escaped(text)}" for name, text in self.tags)
        return f"{key}{tags} {self.field}={self.value!r} {self.time}"


class Influxd(Server):
    """An InfluxDB of any generation with a database or bucket `d`."""

    version: Literal[1, 2, 3]
    program: str

    def sink(self, database: str = "d", **more: str) -> dict[str, Any]:
        """Settings of a sink that writes there."""
        return {"url": self.url, "db": database} | more

    @abstractmethod
    def points(self, measurement: str | None = None, database: str = "d") -> list[Point]:
        """What it holds, of all measurements or of one, in order."""

    @abstractmethod
    def write(self, lines: bytes, database: str = "d") -> tuple[int, bytes]:
        """Write lines with times in ms; status and body."""

    @abstractmethod
    def drop(self, measurement: str) -> None:
        """Forget a measurement."""

    @abstractmethod
    def make(self, database: str, *, hours: int = 0) -> None:
        """A database or bucket that keeps points for so long, 0: for ever."""

    @abstractmethod
    def shorten(self, database: str, *, hours: int) -> None:
        """Let it keep points for so long only."""


class Influxd1(Influxd):
    """InfluxDB 1.x."""

    version = 1
    program = "influxd"
    ready = "/ping"

    def __init__(self, program: Path, folder: Path, **env: str) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        env |= {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
            "INFLUXDB_META_DIR": str(folder / "meta"),
            "INFLUXDB_DATA_DIR": str(folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
        }
        super().__init__([str(program)], env, folder / "log", port)

    def query(self, text: str, db: str = "d") -> list[dict[str, Any]]:
        """The series of one statement."""
        data = urllib.parse.urlencode({"q": text, "db": db, "epoch": "ms"}).encode()
        (result,) = json.loads(self.get("/query", data)[1], parse_int=float)["results"]  # -0 is no integer
        assert "error" not in result, result
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def points(self, measurement: str | None = None, database: str = "d") -> list[Point]:
        """See Influxd."""
        chosen = "/.*/" if measurement is None else f'"{measurement}"'
        found = []
        for series in self.query(f"SELECT * FROM {chosen} GROUP BY *", database):
            tags = _tags(series.get("tags", {}))
            for time, *values in series["values"]:
                fields = zip(series["columns"][1:], values, strict=True)
                held = [(field, value) for field, value in fields if value is not None]
                found += [Point(series["name"], tags, field, int(time), value) for field, value in held]
        return sorted(found)

    def write(self, lines: bytes, database: str = "d") -> tuple[int, bytes]:
        """See Influxd."""
        return self.get(f"/write?db={database}&precision=ms", lines)

    def drop(self, measurement: str) -> None:
        """See Influxd."""
        self.query(f'DROP MEASUREMENT "{measurement}"')

    def delete(self, measurement: str, tag: str = "", text: str = "", *, time: int | None = None) -> None:
        """Delete the points that have this tag, or those of a time, ms."""
        chosen = f"time = {time}ms" if time is not None else f"\"{tag}\" = '{text}'"
        self.query(f'DELETE FROM "{measurement}" WHERE {chosen}')

    def make(self, database: str, *, hours: int = 0) -> None:
        """See Influxd."""
        kept = f" WITH DURATION {hours}h SHARD DURATION 1h" if hours else ""
        self.query(f'CREATE DATABASE "{database}"{kept}')

    def shorten(self, database: str, *, hours: int) -> None:
        """See Influxd."""
        self.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION {hours}h SHARD DURATION 1h')


class Influxd2(Influxd):
    """InfluxDB 2.x with an organization `o` and an operator's token `t`."""

    version = 2
    program = "influxd2"
    ready = "/health"

    def __init__(self, program: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        command = [
            str(program),
            f"--bolt-path={folder / 'bolt'}",
            f"--sqlite-path={folder / 'sqlite'}",
            f"--engine-path={folder / 'engine'}",
            f"--http-bind-address=127.0.0.1:{port}",
            "--reporting-disabled",
        ]
        super().__init__(command, {}, folder / "log", port)

    def start(self) -> None:
        """Start it; the first time it is set up."""
        super().start()
        if self.call("GET", "/api/v2/setup")["allowed"]:
            first = {"username": "u", "password": "password", "org": "o", "bucket": "first", "token": "t"}
            self.call("POST", "/api/v2/setup", first)

    def sink(self, database: str = "d", **more: str) -> dict[str, Any]:
        """See Influxd."""
        return {"url": self.url, "bucket": database, "org": "o", "token": "t"} | more

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of a request with the operator's token."""
        return self.get(path, body, {"Authorization": "Token t"} | headers, method=method)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the JSON API answers; it has to be a success."""
        text = json.dumps(body).encode() if body is not None else None
        status, answer = self.send(method, path, text, **{"Content-Type": "application/json"})
        assert status < 300, answer
        return json.loads(answer) if answer else None

    def query(self, flux: str, bucket: str = "d", org: str = "o") -> list[dict[str, str]]:
        """The rows of `from(bucket) |> range(start: 0) |> ...`, without those columns that are about tables."""
        script = f'from(bucket: "{bucket}") |> range(start: 0, stop: 2200-01-01T00:00:00Z) {flux}'
        kind = {"Content-Type": "application/vnd.flux"}
        status, body = self.send("POST", f"/api/v2/query?org={org}", script.encode(), **kind)
        assert status == 200, body
        rows = []
        for table in body.decode().split("\r\n\r\n"):
            # A table of text says so above its head, if it is asked to; its values are no numbers.
            for row in csv.DictReader(table.splitlines()):
                own = {"", "result", "table", "_start", "_stop"}
                rows.append({name: value for name, value in row.items() if name not in own})
        return rows

    def points(self, measurement: str | None = None, database: str = "d", org: str = "o") -> list[Point]:
        """See Influxd."""
        chosen = "" if measurement is None else f'|> filter(fn: (r) => r._measurement == "{measurement}")'
        own = {"_measurement", "_field", "_value", "_time"}
        found = []
        for row in self.query(chosen, database, org):
            tags = _tags({name: text for name, text in row.items() if name not in own})
            value, time = _number(row["_value"]), _ms(row["_time"])
            found.append(Point(row["_measurement"], tags, row["_field"], time, value))
        return sorted(found)

    def write(self, lines: bytes, database: str = "d") -> tuple[int, bytes]:
        """See Influxd."""
        return self.send("POST", f"/api/v2/write?org=o&bucket={database}&precision=ms", lines)

    def delete(self, measurement: str, tag: str = "", text: str = "", *, time: int | None = None) -> None:
        """Delete the points that have this tag, those of a time, ms, or all."""
        first, last = (0, 7_258_118_400_000) if time is None else (time, time)
        span = {"start": moment(first), "stop": moment(last)}
        chosen = f'_measurement="{measurement}"' + (f' AND {tag}="{text}"' if tag else "")
        self.call("POST", "/api/v2/delete?org=o&bucket=d", {**span, "predicate": chosen})

    def drop(self, measurement: str) -> None:
        """See Influxd."""
        self.delete(measurement)

    def make(self, database: str, *, hours: int = 0, org: str = "o") -> None:
        """See Influxd."""
        (found,) = self.call("GET", f"/api/v2/orgs?org={org}")["orgs"]
        rules = [{"type": "expire", "everySeconds": hours * 3600}]
        self.call("POST", "/api/v2/buckets", {"orgID": found["id"], "name": database, "retentionRules": rules})

    def shorten(self, database: str, *, hours: int) -> None:
        """See Influxd."""
        (found,) = self.call("GET", f"/api/v2/buckets?org=o&name={database}")["buckets"]
        rule = {"type": "expire", "everySeconds": hours * 3600, "shardGroupDurationSeconds": 3600}
        self.call("PATCH", f"/api/v2/buckets/{found['id']}", {"retentionRules": [rule]})


class Influxd3(Influxd):
    """InfluxDB 3 Core with an administrator's token."""

    version = 3
    program = "influxdb3"
    ready = "/health"
    token = "apiv3_" + "t" * 64

    def __init__(self, program: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        self._wal = folder / "data" / "n" / "wal"
        (folder / "token").write_text(json.dumps({"token": self.token, "name": "_admin"}))
        (folder / "token").chmod(0o600)
        command = [
            *(str(program), "serve", "--node-id=n", "--object-store=file", f"--data-dir={folder / 'data'}"),
            *(f"--http-bind=127.0.0.1:{port}", "--disable-telemetry-upload"),
            *(f"--admin-token-file={folder / 'token'}", "--disable-authz=health"),
            "--wal-flush-interval=10ms",
        ]
        super().__init__(command, {}, folder / "log", port)

    def sink(self, database: str = "d", **more: str) -> dict[str, Any]:
        """See Influxd."""
        return super().sink(database, **{"token": self.token} | more)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body of a request with the administrator's token."""
        text = json.dumps(body).encode() if body is not None else None
        return self.get(path, text, self._headers("application/json"), method=method)

    def _headers(self, kind: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": kind}

    @contextmanager
    def without_log(self) -> Iterator[None]:
        """A while in which nothing can be written to its log: there is a file in place of the folder."""
        aside = self._wal.rename(self._wal.with_name("aside"))
        self._wal.touch()
        try:
            yield
        finally:
            self._wal.unlink()
            aside.rename(self._wal)

    def query(self, sql: str, database: str = "d") -> list[dict[str, Any]]:
        """The rows of a statement."""
        question = {"db": database, "q": sql, "format": "json"}
        status, body = self.call("POST", "/api/v3/query_sql", question)
        assert status == 200, body
        rows: list[dict[str, Any]] = json.loads(body, parse_int=float)
        return rows

    def points(self, measurement: str | None = None, database: str = "d") -> list[Point]:
        """See Influxd."""
        columns = "SELECT table_name, column_name, data_type FROM information_schema.columns"
        kinds: dict[str, dict[str, str]] = {}
        for row in self.query(f"{columns} WHERE table_schema = 'iox'", database):
            kinds.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
        found = []
        for table, kind in kinds.items():
            if measurement is None or table == measurement:
                quoted = table.replace('"', '""')
                for row in self.query(f'SELECT * FROM "{quoted}"', database):
                    found += _points_of(table, row, {name for name, is_of in kind.items() if "Dictionary" in is_of})
        return sorted(found)

    def write(self, lines: bytes, database: str = "d") -> tuple[int, bytes]:
        """See Influxd."""
        path = f"/api/v3/write_lp?db={database}&precision=millisecond"
        return self.get(path, lines, self._headers("text/plain"))

    def drop(self, measurement: str) -> None:
        """See Influxd."""
        table = urllib.parse.urlencode({"db": "d", "table": measurement, "hard_delete_at": "now"})
        assert self.call("DELETE", f"/api/v3/configure/table?{table}")[0] == 200

    def make(self, database: str, *, hours: int = 0) -> None:
        """See Influxd."""
        kept = {"retention_period": f"{hours}h"} if hours else {}
        assert self.call("POST", "/api/v3/configure/database", {"db": database, **kept})[0] == 200

    def shorten(self, database: str, *, hours: int) -> None:
        """See Influxd."""
        change = {"db": database, "retention_period": f"{hours}h"}
        assert self.call("PUT", "/api/v3/configure/database", change)[0] == 200


def _points_of(table: str, row: dict[str, Any], are_tags: set[str]) -> list[Point]:
    """The fields of a row that hold something."""
    tags = _tags({name: row[name] for name in are_tags if row.get(name) is not None})
    fields = {name: value for name, value in row.items() if name != "time" and name not in are_tags}
    return [Point(table, tags, name, _ms(row["time"]), value) for name, value in fields.items() if value is not None]


def _tags(found: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """A tag that is empty is none."""
    return tuple(sorted((name, text) for name, text in found.items() if text))


def _escaped(text: str) -> str:
    return re.sub("([, =])", r"\\\1", text)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _ms(text: str) -> int:
    """RFC 3339; without a zone it is UTC."""
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
