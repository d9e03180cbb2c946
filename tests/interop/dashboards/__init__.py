"""Queries in the manner of the dashboards and alerts that everybody runs, and made-up series that they find."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

__all__ = ["Row", "queries", "series"]

HERE = Path(__file__).parent
BOUNDS = ("0.005", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "10", "+Inf")
ODD = {"nan": math.nan, "inf": math.inf, "negative": -12.5, "tiny": 1e-9, "huge": 1e300, "zero": 0.0}

Row = tuple[dict[str, str], list[float | None]]
"""Labels, and a value for each instant; None where there is no sample."""


def queries() -> list[str]:
    """All queries of the dashboards."""
    texts = (path.read_text() for path in sorted(HERE.glob("*.txt")))
    return [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]


def series(times: Sequence[float]) -> Iterator[Row]:
    """Series with values at `times`, in seconds: counters start over now and then, and some samples are missing."""
    for line in (HERE / "series.list").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        kind, name, *labels = line.split()
        pairs = [label.split("=", 1) for label in labels]
        for values in itertools.product(*(value.split(",") for _, value in pairs)):
            own = {"__name__": name, **dict(zip((key for key, _ in pairs), values, strict=True))}
            yield from rows(kind, own, times)


def rows(kind: str, labels: dict[str, str], times: Sequence[float]) -> Iterator[Row]:
    """The series of one line: a histogram has several, anything else one."""
    random = Random(repr(labels))
    if kind == "histogram":
        yield from histogram(labels, random, len(times))
        return
    values: list[float] = []
    match kind:
        case "counter":
            values = counter(random, len(times))
        case "gauge":
            values = gauge(random, len(times))
        case "flag":
            values = [float(random.random() < 0.95) for _ in times]
        case "one":
            values = [1.0 for _ in times]
        case "time":
            values = [round(time + random.random(), 3) for time in times]
        case "start":
            values = [math.floor(times[0]) - 86_400.0 for _ in times]
        case "odd":
            values = [value if random.random() < 0.8 else 1.0 for value in [ODD[labels["shape"]]] for _ in times]
    missing = {"half": 0.5, "most": 0.9}.get(labels.get("missing", ""), 0.01)
    yield labels, [None if random.random() < missing else value for value in values]


def counter(random: Random, count: int) -> list[float]:
    """What grows at a pace of its own, and starts over every few hundred samples."""
    pace = 10 ** random.uniform(-2, 4)
    value, values = pace * random.uniform(100, 1000), []
    for _ in range(count):
        value = 0.0 if random.random() < 0.004 else round(value + pace * random.random() * 15, 3)
        values.append(value)
    return values


def gauge(random: Random, count: int) -> list[float]:
    """What goes up and down around a level of its own, rounded so that equal values occur."""
    level = 10 ** random.uniform(0, 9)
    value, values = level, []
    for _ in range(count):
        value = abs(value + level * random.uniform(-0.05, 0.05))
        values.append(float(round(value)) if level > 50 else round(value, 3))
    return values


def histogram(labels: dict[str, str], random: Random, count: int) -> Iterator[Row]:
    """The buckets, the sum and the count of a classic histogram, in step with each other."""
    counts = [0.0] * len(BOUNDS)
    weights = [random.random() for _ in BOUNDS]
    columns: list[list[float | None]] = [[] for _ in BOUNDS]
    total = 1000.0
    sums: list[float | None] = []
    for _ in range(count):
        for place, weight in enumerate(weights):
            counts[place] += random.randrange(1 + round(20 * weight))
        total = round(total + random.random() * 10, 3)
        for column, cumulated in zip(columns, itertools.accumulate(counts), strict=True):
            column.append(cumulated)
        sums.append(total)
    name = labels["__name__"]
    for bound, column in zip(BOUNDS, columns, strict=True):
        yield {**labels, "__name__": f"{name}_bucket", "le": bound}, column
    yield {**labels, "__name__": f"{name}_sum"}, sums
    yield {**labels, "__name__": f"{name}_count"}, columns[-1]
