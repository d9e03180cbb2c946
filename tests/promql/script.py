"""The language of Prometheus' tests of PromQL: commands to load samples, evaluate expressions and expect results."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from bridge.native import FloatHistogram, parse_histogram_sequence
from bridge.promql.numbers import parse_number, parse_seconds
from bridge.promql.parser import parse_selector
from bridge.promql.quoting import unquote

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

Labels: TypeAlias = tuple[tuple[str, str], ...]

COMMENT = re.compile(r"^\s*#")
LOAD = re.compile(r"^load(?:_(with_nhcb))?\s+(.+?)$", re.IGNORECASE)
INSTANT = re.compile(r"^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$", re.IGNORECASE)
RANGE = re.compile(
    r"^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$", re.IGNORECASE
)
EXPECT = re.compile(r"^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$")
EXPECT_RANGE = re.compile(r"^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$")
NUMBER = r"[+-]?(?:[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.|Inf|inf|NaN|nan)"
FLOATS = re.compile(rf"^({NUMBER})(?:([+-])({NUMBER}))?(?:x([0-9]+))?$")
DETAIL = r"(?:, from buckets .* to .*Z| \([0-9]+ occurrences\))?"
PLACE = re.compile(rf"{DETAIL} \([0-9]+:[0-9]+\)$")
START = re.compile(r"^([+-]?[0-9]+[a-wyz]*)(?:([+-])([0-9]+[a-wyz]*))?(?:x([0-9]+))?$")
MOST_VALUES = 100_000


class BadScript(Exception):
    """A line that is no command."""


@dataclass(frozen=True, slots=True)
class Value:
    """One of a sequence: a float, a histogram, or, both None, nothing. `hint_told`: the histogram's hint counts."""

    float: float | None = None
    histogram: FloatHistogram | None = None
    hint_told: bool = False


@dataclass(slots=True)
class Line:
    """A series with its values; `starts` are their start times, ms from their times, or None where there is none."""

    labels: Labels
    values: list[Value]
    starts: list[int | None] | None = None


@dataclass(slots=True)
class Load:
    """Samples, `step` ms apart, the first one at 0."""

    step: int
    with_custom_buckets: bool
    series: list[Line]


@dataclass(slots=True)
class Clear:
    """No samples any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text that an error or annotation must have, or a pattern that it must match."""

    text: str | None = None
    pattern: re.Pattern[str] | None = None

    def fits(self, text: str) -> bool:
        """Scripts may leave out the details, line and column at the end of an annotation."""
        if self.pattern is not None:
            return self.pattern.search(text) is not None
        return self.text in {text, PLACE.sub("", text)}


@dataclass(slots=True)
class Eval:
    """An expression, when to evaluate it, and what to expect. Times are in ms."""

    line: int
    query: str
    start: int
    end: int
    step: int
    is_range: bool
    ordered: bool = False
    fail: Wanted | None = None
    warn: bool = False
    info: bool = False
    annotations: dict[str, list[Wanted]] = field(default_factory=dict)
    scalar: float | None = None
    string: str | None = None
    series: list[Line] = field(default_factory=list)
    is_matrix: bool = False


Command: TypeAlias = Load | Clear | Eval


def milliseconds(text: str) -> int:
    return round(parse_seconds(text) * 1000) if text != "0" else 0


def parse_script(text: str) -> Iterator[Command]:
    """The commands of a script."""
    lines = ["" if COMMENT.match(line) else line.strip() for line in text.split("\n")]
    at = 0
    while at < len(lines):
        line = lines[at]
        block = at + 1
        while block < len(lines) and lines[block]:
            block += 1
        if not line:
            at += 1
            continue
        try:
            word = line.split()[0].lower()
            if word == "clear":
                yield Clear()
                at += 1
            elif word.startswith("load"):
                yield parse_load(line, lines[at + 1 : block])
                at = block
            elif word.startswith("eval"):
                command, used = parse_eval(line, at + 1, lines[at + 1 : block])
                yield command
                at += used
            else:
                no_command(line)
        except (ValueError, BadScript) as error:
            raise BadScript(f"line {at + 1}: {error}") from error


def no_command(line: str) -> NoReturn:
    raise BadScript(f"no command: {line}")


def parse_load(line: str, lines: list[str]) -> Load:
    match = LOAD.match(line)
    if match is None:
        raise BadScript("load[_with_nhcb] <step>")
    load = Load(milliseconds(match[2]), match[1] is not None, [])
    starts: list[int | None] | None = None
    for one in lines:
        head, _, rest = one.partition(" ")
        if head.endswith("@st"):
            starts = [start for item in rest.split() for start in parse_starts(item)]
            continue
        series = parse_series(one)
        if starts is not None and len(starts) != len(series.values):
            raise BadScript(f"{len(starts)} start times for {len(series.values)} values")
        series.starts, starts = starts, None
        load.series.append(series)
    return load


