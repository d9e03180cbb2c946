"""Answers of the query API, compared as values: two may differ in the last digits, and in the order of series where
the query asks for none."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["difference"]

RELATIVE = 1e-9
# Values around zero are what is left of larger ones that were subtracted.
ABSOLUTE = 1e-12


def difference(ours: Any, theirs: Any) -> str:
    """What differs between two answers, in a few words; "" when nothing does."""
    if ours["status"] != theirs["status"]:
        return f"ours {ours.get('error', 'has a result')}, theirs {theirs.get('error', 'has a result')}"
    if ours["status"] != "success":
        return ""
    mine, other = ours["data"], theirs["data"]
    if mine["resultType"] != other["resultType"]:
        return f"ours is a {mine['resultType']}, theirs a {other['resultType']}"
    if mine["resultType"] in {"scalar", "string"}:
        return points([mine["result"]], [other["result"]])
    return by_series(by_labels(mine["result"]), by_labels(other["result"]))


def by_labels(result: list[Any]) -> dict[frozenset[tuple[str, str]], list[Any]]:
    """Points by labels."""
    return {frozenset(series["metric"].items()): series.get("values") or [series["value"]] for series in result}


def by_series(ours: dict[frozenset[tuple[str, str]], list[Any]], theirs: dict[Any, list[Any]]) -> str:
    """The first difference between two sets of series."""
    if only := ours.keys() ^ theirs.keys():
        labels = min(only, key=sorted)
        return f"only {'ours' if labels in ours else 'theirs'} has {dict(labels)}, {len(ours)} and {len(theirs)} series"
    for labels, mine in ours.items():
        if found := points(mine, theirs[labels]):
            return f"{dict(labels)}: {found}"
    return ""


def points(ours: list[Any], theirs: list[Any]) -> str:
    """The first difference between two rows of points."""
    if [time for time, _ in ours] != [time for time, _ in theirs]:
        times = {time for time, _ in ours} ^ {time for time, _ in theirs}
        return f"{len(ours)} and {len(theirs)} points, at {min(times, default=0)} only one"
    for (time, mine), (_, other) in zip(ours, theirs, strict=True):
        if mine != other and not close(float(mine), float(other)):
            return f"at {time} ours is {mine}, theirs {other}"
    return ""


def close(ours: float, theirs: float) -> bool:
    """Equal but for the last digits."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
