"""Programs that the demonstration starts beside itself, and ends with it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["Program", "bridge_program", "free_port", "influxd_program"]

READY_SECONDS = 30.0


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A server in a process of its own, its output in a file."""

    def __init__(self, name: str, command: Sequence[str], url: str, ready: str, log: Path) -> None:
        self.url = url
        self._name = name
        self._command = command
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it answers. Raises RuntimeError that shows its last words when it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                self._command, stdout=log, stderr=log, env={**os.environ, **(env or {})}
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._name} did not start; its log ends:\n{self._log.read_text()[-1500:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self._ready, timeout=2) as answer:  # noqa: S310 - our own address
                return bool(200 <= answer.status < 300)
        except OSError:
            return False


def bridge_program(name: str, folder: Path, config: str) -> Program:
    """A bridge with its data in `folder`."""
    folder.mkdir(parents=True)
    file = folder / "bridge.yml"
    file.write_text(config)
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "bridge", "serve", "--config", str(file)]
    command += ["--data", str(folder / "data"), "--listen", listen]
    return Program(name, command, f"http://{listen}", "/-/ready", folder / "log")


def influxd_program(folder: Path) -> tuple[Program, Mapping[str, str]] | None:
    """InfluxDB 1.x from the PATH, and the environment that keeps it to `folder` and loopback; None if it is not
    installed."""
    path = shutil.which("influxd")
    if path is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    env = {
        "INFLUXDB_REPORTING_DISABLED": "true",
        "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
        "INFLUXDB_META_DIR": str(folder / "meta"),
        "INFLUXDB_DATA_DIR": str(folder / "data"),
        "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
        "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
        "INFLUXDB_MONITOR_STORE_ENABLED": "false",
    }
    return Program("influxd", [path], f"http://127.0.0.1:{port}", "/ping", folder / "log"), env
