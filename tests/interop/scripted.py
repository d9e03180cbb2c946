"""Series that a script loads, as remote-write requests: floats and native histograms, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import snappy

from bridge.native import FloatHistogram
from tests.promql.script import Load, Value
from tests.remote_write.prompb import WriteRequest

__all__ = ["requests_of"]

HINTS = {"unknown": 0, "reset": 1, "not_reset": 2, "gauge": 3}


def requests_of(load: Load, begin: int) -> Iterator[bytes]:
    """Write requests of 1.0 with the samples of a script, the first ones at `begin`, in seconds.

    Series come in the order of their labels, which is then the order in which a Prometheus finds them. A series that
    turns from floats to histograms goes on in the next request, for a message has all floats before all histograms.
    """
    requests: list[Any] = []
    for line in sorted(load.series, key=lambda line: line.labels):
        placed = [(begin * 1000 + load.step * n, value) for n, value in enumerate(line.values)]
        runs = groupby((one for one in placed if one[1] != Value()), key=lambda one: one[1].histogram is None)
        for number, (_, samples) in enumerate(runs):
            if number == len(requests):
                requests.append(WriteRequest())
            series = requests[number].timeseries.add()
            for name, text in line.labels:
                series.labels.add(name=name, value=text)
            for time, value in samples:
                if value.histogram is None:
                    series.samples.add(value=value.float, timestamp=time)
                else:
                    put(series.histograms.add(timestamp=time), value.histogram)
    return (snappy.compress(request.SerializeToString()) for request in requests)


def put(message: Any, histogram: FloatHistogram) -> None:
    """A histogram as a message: one of integers where all counts are."""
    buckets = [count for _, count in (*histogram.positive, *histogram.negative)]
    is_integer = all(count.is_integer() for count in (histogram.count, histogram.zero_count, *buckets))
    message.schema, message.sum = histogram.schema, histogram.sum
    message.zero_threshold, message.reset_hint = histogram.zero_threshold, HINTS[histogram.reset_hint]
    message.custom_values.extend(histogram.custom_bounds)
    for sign, side in (("positive", histogram.positive), ("negative", histogram.negative)):
        put_spans(getattr(message, f"{sign}_spans"), [index for index, _ in side])
        counts = [count for _, count in side]
        if is_integer:
            deltas = (int(after - before) for before, after in zip([0.0, *counts], counts, strict=False))
            getattr(message, f"{sign}_deltas").extend(deltas)
        else:
            getattr(message, f"{sign}_counts").extend(counts)
    if is_integer:
        message.count_int, message.zero_count_int = int(histogram.count), int(histogram.zero_count)
    else:
        message.count_float, message.zero_count_float = histogram.count, histogram.zero_count


def put_spans(spans: Any, indices: list[int]) -> None:
    """Runs of buckets, each with how many are left out before it."""
    behind = 0
    for place, index in enumerate(indices):
        if place == 0 or index != behind:
            spans.add(offset=index - behind, length=0)
        spans[-1].length += 1
        behind = index + 1
