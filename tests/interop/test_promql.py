"""We and a real Prometheus answer alike over the same remote-written data: dashboards' queries, and generated ones.

What is generated depends on the version of the Prometheus that is there: to one of our own we say all that we know, and
then compare errors, warnings and infos to the letter.
"""

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

from tests.interop import dashboards
from tests.interop.accepted import compared
from tests.interop.answers import difference_of_words
from tests.interop.dialect import Dialect, dialect_of
from tests.interop.scripted import requests_of
from tests.interop.twins import Ask, twins
from tests.promql.script import Load, parse_script
from tests.remote_write.prompb import WriteRequest

pytestmark = pytest.mark.interop

INTERVAL = 15
SAMPLES = 360
SLICE = 40
GENERATED = 3000
KINDS = Path(__file__).parent / "kinds.test"
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


@pytest.fixture(scope="module")
def begin() -> int:
    """When the samples begin, in seconds. They lie a bit behind round times, where no evaluation and no edge is."""
    return (int(time.time()) - INTERVAL * SAMPLES) // 60 * 60


@pytest.fixture(scope="module")
def dialect(peer: Callable[[str], Path]) -> Dialect:
    """What the Prometheus that is there understands."""
    return dialect_of(peer("prometheus"))


@pytest.fixture(scope="module")
def both(
    peer: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, begin: int, dialect: Dialect
) -> Iterator[tuple[Ask, Ask]]:
    """What asks us, and what asks them."""
    bodies = list(requests([begin + 0.301 + INTERVAL * n for n in range(SAMPLES)]))
    if dialect.is_same:
        (load,) = parse_script(KINDS.read_text())
        assert isinstance(load, Load)
        bodies += requests_of(load, begin + 1800)
    folder = tmp_path_factory.mktemp("promql")
    with twins(peer("prometheus"), folder, bodies, features=dialect.features, settings=dialect.settings) as both:
        yield both


def requests(times: Sequence[float]) -> Iterator[bytes]:
    """The series in write requests, a slice of time each, in the order of their labels, in which they are found then.
    What is missing is a stale marker, but in one counter."""
    rows = sorted(dashboards.series(times), key=lambda row: sorted(row[0].items()))
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


def differences(both: tuple[Ask, Ask], dialect: Dialect, queries: list[str], path: str, **times: float) -> list[str]:
    """The queries with answers that differ and may not, and what differs. Few may."""
    found, excused = [], 0
    for query in queries:
        params = urllib.parse.urlencode({"query": query, **times})
        ours, theirs = (json.loads(ask(f"/api/v1/{path}?{params}")) for ask in both)
        expr = dialect.parsed(query)
        what = compared(expr, ours, theirs)
        if not what and dialect.is_same:
            what = difference_of_words(ours, theirs)
        if what and dialect.reason(expr, what):
            excused += 1
        elif what:
            found.append(f"{query}\n    {what}")
    assert excused < len(queries) / 50
    return found


@pytest.fixture(params=["dashboards", "generated"])
def queries(request: pytest.FixtureRequest, dialect: Dialect) -> list[str]:
    """Those of dashboards, and expressions that both know."""
    return dashboards.queries() if request.param == "dashboards" else dialect.generated(Random(314), GENERATED)


@pytest.mark.timeout(600)
def test_ranges_are_answered_alike(both: tuple[Ask, Ask], begin: int, dialect: Dialect, queries: list[str]) -> None:
    start = begin + 2400 + 7
    assert differences(both, dialect, queries, "query_range", start=start, end=start + 1800, step=60) == []


@pytest.mark.timeout(600)
def test_instants_are_answered_alike(both: tuple[Ask, Ask], begin: int, dialect: Dialect, queries: list[str]) -> None:
    assert differences(both, dialect, queries, "query", time=begin + 4207) == []


def test_dashboards_find_something(both: tuple[Ask, Ask], begin: int) -> None:
    _, theirs = both
    empty = []
    for query in dashboards.queries():
        params = urllib.parse.urlencode({"query": query, "start": begin + 2407, "end": begin + 4207, "step": 60})
        answer = json.loads(theirs(f"/api/v1/query_range?{params}"))
        assert answer["status"] == "success", (query, answer["error"])
        empty += [query] if not answer["data"]["result"] else []
    assert len(empty) < 60, empty
