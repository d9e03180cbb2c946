"""Servers under measurement: started on a free port, read from /proc, ended afterwards."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Server", "bridge", "pushgateway"]

TICK = os.sysconf("SC_CLK_TCK")

Command = Callable[[int, Path], list[str]]
"""From a port and a folder to a command line."""


class Server:
    """A process with a data folder of its own."""

    def __init__(self, name: str, command: Command, ready: str) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._command = command(self.port, self.folder)
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start and wait until ready."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self._ready}", timeout=5) as answer:
                return 200 <= answer.status < 300
        except OSError:
            return False

    def cpu(self) -> float:
        """User and system seconds so far."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss(self) -> float:
        """Resident MiB now."""
        return self._status("VmRSS")

    def anonymous(self) -> float:
        """Resident MiB now that are no pages of files."""
        return self._status("RssAnon")

    def peak(self) -> float:
        """Most resident MiB so far."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """From now on the peak is that of what comes."""
        assert self._process is not None
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def _status(self, key: str) -> float:
        line = next(line for line in self._proc("status").splitlines() if line.startswith(key))
        return int(line.split()[1]) / 1024

    def _proc(self, file: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{file}").read_text()

    def __enter__(self) -> Self:
        return self.start()

    def restart(self, command: Command) -> None:
        """Stop it and start it again on the same port and folder with another command."""
        self._stop()
        self._command = command(self.port, self.folder)
        self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()


def bridge(config: str = "") -> Server:
    """This project."""

    def command(port: int, folder: Path) -> list[str]:
        file = folder / "bridge.yml"
        file.write_text(config)
        listen = f"127.0.0.1:{port}"
        python = [sys.executable, "-m", "bridge", "serve"]
        return [*python, "--config", str(file), "--data", str(folder / "data"), "--listen", listen]

    return Server("pushbridge", command, "/-/ready")


def pushgateway(*flags: str) -> Command | None:
    """The peer's command, if it is installed. It keeps its groups over a restart."""
    path = shutil.which("prometheus-pushgateway")
    if path is None:
        return None

    def command(port: int, folder: Path) -> list[str]:
        listen = f"--web.listen-address=127.0.0.1:{port}"
        return [path, listen, f"--persistence.file={folder / 'groups'}", "--log.level=error", *flags]

    return command
