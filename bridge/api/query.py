"""`/query` and `/query_range` (source: Prometheus' `web/api/v1/api.go`). Queries see pushed values as they are held."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from bridge.api.endpoint import Call
from bridge.api.engines import Engines
from bridge.api.envelope import Reply, encoded
from bridge.api.errors import ApiError
from bridge.api.parameters import duration, expression, instant, invalid, limit, required_instant
from bridge.api.query_log import Asked, QueryLog
from bridge.clock import Clock
from bridge.config import PromQL
from bridge.edge import ClientGone
from bridge.errors import BadInput, BridgeError

if TYPE_CHECKING:
    from bridge.promql import Result

__all__ = ["Queries"]

MAX_POINTS = 11_000
MAX_NOTES = 10
WATCH_AFTER = 0.05  # seconds; only of a query that takes longer is it worth knowing whether its client is still there
GRACE = 1.0  # seconds beyond its time that a query gets to notice for itself
CELLS_INLINE = 2_000  # values that are printed before a hop to a thread and back would be over
TRUNCATED = "results truncated due to limit"
DEPRECATED = (
    'value "{}" for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"'
)


class Queries:
    """What the endpoints do. `settings` are those in force."""

    def __init__(self, engines: Engines, settings: Callable[[], PromQL], log: QueryLog, clock: Clock) -> None:
        self._engines = engines
        self._settings = settings
        self._log = log
        self._clock = clock

    async def instant(self, call: Call) -> Reply:
        """`query` at `time`."""
        most, at = limit(call), instant(call, "time", self._clock.now_ms())
        timeout, lookback = _timeout(call), _lookback(call)
        query = expression(call)
        engine, counting = await self._engines.current(), self._is_counting(call)
        run = engine.instant(query, at, timeout=timeout, lookback=lookback, counting=counting)
        return await self._answer(call, run, Asked(query, at, at, 0, "/api/v1/query"), most, timeout)

    async def range(self, call: Call) -> Reply:
        """`query` from `start` to `end`, every `step`."""
        most, start, end = limit(call), required_instant(call, "start"), required_instant(call, "end")
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        step = _step(call)
        if (end - start) // step > MAX_POINTS:
            raise BadInput(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        timeout, lookback = _timeout(call), _lookback(call)
        query = expression(call)
        engine, counting = await self._engines.current(), self._is_counting(call)
        run = engine.range(query, start, end, step, timeout=timeout, lookback=lookback, counting=counting)
        return await self._answer(call, run, Asked(query, start, end, step, "/api/v1/query_range"), most, timeout)

    async def _answer(
        self, call: Call, run: "Coroutine[Any, Any, Result]", asked: Asked, most: int, seconds: float | None
    ) -> Reply:
        begun = self._clock.monotonic()
        longest = self._settings().timeout.seconds
        allowed = longest if seconds is None else min(seconds, longest)
        try:
            result = await _watched(call, run, allowed)
            reply = await self._reply(call, result, most, begun)
        except BadInput as error:
            raise invalid("query", error) from None
        except BridgeError as error:
            await self._note(replace(asked, error=str(error)), None, begun)
            raise
        await self._note(asked, result, begun)
        return reply

    async def _reply(self, call: Call, result: "Result", most: int, begun: float) -> Reply:
        shown = result.first(most) if most else result
        print_ = partial(shown.json, max_bytes=self._settings().max_result_bytes)
        data = print_() if shown.cells <= CELLS_INLINE else await to_thread.run_sync(print_)
        warnings, infos = _bounded(result.warnings, "warning"), _bounded(result.infos, "info")
        if shown is not result:
            warnings.append(TRUNCATED)
        if stats := call.first("stats"):
            if stats not in {"true", "all"}:
                warnings.append(DEPRECATED.format(stats))
            by_step = stats == "all" and self._settings().per_step_stats
            data = b'%b,"stats":%b}' % (data[:-1], encoded(self._stats(result, begun, by_step=by_step)))
        return Reply(data, warnings, infos)

    def _is_counting(self, call: Call) -> bool:
        """Somebody wants to know how many samples the query looks at."""
        return bool(call.first("stats")) or self._log.has_file

    def _stats(self, result: "Result", begun: float, *, by_step: bool = False) -> dict[str, Any]:
        total = self._clock.monotonic() - begun
        return {
            "timings": {
                "evalTotalTime": result.stats.seconds,
                "resultSortTime": 0,
                "queryPreparationTime": 0,
                "innerEvalTime": result.stats.seconds,
                "execQueueTime": max(0.0, total - result.stats.seconds),
                "execTotalTime": total,
            },
            "samples": _samples(result, by_step=by_step),
        }

    async def _note(self, asked: Asked, result: "Result | None", begun: float) -> None:
        stats = {} if result is None else self._stats(result, begun)
        asked = replace(asked, seconds=self._clock.monotonic() - begun, stats=stats)
        self._log.note_slow(asked)
        if self._log.has_file:
            await to_thread.run_sync(self._log.write, asked)


async def _watched(call: Call, run: "Coroutine[Any, Any, Result]", seconds: float) -> "Result":
    """The result, unless its client goes or its time is over before."""
    query = asyncio.create_task(run)
    gone: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({query}, timeout=min(WATCH_AFTER, seconds + GRACE))
        if not query.done():
            gone = asyncio.create_task(call.gone())
            await asyncio.wait({query, gone}, timeout=seconds + GRACE, return_when=asyncio.FIRST_COMPLETED)
        if query.done():
            return query.result()
        if gone is not None and gone.done():
            raise ClientGone
        raise ApiError("timeout", "query timed out in query queue")
    finally:
        query.cancel()
        if gone is not None:
            gone.cancel()


def _bounded(notes: Sequence[str], kind: str) -> list[str]:
    """The first of many."""
    more = len(notes) - MAX_NOTES
    return [*notes[:MAX_NOTES], *([f"{more} more {kind} annotations omitted"] if more > 0 else [])]


def _samples(result: "Result", *, by_step: bool) -> dict[str, Any]:
    """What a query looked at, in all and at each step, and held."""
    found: dict[str, Any] = {"peakSamples": result.stats.peak}
    counts, times = result.stats.counts, result.stats.times
    if counts is None or times is None:
        return found
    for name, samples in (("totalQueryableSamples", counts.loaded), ("samplesRead", counts.read)):
        found[name] = int(samples.sum())
        if by_step:
            found[f"{name}PerStep"] = list(zip((times / 1000).tolist(), samples.tolist(), strict=True))
    return found


def _timeout(call: Call) -> float | None:
    """Seconds."""
    given = call.first("timeout")
    if not given:
        return None
    try:
        return max(0.001, duration(given) / 1000)  # none at all would be no limit
    except ValueError as error:
        raise invalid("timeout", error) from None


def _lookback(call: Call) -> int | None:
    """Milliseconds."""
    given = call.first("lookback_delta")
    if not given:
        return None
    try:
        return max(0, math.floor(duration(given))) or None
    except ValueError as error:
        raise BadInput(f"error parsing lookback delta duration: {error}") from None


def _step(call: Call) -> int:
    """Milliseconds, at least one."""
    try:
        step = math.floor(duration(call.first("step")))
    except ValueError as error:
        raise invalid("step", error) from None
    if step <= 0:
        raise invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
    return step
