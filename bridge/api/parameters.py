"""Times, durations and limits as Prometheus' HTTP API reads them, with its words for what cannot be read.

Times and durations come back as integers in milliseconds, the store's unit.
"""

import math
import re
from datetime import UTC, datetime, timedelta

from bridge.api.endpoint import Call
from bridge.errors import BadInput
from bridge.model import parse_duration

__all__ = [
    "INTEGER",
    "MAX_TIME",
    "MIN_TIME",
    "duration",
    "expression",
    "instant",
    "invalid",
    "limit",
    "required_instant",
    "window",
]

LONGEST = 256 << 10
"""Characters of an expression: parsed it takes some hundred times its size, and a thread."""

MIN_TIME, MAX_TIME = -(1 << 63), (1 << 63) - 1
MAX_GO_DURATION = float(1 << 63)  # nanoseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
DIGITS = r"\d+(?:_\d+)*"
FLOAT = re.compile(rf"[+-]?(?:{DIGITS}(?:\.(?:{DIGITS})?)?|\.{DIGITS})(?:[eE][+-]?{DIGITS})?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
# What clients send for "all of time": Go's formatter prints years that its parser does not take.
OUTERMOST = {
    "-292273086-05-16T16:47:06Z": MIN_TIME,
    "292277025-08-18T07:12:54.999999999Z": MAX_TIME,
}


def invalid(name: str, why: object) -> BadInput:
    """The refusal of a parameter."""
    return BadInput(f'invalid parameter "{name}": {why}')


def expression(call: Call) -> str:
    """The text of `query`. Raises BadInput when it is longer than anybody writes."""
    text = call.first("query")
    if len(text) > LONGEST:
        raise invalid("query", f"an expression of more than {LONGEST} characters")
    return text


def instant(call: Call, name: str, default: int) -> int:
    """A time that may be left out. Raises BadInput."""
    given = call.first(name)
    if not given:
        return default
    try:
        return _time(given)
    except ValueError as error:
        raise invalid(name, f"invalid time value for '{name}': {error}") from None


def required_instant(call: Call, name: str) -> int:
    """A time that has to be there. Raises BadInput."""
    try:
        return _time(call.first(name))
    except ValueError as error:
        raise invalid(name, error) from None


def window(call: Call) -> tuple[int, int]:
    """`start` and `end`, all of time when they are left out. Raises BadInput."""
    return instant(call, "start", MIN_TIME), instant(call, "end", MAX_TIME)


def duration(text: str) -> float:
    """Milliseconds, not always whole ones, in `15s`, `1h30m` or a number of seconds. Raises ValueError."""
    if FLOAT.fullmatch(text):
        seconds = float(text)
        if math.isfinite(seconds):
            if abs(seconds) * 1e9 > MAX_GO_DURATION:
                raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows int64')
            return seconds * 1000
    try:
        return parse_duration(text)
    except ValueError:
        raise ValueError(f'cannot parse "{text}" to a valid duration') from None


def limit(call: Call) -> int:
    """How many results at most; 0 for all. Raises BadInput."""
    given = call.first("limit")
    if not given:
        return 0
    if not INTEGER.fullmatch(given):
        raise invalid("limit", f'strconv.Atoi: parsing "{given}": invalid syntax')
    if len(given) > 19 or not MIN_TIME <= int(given) <= MAX_TIME:
        raise invalid("limit", f'strconv.Atoi: parsing "{given}": value out of range')
    if int(given) < 0:
        raise invalid("limit", "limit must be non-negative")
    return int(given)


def _time(text: str) -> int:
    """Milliseconds since 1970 of Unix seconds or an RFC 3339 time. Raises ValueError."""
    if FLOAT.fullmatch(text):
        seconds = float(text)
        if math.isfinite(seconds):
            return round(max(MIN_TIME, min(MAX_TIME, seconds * 1000)))
    elif RFC3339.fullmatch(text):
        try:
            return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
        except (ValueError, OverflowError):
            pass  # a shape that matches and a month that doesn't exist end in the same message
    elif text in OUTERMOST:
        return OUTERMOST[text]
    raise ValueError(f'cannot parse "{text}" to a valid timestamp')
