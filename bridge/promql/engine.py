"""The engine: expressions in, values at each step out.

engine = Engine(select, EngineOptions(), Limits())
result = await engine.instant("rate(x_total[5m])", now_ms)
result = await engine.range("rate(x_total[5m])", start_ms, end_ms, step_ms)
result.json()        the `data` of the query API's answer, without statistics
"""

from dataclasses import dataclass, replace

import anyio
import anyio.to_thread
import numpy as np

from bridge.clock import Clock, SystemClock
from bridge.errors import BadInput
from bridge.promql.ast import Expr
from bridge.promql.blocks import in_blocks, ranks
from bridge.promql.counting import counting
from bridge.promql.evaluation import Evaluation, Select
from bridge.promql.frame import Steps
from bridge.promql.limits import Budget, Limits
from bridge.promql.nodes import evaluate
from bridge.promql.options import EngineOptions
from bridge.promql.parser import parse_expr
from bridge.promql.reading import reads, shared
from bridge.promql.resolve import resolve
from bridge.promql.result import Result, Stats, finished
from bridge.promql.selection import FARTHEST
from bridge.promql.signatures import documented
from bridge.promql.statistics import counted

__all__ = ["Engine"]

SHORT = 2_000
"""Characters of a query that are parsed at once; others would have to wait for a longer one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: what it is, at which steps, and until when, ms, which may be behind the last of them.

    Attributes:
        counting: the samples that it looks at are counted.
    """

    query: str
    expr: Expr
    steps: Steps
    end: int
    is_range: bool
    counting: bool


class Engine:
    """Evaluates PromQL over the samples that `select` finds.

    Queries run in threads, as many at a time as the limits allow; one whose task is canceled ends at its next
    operation.
    """

    def __init__(
        self,
        select: Select,
        options: EngineOptions | None = None,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._select = select
        self.options = options or EngineOptions()
        self.limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._limiter = anyio.CapacityLimiter(self.limits.concurrency or float("inf"))

    async def instant(
        self,
        query: str,
        time: int,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the query's thread looks at the clock itself
        lookback: int | None = None,
        counting: bool = False,
    ) -> Result:
        """The value at one time, ms. `timeout` is in seconds and cannot be longer than the limit; `lookback` is in ms.
        `counting` tells to count the samples that are looked at.

        Raises BadInput for what is no query, QueryFailed for one without a result, and what `select` raises.
        """
        check_time(time)
        expr = await self._parsed(query)
        asked = Asked(query, expr, Steps(time, 0, 1), time, is_range=False, counting=counting)
        return await self._run(asked, timeout=timeout, lookback=lookback)

    async def range(
        self,
        query: str,
        start: int,
        end: int,
        step: int,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - likewise
        lookback: int | None = None,
        counting: bool = False,
    ) -> Result:
        """The values from `start` on to `end`, `step` apart, all ms. Otherwise as `instant`."""
        expr = await self._parsed(query)
        if expr.type not in {"vector", "scalar"}:
            raise BadInput(
                f'invalid expression type "{documented(expr.type)}" for range query, must be Scalar or instant Vector'
            )
        if step <= 0 or end < start:
            raise BadInput("a range query goes forward, by a step that is more than nothing")
        check_time(start, end)
        steps = Steps(start, step, (end - start) // step + 1)
        asked = Asked(query, expr, steps, end, is_range=True, counting=counting)
        return await self._run(asked, timeout=timeout, lookback=lookback)

    async def _parsed(self, query: str) -> Expr:
        if len(query) <= SHORT:
            return parse_expr(query, self.options.parser)
        return await anyio.to_thread.run_sync(parse_expr, query, self.options.parser, limiter=self._limiter)

    async def _run(
        self,
        asked: Asked,
        *,
        timeout: float | None,  # noqa: ASYNC109 - likewise
        lookback: int | None,
    ) -> Result:
        limits = self.limits
        if timeout is not None:
            limits = replace(limits, timeout=min(timeout, limits.timeout or timeout))
        budget = Budget(limits, self._clock)
        evaluation = Evaluation(self.options, budget, self._select, evaluate, lookback or self.options.lookback)

        def run() -> Result:
            begun = self._clock.monotonic()
            budget.check()
            result = evaluated(evaluation, asked)
            return replace(result, stats=replace(result.stats, seconds=self._clock.monotonic() - begun))

        try:
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=self._limiter)
        except anyio.get_cancelled_exc_class():
            budget.cancel()
            raise


def check_time(*times: int) -> None:
    """Raises BadInput for a time that is further away than any sample."""
    if any(abs(time) > FARTHEST for time in times):
        raise BadInput("a time is out of bounds")


def evaluated(evaluation: Evaluation, asked: Asked) -> Result:
    """The result of an expression: its samples are read at once, then operators are applied to many steps at a time."""
    steps = asked.steps
    evaluation.room(1, steps.count)
    ready = resolve(asked.query, asked.expr, steps, asked.end)
    evaluation.ends_later = asked.end > steps.end
    evaluation.counting, evaluation.ranks = counting(ready), ranks(ready)
    options = evaluation.options
    evaluation.read(shared(reads(ready, steps, evaluation.lookback, options.subquery_step)))
    with np.errstate(all="ignore"):
        value = in_blocks(evaluation, ready, steps)
        result = finished(evaluation, value, asked.query, steps.start, is_range=asked.is_range)
        counts = counted(evaluation, ready, steps) if asked.counting else None
        return replace(result, stats=Stats(evaluation.budget.peak, counts, steps.times))
