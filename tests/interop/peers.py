"""Real InfluxDB 1.x, Prometheus and VictoriaMetrics on free loopback ports, each with its data in a folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.bridge_process import free_port, wait_until

__all__ = ["Influxd", "Prometheus", "VictoriaMetrics"]


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

    def get(self, path: str, data: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; POST when there is `data`."""
        try:
            with urllib.request.urlopen(self.url + path, data=data, timeout=30) as response:
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
        self, program: Path, folder: Path, data: Path, *, block: str = "2h", more: str = "", receives: bool = False
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
            "--enable-feature=native-histograms",
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
        """Raw samples in the `seconds` up to `time` (ms), by labels."""
        data = self.api("query", query=f"{selector}[{seconds}s]", time=f"{time / 1000:.3f}")
        return {
            frozenset(series["metric"].items()): [(round(t * 1000), value) for t, value in series["values"]]
            for series in data["result"]
        }

    def complaints(self) -> list[str]:
        """What it has logged as warnings and errors so far."""
        return [line for line in self._log.read_text().splitlines() if re.search(r"level=(warn|error)", line)]

    def stop(self) -> None:
        """A graceful end."""
        self._process.terminate()
        self._process.wait(60)
