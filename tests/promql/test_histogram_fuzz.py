"""Whatever is asked of histograms has an answer, or an error that says why there is none."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BridgeError
from bridge.native import FloatHistogram
from bridge.promql.engine import Engine
from bridge.promql.limits import Limits
from bridge.promql.options import EngineOptions
from bridge.promql.result import Result
from tests.promql.script import Load, parse_script
from tests.promql.storage import Storage

LOAD = """
load 1m
  m{k="fine"} {{schema:3 count:9 sum:5 z_bucket:1 z_bucket_w:0.01 buckets:[1 0 2 5] n_buckets:[1]}}x9
  m{k="grows"} {{schema:1 count:1 sum:1 buckets:[1]}}+{{schema:1 count:2 buckets:[1 1]}}x9
  m{k="coarse"} {{schema:-2 count:9 sum:NaN z_bucket:3 z_bucket_w:2 offset:1 buckets:[1 4]}}x4 _ {{count:1}}x3
  m{k="custom"} {{schema:-53 count:9 sum:5 custom_values:[-1 0 3] buckets:[1 0 2 6]}}x9
  m{k="bounds"} {{schema:-53 count:1 custom_values:[1] buckets:[1]}}x3 {{schema:-53 count:3 custom_values:[0 5]}}x3
  m{k="gauge"} {{count:-3 sum:-Inf counter_reset_hint:gauge buckets:[-3 NaN]}}x9
  m{k="both"} 1 2 {{count:1}} 3 {{}} NaN
  m{k="float"} 1 NaN -Inf 5x5
  m{le="1"} 5 3 NaN 4x5
  m{le="+Inf"} 7 2 5 4x5
  m{le="odd"} 7x9
"""

NOW = 240_000

numbers = st.sampled_from(["0", "0.5", "1", "-1", "2", "NaN", "Inf", "-Inf", "1e308", "time() / 200"])
selectors = st.sampled_from(
    ["m", 'm{k="fine"}', 'm{k="custom"}', 'm{k=~"fine|coarse"}', 'm{le=~".+"}', "m offset 3m", 'm{k="both"}']
)
ranges = st.builds(
    lambda selector, range_: f"{selector}[{range_}]",
    st.sampled_from(["m", 'm{k="fine"}', 'm{k=~"custom|gauge"}', 'm{k="both"}']),
    st.sampled_from(["1m", "150s", "5m", "4m:1m"]),
)
OF_RANGE = [
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "resets",
    "changes",
    "sum_over_time",
    "avg_over_time",
    "last_over_time",
    "first_over_time",
    "count_over_time",
    "present_over_time",
    "max_over_time",
    "ts_of_last_over_time",
    "absent_over_time",
    "deriv",
]
OF_VECTOR = [
    "histogram_count",
    "histogram_sum",
    "histogram_avg",
    "histogram_stddev",
    "histogram_stdvar",
    "abs",
    "-",
    "timestamp",
    "absent",
]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<="]
TRIMS = ["</", ">/"]
SETS = ["and", "or", "unless"]
AGGREGATIONS = ["sum", "avg", "count", "min", "max", "stddev", "group"]


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(lambda of, v: f"{of}({v})", st.sampled_from(OF_VECTOR), inner),
        st.builds(lambda of, v: f"{of} by (k) ({v})", st.sampled_from(AGGREGATIONS), inner),
        st.builds(lambda of, v: f"{of}({v})", st.sampled_from(AGGREGATIONS), inner),
        st.builds(lambda a, op, b: f"({a}) {op} ({b})", inner, st.sampled_from(ARITHMETIC + TRIMS + SETS), inner),
        st.builds(lambda a, op, b: f"({a}) {op} on () group_left () ({b})", inner, st.sampled_from(ARITHMETIC), inner),
        st.builds(lambda a, op, b: f"({a}) {op} {b}", inner, st.sampled_from(ARITHMETIC + TRIMS), numbers),
        st.builds(lambda q, v: f"histogram_quantile({q}, {v})", numbers, inner),
        st.builds(lambda q, p, v: f'histogram_quantiles({v}, "q", {q}, {p})', numbers, numbers, inner),
        st.builds(lambda a, b, v: f"histogram_fraction({a}, {b}, {v})", numbers, numbers, inner),
        st.builds(lambda n, v: f"topk({n}, {v})", numbers, inner),
        st.builds(lambda n, v: f"limitk({n}, {v})", numbers, inner),
        st.builds(lambda v: f'count_values("v", {v})', inner),
    )


def of_range(function: str, range_: str) -> str:
    return f"{function}({range_})"


expressions = st.recursive(
    selectors | st.builds(of_range, st.sampled_from(OF_RANGE), ranges),
    grow,
    max_leaves=5,
)


def engine() -> Engine:
    storage = Storage()
    for command in parse_script(LOAD):
        assert isinstance(command, Load)
        storage.load(command)
    return Engine(storage.select, EngineOptions.everything(), Limits(timeout=30))


Value = float | FloatHistogram
Labels = tuple[tuple[str, str], ...]


@given(expressions)
@settings(max_examples=300, deadline=None)
def test_every_expression_has_one_answer_at_a_time_or_an_error(query: str) -> None:
    asked = engine()
    at_once = anyio.run(answer, lambda: asked.instant(query, NOW))
    in_range = anyio.run(answer, lambda: asked.range(query, 0, 600_000, 60_000))
    # Which series `limitk` takes is up to the order in which they come.
    if at_once is None or in_range is None or "limitk" in query:
        return
    instant, steps = values_at(at_once, NOW), values_at(in_range, NOW)
    if instant.keys() != steps.keys():
        # A series that lost its name at its first step has none at the others, as in Prometheus: `rate(m[1m]) or m`.
        instant, steps = unnamed(instant), unnamed(steps)
    assert instant.keys() == steps.keys()
    assert all(same(value, steps[labels]) for labels, value in instant.items())


async def answer(ask: Callable[[], Awaitable[Result]]) -> Result | None:
    """The result, None when there is an error instead."""
    try:
        result = await ask()
    except BridgeError:
        return None
    json.loads(result.json())
    for labels, samples in result.series():
        assert all(labels.values())
        times = [time for time, _ in samples]
        assert times == sorted(set(times))
    return result


def values_at(result: Result, time: int) -> dict[Labels, Value]:
    series = result.series()
    return {tuple(sorted(labels.items())): value for labels, samples in series for at, value in samples if at == time}


def unnamed(values: dict[Labels, Value]) -> dict[Labels, Value]:
    stripped = {tuple(pair for pair in labels if pair[0] != "__name__"): value for labels, value in values.items()}
    assert len(stripped) == len(values)
    return stripped


def same(a: Value, b: Value) -> bool:
    if isinstance(a, FloatHistogram) and isinstance(b, FloatHistogram):
        return a.same(b) and a.reset_hint == b.reset_hint
    if isinstance(a, FloatHistogram) or isinstance(b, FloatHistogram):
        return False
    return a == b or (math.isnan(a) and math.isnan(b))
