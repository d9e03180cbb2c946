"""Asking a data directory, beside whoever writes there."""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from bridge.api import samples_of
from bridge.buffer import MAX_TIME, MIN_TIME, Directory, Files, Selector
from bridge.cli.query.source import Answer, Span
from bridge.clock import SystemClock
from bridge.model import Matcher
from bridge.promql import Engine, EngineOptions, ParserOptions, Result, parse_selector

__all__ = ["Store"]


class Store:
    """A TSDB directory. What only experimental settings allow a server is allowed here. Methods raise BridgeError."""

    def __init__(self, directory: Path) -> None:
        self._querier = Directory(Files(), directory, SystemClock()).querier
        self._engine = Engine(samples_of(self._querier), EngineOptions(ParserOptions.everything()))

    def instant(self, query: str, time: int) -> Answer:
        """The value of an expression at a time, ms."""
        return self._answer(self._engine.instant(query, time))

    def range(self, query: str, start: int, end: int, step: float) -> Answer:
        """The values of an expression from `start` to `end`, every `step` ms."""
        return self._answer(self._engine.range(query, start, end, round(step)))

    def series(self, selectors: Sequence[str], span: Span) -> Answer:
        """Label sets."""
        mint, maxt = bounds(span)
        data, _ = self._querier.listing([Selector(each, mint, maxt, held=True) for each in parsed(selectors)])
        return Answer(data)

    def labels(self, name: str | None, selectors: Sequence[str], span: Span) -> Answer:
        """Names of labels, or the values of one."""
        mint, maxt = bounds(span)
        found: set[str] = set()
        for matchers in parsed(selectors) or [()]:
            if name is None:
                found.update(self._querier.label_names(matchers, mint, maxt))
            else:
                found.update(self._querier.label_values(name, matchers, mint, maxt))
        return Answer(json.dumps(sorted(found), ensure_ascii=False).encode())

    def _answer(self, run: Coroutine[Any, Any, Result]) -> Answer:
        result = asyncio.run(run)
        return Answer(result.json(), result.warnings, result.infos)


def parsed(selectors: Sequence[str]) -> list[tuple[Matcher, ...]]:
    """The conditions of each."""
    return [parse_selector(text).matchers for text in selectors]


def bounds(span: Span) -> tuple[int, int]:
    """From when to when, ms."""
    return MIN_TIME if span.mint is None else span.mint, MAX_TIME if span.maxt is None else span.maxt
