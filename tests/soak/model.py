"""What a store should hold, as simply as it can be said: a map from series to samples."""

from __future__ import annotations

import math
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

__all__ = ["Difference", "Model", "Row"]

Row = tuple[int, int, float]
"""(number of the series, ms, value)"""


class Difference(AssertionError):
    """The store does not hold what it should."""


class Model:
    """Samples by series; times of a series ascend."""

    def __init__(self) -> None:
        self._times: dict[int, list[int]] = {}
        self._values: dict[int, list[float]] = {}
        self.samples = 0

    def newest(self, series: int) -> int | None:
        """Time of the newest sample."""
        times = self._times.get(series)
        return times[-1] if times else None

    def has(self, series: int, t: int) -> bool:
        """True when there is a sample at `t`."""
        times = self._times.get(series, [])
        place = bisect_left(times, t)
        return place < len(times) and times[place] == t

    def add(self, rows: Iterable[Row]) -> None:
        """Accepted samples, none of which is there."""
        for series, t, value in rows:
            times, values = self._times.setdefault(series, []), self._values.setdefault(series, [])
            place = bisect_left(times, t)
            times.insert(place, t)
            values.insert(place, value)
            self.samples += 1

    def delete(self, series: Iterable[int], mint: int, maxt: int) -> None:
        """What delete_series should do."""
        for number in series:
            times = self._times.get(number)
            if times is None:
                continue
            place = slice(bisect_left(times, mint), bisect_right(times, maxt))
            self.samples -= len(times[place])
            del times[place], self._values[number][place]

    def forget(self, before: int) -> None:
        """Drop samples that no query will ask for again."""
        self.delete(list(self._times), -(1 << 62), before - 1)
        for number in [number for number, times in self._times.items() if not times]:
            del self._times[number], self._values[number]

    def between(self, series: int, mint: int, maxt: int) -> list[tuple[int, float]]:
        """Samples in [mint, maxt]."""
        times = self._times.get(series, [])
        place = slice(bisect_left(times, mint), bisect_right(times, maxt))
        return list(zip(times[place], self._values.get(series, [])[place], strict=True))

    def compare(self, found: dict[int, list[tuple[int, float]]], asked: Iterable[int], mint: int, maxt: int) -> None:
        """Raise Difference unless `found` holds the samples of the series that were asked for in [mint, maxt]."""
        for series in asked:
            wanted, got = self.between(series, mint, maxt), found.pop(series, [])
            if [(t, _bits(v)) for t, v in wanted] != [(t, _bits(v)) for t, v in got]:
                missing = [t for t, _ in wanted if t not in {t for t, _ in got}]
                extra = [t for t, _ in got if t not in {t for t, _ in wanted}]
                raise Difference(
                    f"series {series} in [{mint}, {maxt}]: {len(wanted)} wanted, {len(got)} found; "
                    f"missing {missing[:5]}, too many {extra[:5]}"
                )
        if found:
            raise Difference(f"series that were not asked for: {sorted(found)[:5]}")


def _bits(value: float) -> bytes:
    return struct.pack(">d", math.nan if math.isnan(value) else value)
