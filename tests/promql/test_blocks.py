"""A range query gives the same in blocks of steps as at once, and takes less memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BridgeError
from bridge.promql.engine import Engine
from bridge.promql.limits import Limits
from bridge.promql.options import EngineOptions
from tests.promql.generate import Generator
from tests.promql.test_any_expression import AT, SCRIPT, STEP, WORDS, rounded
from tests.promql.test_engine import storage

START, END = AT - 5 * STEP, AT + 6 * STEP
EVERYTHING = EngineOptions.everything()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave."""

    series: dict[tuple[tuple[str, str], ...], list[tuple[int, object]]]
    notes: frozenset[str]


async def answer(query: str, options: EngineOptions, script: str = SCRIPT) -> Answer | str:
    """Of a range of a dozen steps; or why there is none."""
    try:
        engine = Engine(storage(script).select, options, Limits(samples=2_000_000))
        result = await engine.range(query, START, END, STEP)
    except BridgeError as error:
        return str(error)
    series = {
        tuple(sorted(labels.items())): [(time, rounded(value)) for time, value in samples]
        for labels, samples in result.series()
    }
    return Answer(series, frozenset(result.warnings + result.infos))


@pytest.mark.parametrize("delayed", [True, False], ids=["names go in the end", "names go at once"])
@given(seed=st.integers(0, 2**32), block_steps=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_any_expression_in_blocks(delayed: bool, seed: int, block_steps: int) -> None:
    query = Generator(Random(seed), WORDS).expression()
    if "limitk" in query:  # which series it takes is up to the order in which they come
        return
    options = EVERYTHING if delayed else EngineOptions(EVERYTHING.parser)
    whole = anyio.run(answer, query, options)
    assert anyio.run(answer, query, replace(options, block_steps=block_steps)) == whole, query


LATE, EARLY = "on () (vector(time()) > 300)", "on () (vector(time()) < 200)"


@pytest.mark.parametrize(
    "query",
    [
        "topk(1 - 1e30 * (time() < bool 150), up)",
        "topk((time() > bool 200) - 0.5, up)",
        "limit_ratio((time() - 200) / 100, up)",
        "quantile((time() - 250) / 100, up)",
        "quantile(scalar(sum(up)) / 3, up)",
        "sort(up)",
        "topk(1, up)",
        f"up and {LATE}",
        f"(sizes and {EARLY}) or (mixed and {LATE})",
        "count_values('v', jobs_total)",
        "absent(mixed)",
        "rate({__name__=~'up|jobs_total|took_bucket'}[1m])",
        "max_over_time(sum by (job) (jobs_total)[2m:20s])",
        "max_over_time(max_over_time(up[1m:10s])[2m:20s] @ end()) + on (job) group_right up",
        "sum_over_time(jobs_total[1m] @ start()) / on (job, host) jobs_total offset 30s",
        "start() + end() * range() / step() + vector(1)",
        # The first operator fails late, another one early: the first one tells.
        f"(up + on (job) (jobs_total and {LATE})) or ((up and {EARLY}) + on () up)",
        f"max_over_time((up + on (job) (jobs_total and {LATE}))[1m:10s]) or ((up and {EARLY}) + on () up)",
        # Of two places with the same to tell, it is the last operator's, however early it tells it.
        f"max(sizes and {LATE}) or max(sizes and {EARLY})",
        # Labels of one series without overlap, once the names are gone.
        f"rate(up[1m]) and {LATE} or rate(jobs_total[1m]) and {EARLY}",
        "info(up)",
        "timestamp(up offset 1m)",
        "sum(timestamp(jobs_total offset -40s))",
    ],
)
@pytest.mark.parametrize("delayed", [True, False], ids=["names go in the end", "names go at once"])
@pytest.mark.parametrize("block_steps", [1, 2, 3, 7])
@pytest.mark.anyio
async def test_what_the_whole_range_decides(query: str, block_steps: int, delayed: bool) -> None:
    options = EVERYTHING if delayed else EngineOptions(EVERYTHING.parser)
    whole = await answer(query, options)
    assert await answer(query, replace(options, block_steps=block_steps)) == whole
