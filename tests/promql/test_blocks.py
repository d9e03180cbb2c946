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
    samples: int


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
    return Answer(series, frozenset(result.warnings + result.infos), result.stats.samples)


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
