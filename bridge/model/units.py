"""Durations, sizes and instants as Prometheus writes them; durations and instants are integers in milliseconds."""

import re
from datetime import datetime

__all__ = ["format_duration", "format_size", "parse_duration", "parse_size", "parse_time"]

DURATION_UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
# Each unit at most once, the large ones first: "1h30m" is a duration, "30m1h" and "1.5h" are not. Eighteen digits
# bound the work that a hostile header can ask for.
DURATION = re.compile("".join(rf"(?:([0-9]{{1,18}}){unit})?" for unit in DURATION_UNITS))
DURATION_MAX = (2**63 - 1) // 1_000_000  # what Go's time.Duration holds: 292 years

SIZE_UNITS: dict[str, int] = {"": 1, "B": 1} | {
    prefix + suffix: 1024**power
    for power, prefix in enumerate(("K", "M", "G", "T", "P"), start=1)
    for suffix in ("B", "iB")
}
SIZE = re.compile(r"([0-9]{1,18})([A-Za-z]{0,3})")
SIZE_MAX = 2**63 - 1

TIME_SECONDS = re.compile(r"[+-]?[0-9]{1,14}(?:\.[0-9]{0,9})?")
TIME_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,25}(?:Z|[+-][0-9]{2}:[0-9]{2})")


def parse_duration(text: str) -> int:
    """Milliseconds in `1h30m`, `90s`, `2d`, `250ms` or `0`.

    Raises ValueError with Prometheus' text for anything else.
    """
    if text == "0":
        return 0
    match = DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError(f'not a valid duration string: "{text}"')
    pairs = zip(match.groups(), DURATION_UNITS.values(), strict=True)
    total = sum(int(count) * unit for count, unit in pairs if count)
    if total > DURATION_MAX:
        raise ValueError(f'duration out of range: "{text}"')
    return total


def format_duration(milliseconds: int) -> str:
    """The shortest text that `parse_duration` reads back: `1h30m`; weeks and years only when nothing is left over."""
    if milliseconds == 0:
        return "0s"
    parts = []
    rest = milliseconds
    for unit, size in DURATION_UNITS.items():
        if unit in {"y", "w"} and rest % size:
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(text: str) -> int:
    """Bytes in `16MiB`, `512MB` or `1024`; powers of two throughout, as in Prometheus. Raises ValueError."""
    match = SIZE.fullmatch(text)
    unit = SIZE_UNITS.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(f'not a valid size: "{text}" (write a number and B, KiB, MiB, GiB, TiB or PiB)')
    size = int(match[1]) * unit
    if size > SIZE_MAX:
        raise ValueError(f'size out of range: "{text}"')
    return size


def format_size(size: int) -> str:
    """The shortest text that `parse_size` reads back: `16MiB`."""
    for prefix, power in (("PiB", 5), ("TiB", 4), ("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{prefix}"
    return f"{size:d}"


def parse_time(text: str) -> int:
    """Milliseconds since 1970 of a Unix time in seconds (`1700000000.5`) or an RFC 3339 time with its zone.

    Raises ValueError for anything else.
    """
    if TIME_SECONDS.fullmatch(text):
        return round(float(text) * 1000)
    if TIME_RFC3339.fullmatch(text):
        try:
            return round(datetime.fromisoformat(text).timestamp() * 1000)
        except ValueError:
            pass  # a shape that matches and a month that doesn't exist end in the same message
    raise ValueError(f'not a valid time: "{text}" (write Unix seconds or 2006-01-02T15:04:05Z)')
