"""What a range query takes is bounded by its answer, not by what it looks at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.api.asking import data, post, write
from tests.bridge_process import BridgeProcess
from tests.faults.watching import Memory

NOW = int(time.time())
SERIES, STEPS = 3_000, 10_000
MOST = 192 << 20  # bytes; a frame of all series and steps takes 9 bytes a cell, 257 MiB, and half of this is usual


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("memory")) as process:
        for t in range(NOW - STEPS, NOW + 1, 200):  # a value at every step, or frames would hold pages nobody touched
            write(process, *(f"m,n={n},mod={n % 10} value={n} {t * 1000}" for n in range(SERIES)))
        assert post(process, "/query", {"query": "sum(m)"}).status == 200  # what it needs for any query
        yield process


@pytest.mark.parametrize(
    ("query", "series"),
    [
        ("count(m)", 1),
        ("sum by (mod) (max_over_time(m[1m]))", 10),
        ("m > 2997.5", 2),
        ("topk(3, m) - on (n) topk(3, m)", 3),
        ("count(label_replace(m, 'x', '$1', 'n', '(.)')) by (x)", 11),
        ("max_over_time(sum by (mod) (m)[2m:1s])", 10),
        ("absent(x) or scalar(count(m)) * (m == 7)", 2),
    ],
)
def test_a_small_answer_of_many_series_at_many_steps(bridge: BridgeProcess, query: str, series: int) -> None:
    memory = Memory(bridge.pid)
    before = memory.forget_peak()
    times = {"start": str(NOW - STEPS + 1), "end": str(NOW), "step": "1"}
    result = data(post(bridge, "/query_range", {"query": query, **times}))["result"]
    assert memory.peak() - before < MOST
    assert len(result) == series
    assert {time for one in result for time, _ in one["values"]} >= {NOW}
    assert len(json.dumps(result)) < 4 << 20
