"""A real bridge in a process of its own, as a test's neighbour on loopback."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Answer", "BridgeProcess", "free_port", "wait_until"]


_taken: deque[int] = deque()
"""Descriptors of sockets that are bound and do not listen: their ports are given to nobody who asks for any."""


def free_port() -> int:
    """A loopback port that nobody listens on, nor is given by chance before two hundred others have been asked for."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as whoever is to listen there does
        probe.bind(("127.0.0.1", 0))
        _taken.append(os.dup(probe.fileno()))
        if len(_taken) > 200:
            os.close(_taken.popleft())
        return int(probe.getsockname()[1])


def wait_until(what: str, condition: object, timeout: float = 60.0) -> None:
    """Ask `condition()` until it is true; AssertionError naming `what` when it does not become so."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class BridgeProcess:
    """`pushbridge serve` on a free port; `with` starts it unless it runs already, and kills it if it still runs."""

    def __init__(
        self,
        folder: Path,
        config: str = "",
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        prefix: str = "",
    ) -> None:
        """`prefix` is the route prefix that `config` sets."""
        self.folder = folder
        self.data = folder / "data"
        self.port = port or free_port()
        self.config_file = folder / "bridge.yml"
        self.config_file.write_text(config)
        self.log_file = folder / "bridge.log"
        self._prefix = prefix
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, ready: bool = True) -> Self:
        """Start it and, unless told otherwise, wait until it is ready."""
        command = [sys.executable, "-m", "bridge", "serve", "--config", str(self.config_file)]
        command += ["--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._env)
        if ready:
            wait_until(f"the bridge is ready; its log:\n{self.log_file.read_text()}", self._is_ready)
        return self

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the bridge has ended:\n{self.log_file.read_text()}"
        try:
            return self.request("GET", f"{self._prefix}/-/ready").status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """SIGTERM, or another signal that ends it; the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        return self._process.wait(timeout=60)

    def reload(self) -> None:
        """SIGHUP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def request(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; the path goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            payload = body.encode() if isinstance(body, str) else body
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if payload or method in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(payload)))
            connection.endheaders(payload or None)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def log(self) -> str:
        """What it has logged."""
        return self.log_file.read_text()

    def __enter__(self) -> Self:
        running = self._process is not None and self._process.poll() is None
        return self if running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()  # a graceful stop takes 0.2 s, a hundred times; what it does is tested where it is asked for
