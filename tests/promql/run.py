"""Runs scripts against the engine."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.errors import BridgeError
from bridge.promql.engine import Engine
from bridge.promql.limits import Limits
from bridge.promql.options import EngineOptions
from bridge.promql.result import Result
from tests.promql.check import Mismatch, check_annotations, check_result, check_vector, key
from tests.promql.pinned import pinned
from tests.promql.script import Clear, Eval, Line, Load, Value, parse_script
from tests.promql.storage import Storage

OPTIONS = EngineOptions.everything()
OF_QUERY = re.compile(r"(start|end|range|step)\(\)")
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One evaluation of a script; `problem` is None when it passed."""

    line: int
    query: str
    problem: str | None


async def run_file(path: Path, block_steps: int = 0) -> list[Outcome]:
    """What came of each evaluation of a script, so many steps at a time; 0: as many as the engine likes."""
    return [outcome async for outcome in outcomes(path.read_text(), replace(OPTIONS, block_steps=block_steps))]


async def outcomes(text: str, options: EngineOptions) -> AsyncIterator[Outcome]:
    storage = Storage()
    for command in parse_script(text):
        if isinstance(command, Clear):
            storage = Storage()
        elif isinstance(command, Load):
            storage.load(command)
        else:
            engine = Engine(storage.select, options, Limits(timeout=100))
            yield Outcome(command.line, command.query, await problem_of(engine, command))


async def problem_of(engine: Engine, command: Eval) -> str | None:
    """What is wrong with an evaluation, in any of the ways in which it can be asked for."""
    query = command.query
    try:
        if command.is_range:
            result = await evaluated(engine.range(query, command.start, command.end, command.step), command)
            if result is not None:
                check_annotations(command, result)
                check_result(command, result)
            return None
        cases = [(query, command.end)]
        cases += pinned(query, command.end) if not command.fail or parses(query) else []
        for query, time in cases:
            await check_instant(engine, command, query, time)
    except (Mismatch, BridgeError) as problem:
        again = "" if query == command.query else f" (as {query})"
        return f"{problem}{again}"
    return None


def parses(query: str) -> bool:
    try:
        pinned(query, 0)
    except BridgeError:
        return False
    return True


async def check_instant(engine: Engine, command: Eval, query: str, time: int) -> None:
    """One time, and then the same time in the middle of a range."""
    result = await evaluated(engine.instant(query, time), command)
    if result is None:
        return
    check_annotations(command, result)
    check_result(command, result)
    if command.is_matrix or command.string is not None or OF_QUERY.search(query):
        return
    in_range = await engine.range(query, time - MINUTE, time + MINUTE, MINUTE)
    if command.ordered:
        return
    vector = [(key(labels), value) for labels, samples in in_range.series() for at, value in samples if at == time]
    try:
        if command.scalar is not None and result.kind == "scalar":
            command = Eval(command.line, query, 0, 0, 0, is_range=False, series=[one_line(command.scalar)])
        check_vector(command, vector)
    except Mismatch as problem:
        raise Mismatch(f"in a range, {problem.args[0]}", "the same") from None


def one_line(scalar: float) -> Line:
    return Line((), [Value(float=scalar)])


async def evaluated(query: Awaitable[Result], command: Eval) -> Result | None:
    """The result, or None when the query failed as expected."""
    try:
        result = await query
    except BridgeError as error:
        if command.fail is None:
            raise
        if not command.fail.fits(str(error)):
            raise Mismatch(f"error {error}", command.fail) from None
        return None
    if command.fail is not None:
        raise Mismatch("a result", "an error")
    return result


def lines(path: Path, outcomes: list[Outcome]) -> Iterator[str]:
    """A line for each evaluation that failed."""
    for outcome in outcomes:
        if outcome.problem is not None:
            yield f"{path}:{outcome.line}: {outcome.query}: {outcome.problem}"
