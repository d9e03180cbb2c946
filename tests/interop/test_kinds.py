"""Series that change their kind within a request, read by a Prometheus from our log, a checkpoint and our blocks."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Storage
from tests.bridge_process import BridgeProcess
from tests.buffer.samples import open_store
from tests.interop.peers import Prometheus
from tests.remote_write.writing import V2, Series, now_ms, v2

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

INTEGER: dict[str, Any] = {"count_int": 2, "sum": 1.5, "positive_spans": [(0, 1)], "positive_deltas": [2]}
PARTS: dict[str, Any] = {"count_float": 2.5, "sum": 1.5, "positive_spans": [(0, 1)], "positive_counts": [2.5]}
TURNS = [INTEGER, None, PARTS, INTEGER, None, None]
"""Histograms and floats of a request in turn."""
REQUESTS = 40
SERIES = 20
CONFIG = "storage: {wal: {segment_size: 64KiB}}\nweb: {enable_admin_api: true}\n"


def request(number: int, t: int) -> bytes:
    """Each series takes all turns, some from the middle on. Noise makes the log long enough to be condensed."""
    rows = [Series({"__name__": "noise", "n": random.Random(number).randbytes(8_000).hex()}, [(t, 1.0)])]
    for n in range(SERIES):
        labels = {"__name__": "m", "n": str(n)}
        for turn, fields in enumerate(TURNS[n % len(TURNS) :] + TURNS[: n % len(TURNS)]):
            at = t + turn
            rows.append(
                Series(labels, [(at, number + n / 8)])
                if fields is None
                else Series(labels, histograms=[fields | {"timestamp": at, "sum": number + n / 8}])
            )
    return v2(*rows)


def shown(result: list[dict[str, Any]]) -> dict[frozenset[tuple[str, str]], list[tuple[float, str]]]:
    """(s, value) of all samples of each series; histograms are only known by their times: in an answer of 2.42
    some of them have been overwritten by others."""
    return {
        frozenset(row["metric"].items()): sorted(
            [(t, v) for t, v in row.get("values", [])] + [(t, "a histogram") for t, _ in row.get("histograms", [])]
        )
        for row in result
    }


def theirs(program: Path, folder: Path, tsdb: Path) -> dict[frozenset[tuple[str, str]], list[tuple[float, str]]]:
    """What a Prometheus finds after its start on a copy of the directory, of which it must not complain."""
    copy = folder / "data"
    shutil.copytree(tsdb, copy)
    (copy / "lock").unlink(missing_ok=True)
    with Prometheus(program, folder, copy, receives=True) as running:
        assert running.complaints() == []
        return shown(running.api("query", query="m[1h]")["result"])


async def test_a_prometheus_finds_all_of_them(peer: Callable[[str], Path], tmp_path: Path) -> None:
    begin = now_ms() - 60_000
    with BridgeProcess(tmp_path, CONFIG) as bridge:
        for number in range(REQUESTS):
            answer = bridge.request("POST", "/api/v1/write", request(number, begin + 1000 * number), V2)
            assert answer.status == 204, answer.text
        answer = bridge.request("GET", "/api/v1/query?query=m%5B1h%5D")
        wanted = shown(json.loads(answer.body)["data"]["result"])
        snapshot = json.loads(bridge.request("POST", "/api/v1/admin/tsdb/snapshot").body)["data"]["name"]
    assert sum(map(len, wanted.values())) == REQUESTS * SERIES * len(TURNS)
    tsdb = tmp_path / "data" / "tsdb"
    assert theirs(peer("prometheus"), tmp_path / "of-blocks", tsdb / "snapshots" / snapshot) == wanted
    log = tmp_path / "log"
    shutil.copytree(tsdb / "wal", log / "wal")
    assert theirs(peer("prometheus"), tmp_path / "of-log", log) == wanted
    store = open_store(tmp_path / "data", settings=Storage())
    assert await store.truncate_log(begin, readers=[], owners=[], keep=1 << 62) is not None
    await store.close()
    condensed = tmp_path / "condensed"
    shutil.copytree(tsdb / "wal", condensed / "wal")
    assert list((condensed / "wal").glob("checkpoint.*"))
    assert theirs(peer("prometheus"), tmp_path / "of-checkpoint", condensed) == wanted
