"""Whether a result is what a script expects."""

from __future__ import annotations

import math
import sys

from bridge.native import FloatHistogram
from bridge.promql.result import Result, Series
from tests.promql.script import STALE, Eval, Labels, Line, Value, Wanted

EPSILON = 1e-6


class Mismatch(Exception):
    """What came instead of what."""

    def __init__(self, got: object, wanted: object) -> None:
        super().__init__(f"got {got}, wanted {wanted}")


def close(a: float, b: float) -> bool:
    """Equal but for rounding; what is no number is equal to what is none."""
    if is_stale(a) or is_stale(b):
        return is_stale(a) and is_stale(b)
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    if not (math.isfinite(a) and math.isfinite(b)):
        return False
    total = abs(a) + abs(b)
    if a == 0 or b == 0 or total < sys.float_info.min:
        return abs(a - b) < EPSILON * sys.float_info.min
    return abs(a - b) / min(total, sys.float_info.max) < EPSILON


def is_stale(value: float) -> bool:
    return math.isnan(value) and value.hex() == STALE.hex() and bits(value) == bits(STALE)


def bits(value: float) -> bytes:
    import struct  # noqa: PLC0415 - only for what is no number

    return struct.pack("<d", value)


def close_histograms(wanted: Value, got: FloatHistogram) -> bool:
    """Equal but for rounding and empty buckets; hints count where the script tells one."""
    if wanted.histogram is None:
        return False
    a, b = wanted.histogram.compacted(), got.compacted()
    if (a.schema, a.zero_threshold) != (b.schema, b.zero_threshold) or a.custom_bounds != b.custom_bounds:
        return False
    if wanted.hint_told and a.reset_hint != b.reset_hint:
        return False
    numbers = zip((a.count, a.sum, a.zero_count), (b.count, b.sum, b.zero_count), strict=True)
    return (
        all(close(x, y) for x, y in numbers)
        and close_buckets(a.positive, b.positive)
        and close_buckets(a.negative, b.negative)
    )


def close_buckets(a: list[tuple[int, float]], b: list[tuple[int, float]]) -> bool:
    return len(a) == len(b) and all(i == j and close(x, y) for (i, x), (j, y) in zip(a, b, strict=True))


def check_value(wanted: Value, got: float | FloatHistogram | None) -> bool:
    if isinstance(got, FloatHistogram):
        return close_histograms(wanted, got)
    if got is None or wanted.float is None:
        return got is None and wanted.float is None and wanted.histogram is None
    return close(wanted.float, got)


def check_annotations(command: Eval, result: Result) -> None:
    """Each annotation is expected, and each that is expected is there."""
    for kind, texts in (("warn", result.warnings), ("info", result.infos)):
        wanted = command.annotations.get(kind, [])
        if (command.warn if kind == "warn" else command.info) and not texts:
            raise Mismatch(f"no {kind}", f"some {kind}")
        if f"no_{kind}" in command.annotations and texts:
            raise Mismatch(texts, f"no {kind}")
        for one in wanted:
            if not any(one.fits(text) for text in texts):
                raise Mismatch(texts, f"{kind} {shown_wanted(one)}")
        for text in texts if wanted else ():
            if not any(one.fits(text) for one in wanted):
                raise Mismatch(f"{kind} {text}", [shown_wanted(one) for one in wanted])


def shown_wanted(wanted: Wanted) -> str:
    return repr(wanted.text) if wanted.pattern is None else f"/{wanted.pattern.pattern}/"


def check_result(command: Eval, result: Result) -> None:
    """The value is the one that is expected."""
    if result.kind == "string":
        if getattr(result.value, "value", None) != command.string:
            raise Mismatch(result.value, command.string)
        return
    if result.kind == "scalar":
        ((_, ((_, value),)),) = result.series()
        if command.scalar is None or isinstance(value, FloatHistogram) or not close(command.scalar, value):
            raise Mismatch(value, command.scalar if command.scalar is not None else "no scalar")
        return
    if command.scalar is not None:
        raise Mismatch(shown(result.series()), f"scalar {command.scalar}")
    if result.kind == "vector":
        check_vector(command, [(key(labels), samples[0][1]) for labels, samples in result.series()])
    else:
        check_matrix(command, result.series())


def key(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def check_vector(command: Eval, got: list[tuple[Labels, float | FloatHistogram]]) -> None:
    """One value a series, in any order unless the order is expected."""
    wanted = {line.labels: line for line in command.series}
    if len(got) != len({labels for labels, _ in got}):
        raise Mismatch(shown_vector(got), "each series once")
    if {labels for labels, _ in got} != set(wanted):
        raise Mismatch(shown_vector(got), shown_lines(command.series))
    order = [line.labels for line in command.series]
    if command.ordered and [labels for labels, _ in got] != order:
        raise Mismatch(shown_vector(got), shown_lines(command.series) + " in this order")
    for labels, value in got:
        if not check_value(wanted[labels].values[0], value):
            raise Mismatch(shown_vector([(labels, value)]), shown_lines([wanted[labels]]))


def check_matrix(command: Eval, got: list[Series]) -> None:
    """Values at their times, series in the order of their labels."""
    if command.ordered:
        raise Mismatch("a matrix", "an ordered result")
    found = [(key(labels), samples) for labels, samples in got]
    if [labels for labels, _ in found] != sorted(labels for labels, _ in found):
        raise Mismatch(shown(got), "series in order")
    wanted = {line.labels: line for line in command.series}
    if [labels for labels, _ in found if labels not in wanted] or len(found) != len(wanted):
        raise Mismatch(shown(got), shown_lines(command.series))
    for labels, samples in found:
        line = wanted[labels]
        times = [command.start + n * command.step for n in range(len(line.values))]
        there = [
            (time, value)
            for time, value in zip(times, line.values, strict=True)
            if value.float is not None or value.histogram is not None
        ]
        same = [time for time, _ in there] == [time for time, _ in samples] and all(
            check_value(value, sample) for (_, value), (_, sample) in zip(there, samples, strict=True)
        )
        if not same:
            raise Mismatch(shown([(dict(labels), samples)]), shown_lines([line]))


def shown_vector(vector: list[tuple[Labels, float | FloatHistogram]]) -> str:
    return ", ".join(f"{shown_labels(labels)} {shown_sample(value)}" for labels, value in vector) or "nothing"


def shown(series: list[Series]) -> str:
    rows = (
        f"{shown_labels(key(labels))} " + " ".join(f"{shown_sample(value)}@{time}" for time, value in samples)
        for labels, samples in series
    )
    return ", ".join(rows) or "nothing"


def shown_lines(lines: list[Line]) -> str:
    rows = (f"{shown_labels(line.labels)} " + " ".join(map(shown_value, line.values)) for line in lines)
    return ", ".join(rows) or "nothing"


def shown_labels(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def shown_sample(sample: float | FloatHistogram) -> str:
    return repr(sample) if isinstance(sample, float) else hinted(sample)


def shown_value(value: Value) -> str:
    if value.histogram is not None:
        return hinted(value.histogram)
    return "_" if value.float is None else repr(value.float)


def hinted(histogram: FloatHistogram) -> str:
    return f"{histogram.literal()}[{histogram.reset_hint}]"
