"""We and a real Prometheus answer alike about the same native histograms, in what 2.42 and 3.14 mean the same by.

Not among it: quantiles, for which 2.42 interpolates straight where 3.14 does along the schema's exponents, and
functions that lose histograms in 2.42, as `label_replace` does.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import snappy

from tests.interop.answers import difference
from tests.interop.twins import Ask, twins
from tests.remote_write.prompb import WriteRequest

pytestmark = pytest.mark.interop

INTERVAL = 15
SAMPLES = 120
RESET = 70
"""The sample at which the process of instance `b` begins anew."""


@pytest.fixture(scope="module")
def begin() -> int:
    """When the samples begin, in seconds. They lie a bit behind round times, where no evaluation and no edge is."""
    return (int(time.time()) - INTERVAL * SAMPLES) // 60 * 60


@pytest.fixture(scope="module")
def both(
    peer: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, begin: int
) -> Iterator[tuple[Ask, Ask]]:
    """What asks us, and what asks them."""
    with twins(
        peer("prometheus"), tmp_path_factory.mktemp("histograms"), [snappy.compress(request(begin).SerializeToString())]
    ) as both:
        yield both


def request(begin: int) -> WriteRequest:
    """Latencies of three instances, one of which has a finer schema, and a bucket more now and then."""
    message = WriteRequest()
    for number, instance in enumerate("abc"):
        series = message.timeseries.add()
        for name, value in (("__name__", "rpc_seconds"), ("instance", instance), ("job", "api")):
            series.labels.add(name=name, value=value)
        for n in range(SAMPLES):
            age = n - RESET if instance == "b" and n >= RESET else n
            put(series.histograms.add(), age + 1, schema=2 if instance == "c" else 0, seed=number)
            series.histograms[-1].timestamp = (begin + INTERVAL * n) * 1000 + 301
    return message


def put(histogram: Any, age: int, *, schema: int, seed: int) -> None:
    """Counts that only grow with age: two runs of buckets, a zero bucket, and negative ones."""
    counts = [age * (3 + seed), age * 5, age * (1 + seed)]
    negative = [age]
    histogram.schema, histogram.zero_threshold = schema, 0.001
    histogram.zero_count_int = age // 2
    histogram.sum = 1.25 * age * (seed + 1)
    histogram.positive_spans.add(offset=-1, length=2)
    histogram.positive_spans.add(offset=2, length=1)
    histogram.positive_deltas.extend(after - before for before, after in zip([0, *counts], counts, strict=False))
    histogram.negative_spans.add(offset=0, length=1)
    histogram.negative_deltas.extend(negative)
    histogram.count_int = sum(counts) + sum(negative) + age // 2


QUERIES = [
    "rpc_seconds",
    "rpc_seconds{instance=~'a|c'} offset 2m",
    "rate(rpc_seconds[2m])",
    "increase(rpc_seconds[5m])",
    "sum(rpc_seconds{instance!='c'})",
    "sum by (instance) (rate(rpc_seconds[2m]))",
    "sum(rate(rpc_seconds{instance!='c'}[2m]))",
    "sum without (instance) (rate(rpc_seconds[2m]))",
    "histogram_count(rpc_seconds)",
    "histogram_sum(rpc_seconds)",
    "histogram_count(rate(rpc_seconds[2m]))",
    "histogram_sum(sum(rate(rpc_seconds[2m])))",
    "histogram_sum(rate(rpc_seconds[2m])) / histogram_count(rate(rpc_seconds[2m]))",
    "count(rpc_seconds)",
    "count by (job) (rate(rpc_seconds[1m]))",
    "group(rpc_seconds)",
    "rpc_seconds{instance='a'} + ignoring (instance) rpc_seconds{instance='b'}",
    "rpc_seconds and on (instance) (histogram_count(rpc_seconds) > 500)",
    "rpc_seconds unless on (instance) histogram_count(rpc_seconds{instance='b'})",
    "histogram_quantile(2, rate(rpc_seconds[2m]))",
    "histogram_quantile(-1, rate(rpc_seconds[2m]))",
    "absent(rpc_seconds{instance='none'})",
    "absent(rpc_seconds)",
    "count_over_time(rpc_seconds[2m])",
    "present_over_time(rpc_seconds[1m])",
    "timestamp(rpc_seconds)",
    "last_over_time(histogram_count(rpc_seconds)[3m:30s])",
    "rpc_seconds{instance='a'} @ end()",
    "histogram_count(sum(increase(rpc_seconds[5m]))) > bool 100",
]


@pytest.mark.parametrize("path", ["query", "query_range"])
@pytest.mark.parametrize("query", QUERIES)
def test_native_histograms_are_answered_alike(both: tuple[Ask, Ask], begin: int, query: str, path: str) -> None:
    start = begin + 600 + 7
    times = {"time": start + 787, "start": start, "end": start + 1000, "step": 60}
    params = urllib.parse.urlencode({"query": query, **times})
    ours, theirs = (json.loads(ask(f"/api/v1/{path}?{params}")) for ask in both)
    assert theirs["status"] == "success", theirs
    assert theirs["data"]["result"] or query == "absent(rpc_seconds)"
    assert difference(ours, theirs) == ""
