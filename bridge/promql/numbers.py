"""Numbers and durations as Go reads and prints them."""

import math
import re
from decimal import Decimal

from bridge.model import format_duration
from bridge.promql.quoting import quote

__all__ = ["fixed", "format_float", "format_seconds", "parse_number", "parse_seconds", "to_milliseconds"]

INTEGER = re.compile(
    r"0[xX](?P<hex>(?:_?[0-9A-Fa-f])+)|0(?P<octal>(?:_?[0-7])+)|(?P<decimal>0|[1-9](?:_?[0-9])*)",
)
BASES = {"hex": 16, "octal": 8, "decimal": 10}
FLOAT = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
UNDERSCORES = re.compile(r"(?<=[0-9])_(?=[0-9])")
INT64_MAX = 2**63 - 1
INT64_DIGITS = {"hex": 16, "octal": 21, "decimal": 19}

SECONDS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
NANOSECONDS = {unit: round(seconds * 1e9) for unit, seconds in SECONDS.items()}
UNIT_ORDER = {unit: place for place, unit in enumerate(SECONDS)}
DURATION_PART = re.compile(r"([0-9]+)([^0-9]*)")


def parse_number(text: str) -> float:
    """The value of a number token: an integer in Go's forms, where `010` is eight, or else a float.

    Raises ValueError in the words of Go's strconv.
    """
    if match := INTEGER.fullmatch(text):
        kind = match.lastgroup or "decimal"
        digits = match[kind].replace("_", "").lstrip("0")
        if len(digits) <= INT64_DIGITS[kind] and (value := int(digits or "0", BASES[kind])) <= INT64_MAX:
            return float(value)
    plain = UNDERSCORES.sub("", text)
    if FLOAT.fullmatch(plain):
        number = float(plain)
        if math.isinf(number):
            raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
        return number
    if text.lower() in {"inf", "nan"}:
        return float(text)
    raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")


def parse_seconds(text: str) -> float:
    """The seconds in a duration token. Raises ValueError in Prometheus' words."""
    if not text[0].isdigit():
        raise ValueError(f"not a valid duration string: {quote(text)}")
    total, last = 0, -1
    for count, unit in DURATION_PART.findall(text):
        if len(count) > 20 or int(count) >= 2**64 or not unit:
            raise ValueError(f"not a valid duration string: {quote(text)}")
        if unit not in UNIT_ORDER:
            raise ValueError(f"unknown unit {quote(unit)} in duration {quote(text)}")
        if UNIT_ORDER[unit] <= last:
            raise ValueError(f"not a valid duration string: {quote(text)}")
        last = UNIT_ORDER[unit]
        total += int(count) * NANOSECONDS[unit]
        if total > INT64_MAX:
            raise ValueError("duration out of range")
    seconds, nanoseconds = divmod(total, 1_000_000_000)
    return seconds + nanoseconds / 1e9


def to_milliseconds(seconds: float) -> int:
    """Whole milliseconds, of nanoseconds that are rounded first, as Prometheus keeps durations."""
    rest, nanoseconds = math.modf(abs(seconds) * 1e9)
    milliseconds = (int(nanoseconds) + (rest >= 0.5)) // 1_000_000
    return -milliseconds if seconds < 0 else milliseconds


def format_seconds(seconds: float) -> str:
    """A duration literal as it is printed: `1h30m`, `-5m`."""
    milliseconds = abs(int(seconds * 1e9)) // 1_000_000
    sign = "-" if seconds < 0 else ""
    return f"{sign}{format_duration(milliseconds)}"


def format_float(value: float, *, exponents: bool = False) -> str:
    """The shortest digits that read back as the value: `1e+06` is `1000000`; `+Inf`, `-Inf`, `NaN`.

    With `exponents` a very large or small number is written `1e+21`, as Go's `%v` does.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = Decimal(repr(value))
    if exponents and value and not -4 <= digits.adjusted() < 21:
        mantissa, exponent = f"{digits.normalize():e}".split("e")
        return f"{mantissa}e{exponent[0]}{int(exponent[1:]):02d}"
    text = f"{digits:f}"
    return text.removesuffix(".0")


def fixed(value: float) -> str:
    """A number as Go's `%f` has it: `0.250000`, `+Inf`."""
    if math.isfinite(value):
        return f"{value:f}"
    return "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
