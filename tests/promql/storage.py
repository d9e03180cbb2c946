"""Samples in memory, as Prometheus' store would give them back."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bridge.native import FloatHistogram, LabelSets, Samples
from bridge.promql.evaluation import Read
from bridge.promql.limits import Limits
from tests.promql.matching import matches
from tests.promql.script import Labels, Load

Float = tuple[int, float, int]
Native = tuple[int, FloatHistogram, int]


class Storage:
    """Series by their labels, each with floats and histograms in order of time."""

    def __init__(self) -> None:
        self._series: dict[Labels, tuple[dict[int, Float], dict[int, Native]]] = {}

    def load(self, load: Load) -> None:
        """Take samples in."""
        loaded: dict[Labels, list[tuple[int, float | FloatHistogram, int]]] = {}
        for line in load.series:
            samples = []
            for n, value in enumerate(line.values):
                sample = value.float if value.histogram is None else value.histogram
                if sample is not None:
                    offset = line.starts[n] if line.starts else None
                    samples.append((n * load.step, sample, 0 if offset is None else n * load.step + offset))
            loaded[line.labels] = samples
        for labels, samples in loaded.items():
            self._append(labels, samples)
        if load.with_custom_buckets:
            for labels, natives in custom_buckets(loaded).items():
                self._append(labels, natives)

    def _append(self, labels: Labels, samples: Sequence[tuple[int, float | FloatHistogram, int]]) -> None:
        floats, histograms = self._series.setdefault(labels, ({}, {}))
        previous: FloatHistogram | None = None
        if histograms and (not floats or max(histograms) > max(floats)):
            previous = histograms[max(histograms)][1]
        for time, sample, start in samples:
            if isinstance(sample, FloatHistogram):
                previous = sample.with_reset_hint(stored_hint(previous, sample))
                histograms[time] = (time, previous, start)
            else:
                floats[time] = (time, sample, start)
                previous = None

    def select(self, reads: Sequence[Read], limits: Limits) -> list[Samples]:  # noqa: ARG002 - few samples
        """What `Select` wants."""
        return [self._read(read) for read in reads]

    def _read(self, read: Read) -> Samples:
        rows = []
        for labels, (floats, histograms) in sorted(self._series.items()):
            if not matches(dict(labels), read.matchers):
                continue
            row = (
                [sample for time, sample in sorted(floats.items()) if read.mint <= time <= read.maxt],
                [sample for time, sample in sorted(histograms.items()) if read.mint <= time <= read.maxt],
            )
            if row[0] or row[1]:
                rows.append((labels, row))
        return Samples.of_rows(LabelSets([dict(labels) for labels, _ in rows]), [row for _, row in rows])


def stored_hint(previous: FloatHistogram | None, current: FloatHistogram) -> str:
    """What a store tells of a reset before a histogram: nothing of the first one in a chunk, as resets begin chunks."""
    if current.reset_hint == "gauge":
        return "gauge"
    if previous is None or previous.reset_hint == "gauge" or math.isnan(previous.sum) != math.isnan(current.sum):
        return "unknown"
    if current.reset_hint == "reset" or current.count < previous.count or current.zero_count < previous.zero_count:
        return "unknown"
    if (current.schema, current.zero_threshold) != (previous.schema, previous.zero_threshold):
        return "unknown"
    if current.custom_bounds != previous.custom_bounds:
        return "unknown"
    for before, after in ((previous.positive, current.positive), (previous.negative, current.negative)):
        now = dict(after)
        if any(now.get(index, 0.0) < count for index, count in before):
            return "unknown"
    return "not_reset"


def custom_buckets(
    loaded: dict[Labels, list[tuple[int, float | FloatHistogram, int]]],
) -> dict[Labels, list[tuple[int, FloatHistogram, int]]]:
    """Classic histograms as native ones."""
    parts: dict[Labels, dict[int, tuple[list[tuple[float, float]], list[float], list[float]]]] = {}
    for labels, samples in loaded.items():
        named = dict(labels)
        name = named.get("__name__", "")
        suffix = next((end for end in ("_bucket", "_count", "_sum") if name.endswith(end)), None)
        if suffix is None:
            continue
        bound = named.pop("le", "")
        named["__name__"] = name.removesuffix(suffix)
        base = tuple(sorted(named.items()))
        for time, value, _ in samples:
            if isinstance(value, FloatHistogram):
                continue
            buckets, counts, sums = parts.setdefault(base, {}).setdefault(time, ([], [], []))
            if suffix == "_bucket":
                try:
                    le = float(bound)
                except ValueError:
                    continue
                if not math.isnan(le):
                    buckets.append((le, value))
            else:
                (counts if suffix == "_count" else sums).append(value)
    return {
        labels: [
            (time, FloatHistogram.from_classic(buckets, counts[-1] if counts else None, sums[-1] if sums else 0.0), 0)
            for time, (buckets, counts, sums) in sorted(times.items())
        ]
        for labels, times in parts.items()
    }
