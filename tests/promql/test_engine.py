"""The engine as its callers see it: results, limits, and ends before the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest

from bridge.errors import BadInput, BridgeError
from bridge.native import Samples
from bridge.promql.engine import Engine
from bridge.promql.evaluation import Read
from bridge.promql.failures import QueryFailed, QueryTimeout, TooManySamples
from bridge.promql.limits import Limits
from bridge.promql.options import EngineOptions
from tests.promql.script import Load, parse_script
from tests.promql.storage import Storage

pytestmark = pytest.mark.anyio

LOAD = """
load 10s
  up{job="a"} 1 1 0 1
  up{job="b"} 1x3
  sizes {{count:2 sum:3 buckets:[2]}}x3
"""


def storage(script: str = LOAD) -> Storage:
    filled = Storage()
    for command in parse_script(script):
        assert isinstance(command, Load)
        filled.load(command)
    return filled


def engine(options: EngineOptions | None = None, **limits: float) -> Engine:
    return Engine(storage().select, options, replace(Limits(), **limits))  # type: ignore[arg-type]


async def test_json_is_that_of_the_query_api() -> None:
    result = await engine().instant("up", 20_000)
    assert json.loads(result.json()) == {
        "resultType": "vector",
        "result": [
            {"metric": {"__name__": "up", "job": "a"}, "value": [20, "0"]},
            {"metric": {"__name__": "up", "job": "b"}, "value": [20, "1"]},
        ],
    }
    result = await engine().range("sum(up)", 0, 20_000, 10_000)
    matrix = [{"metric": {}, "values": [[0, "2"], [10, "2"], [20, "1"]]}]
    assert json.loads(result.json()) == {"resultType": "matrix", "result": matrix}
    result = await engine().instant("1 / 3", 1_500)
    assert result.json() == b'{"resultType":"scalar","result":[1.500,"0.3333333333333333"]}'
    result = await engine().instant('"a\\"b"', 1_000)
    assert result.json() == b'{"resultType":"string","result":[1,"a\\"b"]}'
    result = await engine().instant("up[15s]", 20_000)
    assert json.loads(result.json())["result"][0]["values"] == [[10, "1"], [20, "0"]]
    result = await engine().instant("sizes", 10_000)
    histogram = {"count": "2", "sum": "3", "buckets": [[0, "0.5", "1", "2"]]}
    assert json.loads(result.json())["result"][0]["histogram"] == [10, histogram]


@pytest.mark.parametrize(
    ("query", "loaded", "read"),
    [
        ("up", [2, 2, 2], [2, 2, 2]),
        ("up @ 10", [2, 2, 2], [2, 0, 0]),
        ("up + up", [4, 4, 4], [4, 4, 4]),
        ("rate(up[20s])", [2, 4, 4], [2, 2, 2]),
        ("rate(up[20s] @ 10)", [4, 4, 4], [4, 0, 0]),
        ("timestamp(sizes)", [1, 1, 1], [1, 1, 1]),
        ("sizes", [12, 12, 12], [12, 12, 12]),
        ("max_over_time(up[20s:5s])", [2, 6, 8], [2, 4, 4]),
        ("sum(max_over_time(up[10s:10s] offset 10s))", [0, 2, 2], [0, 2, 2]),
        ("max_over_time(up[5s:2s])", [2, 6, 6], [2, 6, 6]),
        ("1", [0, 0, 0], [0, 0, 0]),
    ],
)
async def test_a_query_says_what_its_steps_looked_at(query: str, loaded: list[int], read: list[int]) -> None:
    result = await engine().range(query, 0, 20_000, 10_000, counting=True)
    assert result.stats.counts is not None
    assert (result.stats.counts.loaded.tolist(), result.stats.counts.read.tolist()) == (loaded, read)


async def test_a_query_says_what_it_held() -> None:
    result = await engine().range("up", 0, 20_000, 10_000)
    assert (result.stats.peak >= 6, result.stats.counts) == (True, None)


async def test_annotations_have_line_and_column() -> None:
    result = await engine().instant("1 +\n rate(up[20s])", 30_000)
    text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "up"'
    assert result.infos == [f"PromQL info: {text} (2:7)"]
    assert result.warnings == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("rate(up[(range() / 2)])", "9:20"),
        ('rate({"größe"}[(range() / 2)])', "18:29"),
        ("rate(up[max_of(step(), step())])", "15:29"),
        ("rate(up[(1) - (2)])", "9:16"),
    ],
)
async def test_durations_that_are_none_are_told_with_the_bytes_of_their_operands(query: str, place: str) -> None:
    with pytest.raises(BadInput, match=f"^{place}: duration must be greater than 0"):
        await engine(EngineOptions.everything()).instant(query, 30_000)


async def test_annotations_about_a_subquery_are_told_at_the_beginning() -> None:
    result = await engine().instant("1 +\n rate((up)[20s:10s])", 30_000)
    text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "up"'
    assert result.infos == [f"PromQL info: {text} (1:1)"]


async def test_sort_is_idle_in_a_range_query_of_one_step() -> None:
    text = "PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)"
    assert (await engine().range("sort(up)", 0, 9_000, 10_000)).warnings == [text]
    assert (await engine().range("sort(up)", 0, 0, 10_000)).warnings == []
    assert (await engine().range("sort(up @ 10)", 0, 9_000, 10_000)).warnings == []


async def test_samples_are_limited_before_they_take_memory() -> None:
    with pytest.raises(TooManySamples, match="would load too many samples into memory in query execution"):
        await engine(samples=5).range("up", 0, 30_000, 10_000)
    with pytest.raises(TooManySamples):
        await engine().range("vector(1)", 0, 10**15, 1)
    with pytest.raises(TooManySamples):
        await engine().instant("sum_over_time(vector(1)[100y:1ms])", 0)
    await engine(samples=1000).range("up", 0, 30_000, 10_000)


async def test_a_query_takes_no_longer_than_it_may() -> None:
    with pytest.raises(QueryTimeout, match="query timed out in expression evaluation"):
        await engine().instant("up + up", 0, timeout=0.0000001)


async def test_a_canceled_query_ends() -> None:
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(reads: Sequence[Read], limits: Limits) -> list[Samples]:
        started.set()
        go_on.wait(10)
        try:
            return storage().select(reads, limits)
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(Engine(slow).instant, "up", 0)
        await anyio.to_thread.run_sync(started.wait)
        group.cancel_scope.cancel()
    go_on.set()
    assert await anyio.to_thread.run_sync(ended.wait, 10)


async def test_one_selector_is_read_once() -> None:
    reads: list[Read] = []

    def counting(wanted: Sequence[Read], limits: Limits) -> list[Samples]:
        reads.extend(wanted)
        return storage().select(wanted, limits)

    result = await Engine(counting).range("up + up offset 10s + max_over_time(up[30s])", 30_000, 60_000, 10_000)
    assert len(result.series()) == 2
    assert [(read.mint, read.maxt) for read in reads] == [(30_000 - 300_000 - 10_000 + 1, 60_000)]


@pytest.mark.parametrize(
    ("query", "error", "text"),
    [
        ("up[", BadInput, "1:4: parse error"),
        ("limitk(1, up)", BadInput, "experimental"),
        ("up[(10s - 10s)]", BadInput, "duration must be greater than 0"),
        ("up[10s / 0s]", BadInput, "division by zero"),
        ("up offset (2 ^ 10000)", BadInput, "duration is NaN or infinite"),
        ("up * on (job) up{job='a'} + on () up", QueryFailed, "found duplicate series for the match group {}"),
        ('label_replace(up, "job", "", "job", ".*")', QueryFailed, "same labelset"),
        ("topk(1e30, up)", QueryFailed, "overflows int64"),
        ("sum_over_time(up[1m:0.0000001s])", BadInput, ""),
    ],
)
async def test_errors_are_told_in_prometheus_words(query: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        await engine().instant(query, 30_000)
    assert text in str(raised.value)


async def test_a_range_query_has_values_at_each_step() -> None:
    for query in ('"text"', "up[1m]"):
        with pytest.raises(BadInput, match="for range query, must be Scalar or instant Vector"):
            await engine().range(query, 0, 10, 1)
    with pytest.raises(BadInput):
        await engine().range("up", 0, 10, 0)


async def test_names_go_at_once_without_the_feature() -> None:
    script = "load 10s\n  a_total 1x9\n  b_total 2x9\n"
    at_once = Engine(storage(script).select)
    in_the_end = Engine(storage(script).select, EngineOptions(delayed_name_removal=True))
    query = 'label_replace(rate({__name__=~".+"}[1m]), "name", "$1", "__name__", "(.+)_total")'
    with pytest.raises(QueryFailed, match="vector cannot contain metrics with the same labelset"):
        await at_once.instant(query, 60_000)
    result = await in_the_end.instant(query, 60_000)
    assert len(result.series()) == 2


@pytest.mark.parametrize(
    "query",
    [
        "up @ 9e15 offset -100y",
        "up @ -9e15 offset 100y",
        "sum_over_time(sum_over_time(up[100y:1ms])[100y:1ms])",
        "sum_over_time(up[100y:1s] @ 9e15)",
        "topk(9e18, up)",
        "quantile(NaN, up)",
        "count_values('x', up) + on () group_left count_values('x', up)",
        'sort_by_label(label_replace(up, "n", "1" , "n", ""), "n")',
        "label_join(up, 'x', ',', 'job', 'job')",
        "year(vector(NaN)) + month(vector(1e300)) + minute(vector(-Inf))",
        "predict_linear(up[1m], Inf)",
        "round(up, 0)",
        "clamp(up, NaN, NaN)",
        "up[1ms]",
        "vector(1) % 0 ^ NaN",
    ],
)
async def test_odd_queries_have_a_result_or_a_reason(query: str) -> None:
    experimental = EngineOptions.everything()
    for time in (0, 30_000):
        try:
            (await engine(experimental).instant(query, time)).json()
        except BridgeError as error:
            assert error.status in {400, 422}  # noqa: PT017 - it need not be refused


async def test_values_that_become_series_count() -> None:
    load = "load 10s\n" + "".join(f'  m{{i="{n}"}} {n}+1000x50\n' for n in range(50))
    limited = Engine(storage(load).select, limits=Limits(samples=100_000))
    with pytest.raises(TooManySamples):
        await limited.range('count_values("v", m)', 0, 500_000, 10_000)
