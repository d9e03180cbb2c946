"""What was found, as series of points, from the JSON of Prometheus' API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Point", "Result", "Series", "metric_text"]

NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time in seconds. A native histogram's `value` is NaN, its `text` tells count and sum."""

    t: float
    value: float
    text: str

    @classmethod
    def of(cls, pair: Sequence[Any]) -> "Point":
        """From `[time, "value"]` or `[time, {histogram}]`."""
        t, value = pair
        if isinstance(value, str):
            return cls(t, number(value), value)
        return cls(t, float("nan"), f"count={value['count']} sum={value['sum']}")


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one label set, in order of time."""

    labels: Mapping[str, str]
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Result:
    """The value of an expression. `data` is what the API gave, as it was."""

    kind: str
    series: Sequence[Series]
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> "Result":
        """From the `data` of an answer."""
        document = json.loads(data)
        kind, found = document["resultType"], document["result"]
        if kind in {"scalar", "string"}:
            t, text = found
            return cls(kind, [Series({}, [Point(t, number(text), text)])], data)
        return cls(kind, [series(row) for row in found], data)


def series(row: Mapping[str, Any]) -> Series:
    """One row of a vector or a matrix, whose floats and histograms come apart."""
    pairs = [*row.get("values", []), *row.get("histograms", [])]
    pairs += [row[name] for name in ("value", "histogram") if name in row]
    return Series(row["metric"], sorted(map(Point.of, pairs), key=lambda point: point.t))


def number(text: str) -> float:
    """A value of the API; NaN for the text of a string."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def metric_text(labels: Mapping[str, str]) -> str:
    """`up{job="a"}`."""
    rest = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items() if name != NAME
    )
    return labels.get(NAME, "") + (f"{{{rest}}}" if rest or NAME not in labels else "")
