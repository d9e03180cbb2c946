"""Real Prometheus and VictoriaMetrics on free loopback ports, each with its data in a folder."""

from __future__ import annotations

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

__all__ = ["Prometheus", "Server", "VictoriaMetrics"]


class Server:
    """A program that answers HTTP at `url` while it is entered; killed at the end."""

    ready: str

    def __init__(self, command: list[str], env: dict[str, str], log: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._env = os.environ | env
        self._log = log

    def start(self) -> None:
        """Start it, for the first time or again; it answers then."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=log)
        wait_until(f"{self._command[0]} answers", self._answers, 60)

    def kill(self) -> None:
        """The end of its process, and of nothing on its disk."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _answers(self) -> bool:
        try:
            return self.get(self.ready)[0] < 300
        except OSError:
            return False

    def get(
        self,
        path: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str | None = None,
    ) -> tuple[int, bytes]:
        """Status and body; unless another method is told, POST when there is `data`."""
        request = urllib.request.Request(self.url + path, data, dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class VictoriaMetrics(Server):
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


class Prometheus(Server):
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
