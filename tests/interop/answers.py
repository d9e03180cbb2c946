"""Answers of the query API, compared as values: two may differ in the last digits, and in the order of series where
the query asks for none."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["difference", "difference_of_values", "difference_of_words"]

RELATIVE = 1e-9
# Values around zero are what is left of larger ones that were subtracted.
ABSOLUTE = 1e-12
DUPLICATES = re.compile(r"(?<=for the match group ).*(?= on the)|(?<=operation: \[).*(?=\];many-to-many)")
COUNT = re.compile(r", over -?[0-9]+ samples")


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


def difference_of_values(ours: Any, theirs: Any) -> str:
    """What differs between the values at each step, whichever series have them."""
    if ours["status"] != "success" or theirs["status"] != "success":
        return difference(ours, theirs)
    mine, other = (by_time(answer["data"]["result"]) for answer in (ours, theirs))
    if only := mine.keys() ^ other.keys():
        return f"at {min(only)} only {'ours' if min(only) in mine else 'theirs'} has anything"
    for time, values in mine.items():
        if len(values) != len(other[time]):
            return f"at {time} ours has {len(values)} values, theirs {len(other[time])}"
        if found := points([[time, str(a)] for a in values], [[time, str(b)] for b in other[time]]):
            return found
    return ""


def by_time(result: list[Any]) -> dict[float, list[float]]:
    """All values at each step, in their order; NaN comes last."""
    found: dict[float, list[float]] = {}
    for points_ in by_labels(result).values():
        for time, value in points_:
            found.setdefault(time, []).append(float(value))
    return {time: sorted(values, key=lambda value: (math.isnan(value), value)) for time, values in found.items()}


def difference_of_words(ours: Any, theirs: Any) -> str:
    """What differs between errors, warnings and infos. Which of several duplicates are told depends on the order in
    which they are looked at; and what was forced to be monotonic they count again each time they merge it."""
    mine, other = (DUPLICATES.sub("", answer.get("error", "")) for answer in (ours, theirs))
    if mine != other:
        return f"ours {mine}, theirs {other}"
    for kind in ("warnings", "infos"):
        told, others = (sorted(COUNT.sub("", text) for text in answer.get(kind, ())) for answer in (ours, theirs))
        if told != others and not any("more" in text and "omitted" in text for text in told):
            return f"{kind}: ours {told}, theirs {others}"
    return ""


def by_labels(result: list[Any]) -> dict[frozenset[tuple[str, str]], list[Any]]:
    """Points by labels."""
    return {frozenset(series["metric"].items()): points_of(series) for series in result}


def points_of(series: Any) -> list[Any]:
    """Floats and native histograms of a series, by time."""
    several = [*series.get("values", ()), *series.get("histograms", ())]
    single = [series[name] for name in ("value", "histogram") if name in series]
    return sorted(several + single, key=lambda point: point[0])


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
        if mine != other and not all_close(numbers(mine), numbers(other)):
            return f"at {time} ours is {mine}, theirs {other}"
    return ""


def numbers(value: Any) -> list[float]:
    """The number, or those that make a native histogram."""
    if not isinstance(value, dict):
        return [float(value)]
    buckets = [float(number) for bucket in value.get("buckets", ()) for number in bucket]
    return [float(value["count"]), float(value["sum"]), *buckets]


def all_close(ours: list[float], theirs: list[float]) -> bool:
    """As many, each equal but for the last digits."""
    return len(ours) == len(theirs) and all(close(a, b) for a, b in zip(ours, theirs, strict=True))


def close(ours: float, theirs: float) -> bool:
    """Equal but for the last digits."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
