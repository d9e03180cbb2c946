"""Histories of the workload's series in one piece, and as remote-write requests."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import snappy

from bench.workload import Specs

__all__ = ["histories", "write_requests"]

Floats = npt.NDArray[np.float64]

BUCKETS = 11
"""Of a histogram, one behind the other."""


def histories(specs: Specs, points: int, seed: int = 1) -> Floats:
    """Values, series by points: counters that grow, buckets that hold those below them, gauges that wander."""
    random = np.random.default_rng(seed)
    count = len(specs)
    values = np.empty((count, points))
    names = np.array([labels["__name__"] for labels, _ in specs])
    counters = np.char.endswith(names, "_total") | np.char.startswith(names, "http_")
    rates = np.exp(random.uniform(0, 8, count)) * (random.random(count) > 0.2)
    growth = random.poisson(np.minimum(rates, 1e6)[:, None], (count, points))
    values[counters] = np.cumsum(growth[counters], axis=1)
    buckets = np.flatnonzero(names == "http_request_duration_seconds_bucket").reshape(-1, BUCKETS)
    values[buckets] = np.cumsum(values[buckets], axis=1)
    steps = np.round(random.normal(0, 100, (int((~counters).sum()), points)), 2)
    values[~counters] = 1e6 + np.round(np.cumsum(steps, axis=1), 2)
    return values


def write_requests(specs: Specs, values: Floats, start: int, step: int, *, batch: int = 500) -> Iterator[bytes]:
    """Snappy bodies for remote write 1.0, all points of `batch` series each; from `start` on, `step` apart, ms."""
    times = start + step * np.arange(values.shape[1])
    for first in range(0, len(specs), batch):
        rows = zip(specs[first : first + batch], values[first : first + batch], strict=True)
        yield snappy.compress(b"".join(_time_series(labels, of_one, times) for (labels, _), of_one in rows))


def _time_series(labels: dict[str, str], values: Floats, times: npt.NDArray[np.int64]) -> bytes:
    pairs = (_field(1, name.encode()) + _field(2, labels[name].encode()) for name in sorted(labels))
    return _field(1, b"".join(_field(1, pair) for pair in pairs) + _samples(values, times))


def _samples(values: Floats, times: npt.NDArray[np.int64]) -> bytes:
    """Messages of one length, since times of this century are varints of six bytes."""
    layout = np.dtype([("head", "u1", 3), ("value", "<f8"), ("tag", "u1"), ("time", "u1", 6)])
    out = np.empty(len(values), layout)
    out["head"] = (0x12, 16, 0x09)
    out["value"] = values
    out["tag"] = 0x10
    for n in range(6):
        out["time"][:, n] = (times >> 7 * n & 0x7F) | (0x80 if n < 5 else 0)
    return out.tobytes()


def _field(number: int, data: bytes) -> bytes:
    length, size = bytearray(), len(data)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([number << 3 | 2]) + bytes(length) + data