def parse_starts(item: str) -> list[int | None]:
    """`_`, `_x3`, `-1m`, `-1mx3`, `0s-10sx3`: start times from the samples' own times."""
    if item.startswith("_"):
        return [None] * (int(item[2:]) if item[1:] else 1)
    match = START.match(item)
    if match is None:
        raise BadScript(f"no start times: {item}")
    base, delta = signed(match[1]), signed((match[2] or "") + (match[3] or "0s"))
    return [base + n * delta for n in range(int(match[4] or 0) + 1)]


def signed(text: str) -> int:
    length = milliseconds(text.lstrip("+-"))
    return -length if text[0] == "-" else length


def parse_series(line: str) -> Line:
    """`metric{labels} values...`"""
    end = end_of_labels(line)
    labels = labels_of(line[:end])
    return Line(labels, list(parse_values(line[end:])))


def labels_of(text: str) -> Labels:
    if text in {"", "{}"}:
        return ()
    selector = parse_selector(text)
    return tuple(sorted((matcher.name, matcher.value) for matcher in selector.matchers if matcher.value))


def end_of_labels(line: str) -> int:
    """Where the labels of a series end."""
    quote = ""
    depth = 0
    at = 0
    while at < len(line):
        char = line[at]
        if quote:
            if char == "\\" and quote != "`":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        elif char.isspace() and depth == 0:
            rest = line[at:].lstrip()
            if not rest.startswith("{") or rest.startswith("{{"):
                return at
        at += 1
    return at


def parse_values(text: str) -> Iterator[Value]:
    for item in items(text):
        if item.startswith("{{"):
            histograms, hint_told = parse_histogram_sequence(item, limit=MOST_VALUES)
            yield from (Value(histogram=histogram, hint_told=hint_told) for histogram in histograms)
        elif item.startswith("_"):
            yield from [Value()] * (int(item[2:]) if item[1:] else 1)
        elif item.startswith("stale"):
            yield from [Value(float=STALE)] * (int(item[6:]) + 1 if item[5:] else 1)
        else:
            match = FLOATS.match(item)
            if match is None:
                raise BadScript(f"no values: {item}")
            base = number(match[1])
            delta = number(match[3]) if match[3] else 0.0
            if match[2] == "-":
                delta = -delta
            count = int(match[4]) + 1 if match[4] else 1
            value = base
            for _ in range(count):
                yield Value(float=value)
                value += delta


def items(text: str) -> Iterator[str]:
    """Values by spaces, those of histograms left whole."""
    item, depth, quoted = "", 0, False
    for char in text:
        if char.isspace() and depth == 0 and not quoted:
            if item:
                yield item
            item = ""
            continue
        depth += (char == "{") - (char == "}")
        item += char
    if item:
        yield item


def number(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    plain = text.lstrip("+-")
    if plain.lower() == "nan":
        return math.nan
    return sign * parse_number(plain)


def parse_eval(line: str, line_number: int, lines: list[str]) -> tuple[Eval, int]:
    """The command, and how many lines it takes."""
    if match := INSTANT.match(line):
        at = milliseconds(match[2] or "0s")
        command = Eval(line_number, match[3], at, at, 0, is_range=False)
    elif match := RANGE.match(line):
        start, end, step = (milliseconds(match[n]) for n in (2, 3, 4))
        command = Eval(line_number, match[5], start, end, step, is_range=True)
    else:
        raise BadScript(f"no evaluation: {line}")
    command.ordered = match[1] == "ordered"
    command.warn, command.info = match[1] == "warn", match[1] == "info"
    if match[1] == "fail":
        command.fail = Wanted(pattern=re.compile(""))
    for used, one in enumerate(lines):
        if not parse_expectation(command, one):
            return command, used + 2
    return command, len(lines) + 1


def parse_expectation(command: Eval, line: str) -> bool:
    """Take one line; false when none may follow."""
    if command.fail is not None and line.startswith("expected_fail_"):
        kind, _, text = line.partition(" ")
        text = text.strip()
        is_text = kind == "expected_fail_message"
        command.fail = Wanted(text=text) if is_text else Wanted(pattern=re.compile(text))
        return False
    if match := EXPECT_RANGE.match(line):
        command.start, command.end, command.step = (milliseconds(match[n]) for n in (1, 2, 3))
        command.is_matrix = True
    elif line.startswith("expect string "):
        command.string = unquote(line.removeprefix("expect string ")).decode()
    elif line.split(" ", maxsplit=1)[0] == "expect":
        match = EXPECT.match(line)
        if match is None:
            raise BadScript(f"no expectation: {line}")
        text = (match[3] or "").strip()
        wanted = Wanted(text=text) if match[2] == "msg" else Wanted(pattern=re.compile(text))
        if match[1] == "ordered":
            command.ordered = True
        elif match[1] == "fail":
            command.fail = wanted
        else:
            command.annotations.setdefault(match[1], []).append(wanted)
    else:
        return parse_result(command, line)
    return True


def parse_result(command: Eval, line: str) -> bool:
    try:
        command.scalar = number(line)
    except ValueError:
        command.series.append(parse_series(line))
        return True
    return False
