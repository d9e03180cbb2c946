"""We and a real Prometheus answer alike over the same remote-written data: dashboards' queries, and generated ones."""

from __future__ import annotations

import json
import struct
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
import snappy

from bridge.promql import parse_expr
from tests.interop import dashboards
from tests.interop.accepted import compared, reason
from tests.interop.twins import Ask, twins
from tests.interop.vocabulary import OLD
from tests.promql.generate import Generator
from tests.remote_write.prompb import WriteRequest

pytestmark = pytest.mark.interop

INTERVAL = 15
SAMPLES = 360
SLICE = 40
GENERATED = 3000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


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
        peer("prometheus"),
        tmp_path_factory.mktemp("promql"),
        requests([begin + 0.301 + INTERVAL * n for n in range(SAMPLES)]),
    ) as both:
        yield both


def requests(times: Sequence[float]) -> Iterator[bytes]:
    """The series in write requests, a slice of time each. What is missing is a stale marker, but in one counter."""
    rows = list(dashboards.series(times))
    for first in range(0, len(times), SLICE):
        request = WriteRequest()
        for labels, values in rows:
            one = request.timeseries.add()
            for name, value in sorted(labels.items()):
                one.labels.add(name=name, value=value)
            for at, sample in zip(times[first : first + SLICE], values[first : first + SLICE], strict=True):
                if sample is not None:
                    one.samples.add(value=sample, timestamp=round(at * 1000))
                elif labels["__name__"] != "sparse_counter":
                    one.samples.add(value=STALE, timestamp=round(at * 1000))
        yield snappy.compress(request.SerializeToString())


def differences(both: tuple[Ask, Ask], queries: list[str], path: str, **times: float) -> list[str]:
    """The queries with answers that differ and may not, and what differs. Few may."""
    found, excused = [], 0
    for query in queries:
        params = urllib.parse.urlencode({"query": query, **times})
        ours, theirs = (json.loads(ask(f"/api/v1/{path}?{params}")) for ask in both)
        expr = parse_expr(query)
        what = compared(expr, ours, theirs)
        if what and reason(expr, what):
            excused += 1
        elif what:
            found.append(f"{query}\n    {what}")
    assert excused < len(queries) / 50
    return found


def generated(count: int) -> list[str]:
    """Expressions that both know."""
    random = Random(314)
    return [Generator(random, OLD, random.randrange(2, 5)).expression() for _ in range(count)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("queries", [dashboards.queries(), generated(GENERATED)], ids=["dashboards", "generated"])
def test_ranges_are_answered_alike(both: tuple[Ask, Ask], begin: int, queries: list[str]) -> None:
    start = begin + 2400 + 7
    assert differences(both, queries, "query_range", start=start, end=start + 1800, step=60) == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("queries", [dashboards.queries(), generated(GENERATED)], ids=["dashboards", "generated"])
def test_instants_are_answered_alike(both: tuple[Ask, Ask], begin: int, queries: list[str]) -> None:
    assert differences(both, queries, "query", time=begin + 4207) == []


def test_dashboards_find_something(both: tuple[Ask, Ask], begin: int) -> None:
    _, theirs = both
    empty = []
    for query in dashboards.queries():
        params = urllib.parse.urlencode({"query": query, "start": begin + 2407, "end": begin + 4207, "step": 60})
        answer = json.loads(theirs(f"/api/v1/query_range?{params}"))
        assert answer["status"] == "success", (query, answer["error"])
        empty += [query] if not answer["data"]["result"] else []
    assert len(empty) < 60, empty
