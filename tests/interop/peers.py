"""Real InfluxDB 1.x and 2.x, Prometheus and VictoriaMetrics on free loopback ports, each with its data in a folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.bridge_process import free_port, wait_until

__all__ = ["Influxd", "Influxd2", "Prometheus", "VictoriaMetrics"]


class _Server:
    ready: str

    def __init__(self, command: list[str], env: dict[str, str], log: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._env = os.environ | env
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=log)
        wait_until(f"{self._command[0]} answers", self._answers, 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return self.get(self.ready)[0] < 300
        except OSError:
            return False

    def get(self, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body; POST when there is `data`."""
        request = urllib.request.Request(self.url + path, data, dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class Influxd(_Server):
    """InfluxDB 1.x."""

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

    def write(self, body: bytes, db: str = "d") -> tuple[int, bytes]:
        """Write lines with times in ms."""
        return self.get(f"/write?db={db}&precision=ms", body)


class Influxd2(_Server):
    """InfluxDB 2.x with organization `o`, bucket `b` and operator token `t`."""

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

    def __enter__(self) -> Self:
        super().__enter__()
        if self.call("GET", "/api/v2/setup")["allowed"]:
            first = {"username": "u", "password": "password", "org": "o", "bucket": "b", "token": "t"}
            self.call("POST", "/api/v2/setup", first)
        return self

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of a request with the operator's token."""
        told = {"Authorization": "Token t"} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body or None, told, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the JSON API answers; it has to be a success."""
        text = json.dumps(body).encode() if body is not None else b""
        status, answer = self.send(method, path, text, Content_Type="application/json")
        assert status < 300, answer
        return json.loads(answer) if answer else None

    def write(self, body: bytes, bucket: str = "b") -> tuple[int, bytes]:
        """Write lines with times in ms."""
        return self.send("POST", f"/api/v2/write?org=o&bucket={bucket}&precision=ms", body)

    def delete(self, predicate: str, bucket: str = "b") -> None:
        """Delete the points of all times that the predicate is about."""
        span = {"start": "1970-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z"}
        self.call("POST", f"/api/v2/delete?org=o&bucket={bucket}", {**span, "predicate": predicate})

    def make_bucket(self, name: str, *, org: str = "o", seconds: int = 0) -> str:
        """A bucket that keeps points for so long; its id."""
        (found,) = self.call("GET", f"/api/v2/orgs?org={org}")["orgs"]
        rules = [{"type": "expire", "everySeconds": seconds}]
        made = self.call("POST", "/api/v2/buckets", {"orgID": found["id"], "name": name, "retentionRules": rules})
        return str(made["id"])

    def query(self, flux: str, bucket: str = "b", org: str = "o") -> list[dict[str, str]]:
        """The rows of `from(bucket) |> range(start: 0) |> ...`, without those columns that are about tables."""
        script = f'from(bucket: "{bucket}") |> range(start: 0, stop: 2200-01-01T00:00:00Z) {flux}'
        kind = "application/vnd.flux"
        status, body = self.send("POST", f"/api/v2/query?org={org}", script.encode(), Content_Type=kind)
        assert status == 200, body
        rows = []
        for table in body.decode().split("\r\n\r\n"):
            for row in csv.DictReader(table.splitlines()):
                own = {"", "result", "table", "_start", "_stop"}
                rows.append({name: value for name, value in row.items() if name not in own})
        return rows


class VictoriaMetrics(_Server):
    """VictoriaMetrics, single node."""

    ready = "/health"

    def __init__(self, program: Path, folder: Path, *flags: str) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        command = [str(program), f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}"]
        super().__init__([*command, "-retentionPeriod=100y", *flags], {}, folder / "log", port)

    def export(self) -> list[dict[str, Any]]:
        """All series, as `metric`, `timestamps` and `values`; of this second too, which it leaves out by itself."""
        self.get("/internal/force_flush")
        query = {"match[]": '{__name__!=""}', "start": "0", "end": str(int(time.time()) + 3600)}
        _, body = self.get("/api/v1/export?" + urllib.parse.urlencode(query))
        return [json.loads(line) for line in body.splitlines()]


class Prometheus(_Server):
    """Prometheus over a data directory, scraping itself every second; blocks are of `block` length."""

    ready = "/-/ready"

    def __init__(
        self,
        program: Path,
        folder: Path,
        data: Path,
        *,
        block: str = "2h",
        more: str = "",
        receives: bool = False,
        features: Sequence[str] = (),
    ) -> None:
        """`more` is further configuration. One that `receives` takes remote writes, and scrapes nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        config = folder / "prometheus.yml"
        scrapes = f"scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
        config.write_text("global: {scrape_interval: 1s}\n" + ("" if receives else scrapes) + more)
        command = [
            str(program),
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--storage.tsdb.min-block-duration={block}",
            f"--storage.tsdb.max-block-duration={block}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-admin-api",
            f"--enable-feature={','.join(('native-histograms', *features))}",
            *(["--web.enable-remote-write-receiver"] if receives else []),
        ]
        super().__init__(command, {}, folder / "log", port)

    def api(self, path: str, **params: str) -> Any:
        """The data of an answer of the HTTP API."""
        _, body = self.get(f"/api/v1/{path}?{urllib.parse.urlencode(params)}")
        answer = json.loads(body)
        assert answer["status"] == "success", answer
        return answer["data"]

    def samples(
        self, selector: str, seconds: int, time: int
    ) -> dict[frozenset[tuple[str, str]], list[tuple[int, str]]]:
        """Raw samples in the `seconds` up to `time` (ms), by labels. Those of exactly then are asked for too."""
        data = self.api("query", query=f"{selector}[{seconds}s1ms]", time=f"{time / 1000:.3f}")
        found = {
            frozenset(series["metric"].items()): [(round(t * 1000), value) for t, value in series["values"]]
            for series in data["result"]
        }
        oldest = time - seconds * 1000
        inside = {labels: [sample for sample in samples if sample[0] >= oldest] for labels, samples in found.items()}
        return {labels: samples for labels, samples in inside.items() if samples}

    def complaints(self) -> list[str]:
        """What it has logged as warnings and errors so far."""
        return [line for line in self._log.read_text().splitlines() if re.search(r"level=(warn|error)", line)]

    def stop(self) -> None:
        """A graceful end."""
        self._process.terminate()
        self._process.wait(60)
