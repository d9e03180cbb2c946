"""A real vmagent scrapes a page and writes to us while we are killed and started again: every scrape is here once.

It sends over several connections at a time and sends again by itself on each, so late samples have to be welcome.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.buffer.samples import open_store

pytestmark = [pytest.mark.interop, pytest.mark.anyio]


class Ticking(ThreadingHTTPServer):
    """A page that shows how often it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.ticks = 0
        self.lock = threading.Lock()

    def tick(self) -> int:
        with self.lock:
            self.ticks += 1
            return self.ticks


class _Page(BaseHTTPRequestHandler):
    server: Ticking

    def do_GET(self) -> None:
        body = f'# TYPE ticks_total counter\nticks_total{{kind="odd \\"one\\""}} {self.server.tick()}\n'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody wants to read it."""


@contextmanager
def ticking() -> Iterator[Ticking]:
    """Serve the page."""
    with Ticking() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def vmagent(program: Path, folder: Path, target: int, receiver: int) -> Iterator[None]:
    """vmagent, configured as the README says, and flushing often."""
    folder.mkdir()
    (folder / "scrape.yml").write_text(
        "global: {scrape_interval: 200ms}\n"
        f"scrape_configs: [{{job_name: page, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
    )
    command = [
        str(program),
        f"-promscrape.config={folder / 'scrape.yml'}",
        f"-remoteWrite.url=http://127.0.0.1:{receiver}/api/v1/write",
        f"-remoteWrite.tmpDataPath={folder / 'queue'}",
        "-remoteWrite.flushInterval=200ms",
        f"-httpListenAddr=127.0.0.1:{free_port()}",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.kill()


async def test_each_scrape_of_vmagent_is_here_once_though_we_are_killed(
    peer: Callable[[str], Path], tmp_path: Path
) -> None:
    port = free_port()
    bridge = BridgeProcess(tmp_path, "storage: {out_of_order_time_window: 30m}\n", port=port)
    bridge.start()
    with ticking() as page, vmagent(peer("vmagent"), tmp_path / "vmagent", page.server_port, port):
        wait_until("vmagent scrapes", lambda: page.ticks > 5, 60)
        bridge.kill()
        during = page.ticks
        wait_until("vmagent goes on scraping", lambda: page.ticks > during + 8, 60)
        bridge.start()
        last = page.ticks + 5

        def ask(query: str) -> float:
            answer = json.loads(bridge.request("GET", "/api/v1/query?query=" + quote(query)).body)
            return sum(float(series["value"][1]) for series in answer["data"]["result"])

        def caught_up() -> bool:
            gaps = ask("max_over_time(ticks_total[1h]) - count_over_time(ticks_total[1h])")
            return gaps == 0 and ask("max_over_time(ticks_total[1h])") >= last

        wait_until("vmagent has caught up", caught_up, 120)  # it waits up to a minute between attempts
        assert bridge.stop() == 0
    store = open_store(tmp_path / "data")
    found = store.querier.select([("__name__", "=", "ticks_total")], 0, 1 << 60)
    assert len(found) == 1
    assert found.labels(0) == {
        "__name__": "ticks_total",
        "instance": f"127.0.0.1:{page.server_port}",
        "job": "page",
        "kind": 'odd "one"',
    }
    times, values = found.floats(0)
    await store.close()
    assert list(values[:last]) == [float(n) for n in range(1, last + 1)]
    assert len(set(times.tolist())) == len(times)
