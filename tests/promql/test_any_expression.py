"""Expressions at random: each has a result or an error that says why, and is the same however it is asked for."""

from __future__ import annotations

import math
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BridgeError
from bridge.native import FloatHistogram
from bridge.promql.engine import Engine
from bridge.promql.limits import Limits
from bridge.promql.options import EngineOptions
from bridge.promql.result import Result
from tests.promql.generate import Generator, Vocabulary
from tests.promql.script import Load, parse_script
from tests.promql.storage import Storage

SCRIPT = """
load 15s
  up{job="a",host="x"} 1 1 0 1 1 stale _ _ 1x20
  up{job="b",host="y"} 1x30
  jobs_total{job="a",host="x"} 0+10x12 0+10x20
  jobs_total{job="a",host="y"} 5+3x40
  jobs_total{job="b",host="x"} NaN Inf -Inf 1e308 1e308 1x30
  mixed{job="a"} 1 2 3 {{count:3 sum:4 buckets:[1 2]}}x5 7 8 9
  sizes{job="a"} {{count:3 sum:4 buckets:[1 2]}}+{{count:2 sum:1 buckets:[1 1]}}x30
  sizes{job="b"} {{schema:-53 custom_values:[1 2] count:3 sum:4 buckets:[1 2]}}x30
  took_bucket{le="1",job="a"} 0+1x30
  took_bucket{le="5",job="a"} 0+3x30
  took_bucket{le="+Inf",job="a"} 0+4x30
  target_info{job="a",host="x",os="linux",instance="i"} 1x30
"""
WORDS = Vocabulary(
    metrics=("up", "jobs_total", "mixed", "sizes", "target_info", "nothing"),
    buckets=("took_bucket",),
    labels={"job": ("a", "b"), "host": ("x", "y"), "os": ("linux",)},
)
AT, STEP = 240_000, 30_000


def engine(*, delayed: bool) -> Engine:
    storage = Storage()
    (load,) = parse_script(SCRIPT)
    assert isinstance(load, Load)
    storage.load(load)
    options = EngineOptions.everything()
    return Engine(storage.select, options if delayed else EngineOptions(options.parser), Limits(samples=2_000_000))


ENGINES = [engine(delayed=True), engine(delayed=False)]


def comparable(result: Result) -> dict[tuple[tuple[str, str], ...], object]:
    """The samples at one time, by the labels of their series."""
    return {
        tuple(labels.items()): rounded(value)
        for labels, samples in result.series()
        for time, value in samples
        if time == AT
    }


def rounded(value: float | FloatHistogram) -> object:
    if isinstance(value, FloatHistogram):
        return value.literal()
    return repr(value) if not math.isfinite(value) or value == 0 else f"{value:.9g}"


async def outcome(query: str, engine: Engine, *, in_range: bool) -> dict[tuple[tuple[str, str], ...], object] | int:
    """The result, or the status of the refusal."""
    try:
        if in_range:
            return comparable(await engine.range(query, AT - 2 * STEP, AT + STEP, STEP))
        result = await engine.instant(query, AT)
        result.json()
        return comparable(result)
    except BridgeError as error:
        return error.status


@pytest.mark.parametrize("which", [0, 1], ids=["names go in the end", "names go at once"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_any_expression(which: int, seed: int) -> None:
    query = Generator(Random(seed), WORDS).expression()

    async def asked(in_range: bool) -> object:
        return await outcome(query, ENGINES[which], in_range=in_range)

    instant, in_range = anyio.run(asked, False), anyio.run(asked, True)
    assert all(isinstance(found, dict) or found in {400, 422} for found in (instant, in_range)), query
    depends = any(word in query for word in ("start()", "end()", "range()", "step()", "limit", "topk", "bottomk"))
    if isinstance(instant, dict) and isinstance(in_range, dict) and not depends:
        assert instant == in_range, query
