"""Parts of a date, UTC, of times in seconds."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bridge.native import LabelSets
from bridge.promql.frame import Floats, Frame
from bridge.promql.functions.function import Function, Invocation

__all__ = ["CALENDAR"]

Times: TypeAlias = "npt.NDArray[np.datetime64]"
Numbers: TypeAlias = npt.NDArray[np.int64]

NO_TIME, LAST_TIME = -(2**63), 2**63 - 1


def part(of: Callable[[Times], Numbers]) -> Function:
    """A part of each time, or of the step's own time."""

    def call(invocation: Invocation, vector: Frame | None = None) -> Frame:
        if vector is None:
            seconds = (invocation.steps.times // 1000)[np.newaxis].astype(np.float64)
            there = np.ones(seconds.shape, dtype=np.bool_)
            return Frame(invocation.steps, LabelSets([{}]), numbers(of, seconds), there)
        floats = vector.floats()
        return replace(floats, values=numbers(of, floats.values))

    return Function(call, varies=True)


def numbers(of: Callable[[Times], Numbers], seconds: Floats) -> Floats:
    """The part of each time as a float."""
    whole = seconds.astype(np.int64)
    # What is no number, or too large, becomes the smallest integer. Go's calendar takes that for the largest, numpy's
    # for no time at all.
    whole[whole == NO_TIME] = LAST_TIME
    times: Times = whole.astype("datetime64[s]")
    return of(times).astype(np.float64)


def since(times: Times, start: str, unit: str) -> Numbers:
    """How many whole units each time is behind the start of its day, month or year."""
    whole: Numbers = (times.astype(f"datetime64[{unit}]") - times.astype(f"datetime64[{start}]")).astype(np.int64)
    return whole


def days_in_month(times: Times) -> Numbers:
    """From the first of the month to that of the next one."""
    month = times.astype("datetime64[M]")
    days: Numbers = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    return days


def since_1970(times: Times, unit: str) -> Numbers:
    """Whole units."""
    return times.astype(f"datetime64[{unit}]").astype(np.int64)


CALENDAR = {
    "day_of_month": part(lambda times: since(times, "M", "D") + 1),
    "day_of_week": part(lambda times: (since_1970(times, "D") + 4) % 7),  # 1970 began on a Thursday
    "day_of_year": part(lambda times: since(times, "Y", "D") + 1),
    "days_in_month": part(days_in_month),
    "hour": part(lambda times: since(times, "D", "h")),
    "minute": part(lambda times: since(times, "h", "m")),
    "month": part(lambda times: since_1970(times, "M") % 12 + 1),
    "year": part(lambda times: since_1970(times, "Y") + 1970),
}
