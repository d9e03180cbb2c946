"""One directory, two programs: a real Prometheus opens ours, we open a real Prometheus'."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from bridge.native import Batch
from tests.bridge_process import free_port, wait_until
from tests.buffer.samples import dump, open_store

pytestmark = [pytest.mark.anyio, pytest.mark.interop]

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: self
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


@contextmanager
def prometheus(program: Path, folder: Path) -> Iterator[Callable[[str], list[Any]]]:
    """A real Prometheus on `folder`/tsdb that scrapes itself; gives a function that queries it."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG % port)
    command = [str(program), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command) as process:

        def query(expression: str) -> list[Any]:
            url = f"http://127.0.0.1:{port}/api/v1/query?query={expression}"
            try:
                with urllib.request.urlopen(url) as answer:
                    result: list[Any] = json.load(answer)["data"]["result"]
                    return result
            except OSError:
                return []

        try:
            wait_until("Prometheus answers", lambda: query("vector(1)"))
            yield query
        finally:
            process.terminate()


def promtool_dump(promtool: Path, tsdb: Path) -> list[str]:
    command = [str(promtool), "tsdb", "dump", str(tsdb)]
    return sorted(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())


async def test_a_prometheus_directory_opens_and_goes_on(tmp_path: Path, peer: Callable[[str], Path]) -> None:
    program, promtool = peer("prometheus"), peer("promtool")
    with prometheus(program, tmp_path) as query:
        wait_until("it has scraped itself three times", lambda: query("count_over_time(up[1m])>2"))
    theirs = promtool_dump(promtool, tmp_path / "tsdb")
    assert len(theirs) > 1000
    assert sorted(dump(Directory(Files(), tmp_path / "tsdb", SystemClock())).splitlines()) == theirs

    now = time.time_ns() // 1_000_000
    store = open_store(tmp_path)
    assert sorted(dump(store).splitlines()) == theirs
    await store.append(Batch.from_rows([({"__name__": "ours"}, None, 42.0)], now, event=b"e", held=True))
    await store.tick(now + 1)
    seq = store.seq
    assert seq == len(theirs) + 1
    position, cursor = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 500, seq=cursor)
        cursor = piece.seq
    assert cursor == seq
    await store.close()

    with prometheus(program, tmp_path) as query:
        wait_until("it has scraped itself again", lambda: query("count_over_time(up[1m])>4"))
        assert [sample["value"][1] for sample in query("last_over_time(ours[5m])")] == ["42"]
    assert Directory(Files(), tmp_path / "tsdb", SystemClock()).select([("__name__", "=", "ours")])[0].values == [42.0]


async def test_a_checkpoint_is_read_before_the_segments_behind_it(tmp_path: Path, peer: Callable[[str], Path]) -> None:
    """The log as a Prometheus leaves it that has condensed segment 0, which is a directory of segments."""
    program, promtool = peer("prometheus"), peer("promtool")
    for _ in range(2):  # each start is a segment
        with prometheus(program, tmp_path) as query:
            wait_until("it has scraped itself", lambda: query("up"))
    wal = tmp_path / "tsdb" / "wal"
    checkpoint = wal / "checkpoint.00000000"
    checkpoint.mkdir()
    (wal / "00000000").rename(checkpoint / "00000000")
    theirs = promtool_dump(promtool, tmp_path / "tsdb")
    store = open_store(tmp_path)
    assert sorted(dump(store).splitlines()) == theirs
    assert store.oldest().segment == 1
    await store.append(Batch.from_rows([({"__name__": "ours"}, None, 42.0)], time.time_ns() // 1_000_000))
    await store.close()
    assert len(promtool_dump(promtool, tmp_path / "tsdb")) == len(theirs) + 1
