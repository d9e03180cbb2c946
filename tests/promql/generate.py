"""Expressions at random, by the grammar and the types: what `Generator` makes is PromQL, and can be evaluated.

It draws from any `random.Random`: a seeded one, or hypothesis' own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bridge.promql.signatures import AGGREGATIONS, SIGNATURES, Signature

ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SET_OPERATORS = ("and", "or", "unless")
TRIMS = ("</", ">/")
NUMBERS = ("0", "1", "-1", "2", "0.5", "-0.25", "3", "10", "100", "1e3", "0.1", "1.5e-3", "NaN", "Inf", "-Inf")
DURATIONS = ("15s", "30s", "1m", "90s", "2m", "5m", "7m30s", "10m")
PATTERNS = (".*", ".+", "a.*", "(a|b).*", ".*[0-9]", "", "x|y", "[a-c]+")
LEGACY = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
REPLACEMENTS = (("$1", "(.*)"), ("x-$1", "(.+)"), ("$1$2", "(.)(.*)"), ("", "(.*)"), ("all", "no match"))


@dataclass(frozen=True)
class Vocabulary:
    """What expressions speak of.

    Attributes:
        metrics: names of series that are there; `buckets` are those of classic histograms' buckets.
        labels: names, each with its values.
        functions: which may be called.
        durations_are_numbers: durations may stand where numbers do, and may be calculated.
        extended: `anchored` and `smoothed` may be used, `fill`, the trim operators and names in quotes too.
    """

    metrics: Sequence[str]
    buckets: Sequence[str]
    labels: dict[str, Sequence[str]]
    functions: Sequence[Signature] = field(default_factory=lambda: tuple(SIGNATURES.values()))
    aggregations: Sequence[str] = tuple(AGGREGATIONS)
    durations_are_numbers: bool = True
    extended: bool = True


class Generator:
    """Makes expressions of a vocabulary, of at most `depth` levels."""

    def __init__(self, random: Random, vocabulary: Vocabulary, depth: int = 4) -> None:
        self.random = random
        self.words = vocabulary
        self.depth = depth

    def expression(self) -> str:
        """A whole expression: mostly an instant vector, sometimes a scalar."""
        return self.scalar(self.depth) if self.one_in(8) else self.vector(self.depth)

    def one_in(self, count: int) -> bool:
        """True one time in so many."""
        return self.random.randrange(count) == 0

    def pick(self, *choices: str) -> str:
        """One of some texts."""
        return self.random.choice(choices)

    def vector(self, depth: int) -> str:
        """An instant vector."""
        if depth <= 1:
            return self.selector()
        make = self.random.choice(
            (self.selector_only, self.call, self.call, self.aggregation, self.aggregation, self.binary, self.wrapped)
        )
        return make(depth)

    def scalar(self, depth: int) -> str:
        """A scalar."""
        if depth <= 1 or self.one_in(2):
            return self.pick(*NUMBERS, *(DURATIONS if self.words.durations_are_numbers else ()))
        functions = [function for function in self.words.functions if function.returns == "scalar"]
        match self.random.randrange(4):
            case 0:
                return self.call_of(self.random.choice(functions), depth)
            case 1:
                operator = self.pick(*ARITHMETIC, *(f"{operator} bool" for operator in COMPARISONS))
                return f"({self.scalar(depth - 1)} {operator} {self.scalar(depth - 1)})"
            case 2:
                return f"-({self.scalar(depth - 1)})"
            case _:
                return f"({self.scalar(depth - 1)})"

    def matrix(self, depth: int) -> str:
        """A range vector: of a selector, or of a subquery."""
        if depth > 2 and self.one_in(4):
            step = self.pick("", *DURATIONS)
            inner = self.vector(depth - 2)
            return f"({inner})[{self.duration()}:{step}]{self.moved()}"
        extension = self.pick("", " anchored", " smoothed") if self.words.extended and self.one_in(4) else ""
        return f"{self.series()}[{self.duration()}]{extension}{self.moved()}"

    def duration(self) -> str:
        """A range, a step or an offset."""
        if not self.words.durations_are_numbers or not self.one_in(4):
            return self.pick(*DURATIONS)
        left, right = self.pick(*DURATIONS, "step()", "range()"), self.pick(*DURATIONS, "60", "step()")
        return self.pick(f"({left} + {right})", f"(2 * {left})", f"max_of({left}, {right})", f"({left} / 2)")

    def series(self) -> str:
        """A metric's name and matchers."""
        name = self.random.choice(self.words.metrics if not self.one_in(6) else self.words.buckets)
        matchers = [self.matcher() for _ in range(self.random.choice((0, 0, 0, 1, 1, 2)))]
        if self.one_in(12) or not LEGACY.fullmatch(name):
            in_quotes = self.words.extended and self.one_in(2)
            matchers.insert(0, f'"{name}"' if in_quotes else f'__name__="{name}"')
            name = ""
        return f"{name}{{{','.join(matchers)}}}" if matchers or self.one_in(12) else name

    def matcher(self) -> str:
        """One matcher."""
        label = self.label()
        values, label = self.words.labels[label], written(label)
        if self.one_in(2):
            return f'{label}{self.pick("=", "!=")}"{self.pick(*values, "", "none")}"'
        pattern = self.pick(
            *PATTERNS, "|".join(self.random.sample(list(values), min(2, len(values)))).replace("+", "[+]")
        )
        return f'{label}{self.pick("=~", "!~")}"{pattern}"'

    def moved(self) -> str:
        """The modifiers `offset` and `@`, or nothing."""
        if not self.one_in(4):
            return ""
        offset = f" offset {self.pick('', '-')}{self.duration()}"
        at = f" @ {self.pick('start()', 'end()', '1000', '1234.5')}"
        return self.pick(offset, at, offset + at, at + offset)

    def selector(self) -> str:
        """An instant vector selector."""
        return f"{self.series()}{self.moved()}"

    def selector_only(self, _: int) -> str:
        """The same, for where a depth is known."""
        return self.selector()

    def call(self, depth: int) -> str:
        """A function that gives an instant vector."""
        functions = [function for function in self.words.functions if function.returns == "vector"]
        return self.call_of(self.random.choice(functions), depth)

    def call_of(self, function: Signature, depth: int) -> str:
        """A call of a function, with as many arguments as it may take."""
        kinds = list(function.args)
        if function.variadic > 0 and self.one_in(2):
            kinds.pop()
        strings = iter(self.strings(function.name))
        makers = {"vector": self.vector, "scalar": self.scalar, "matrix": self.matrix}
        args = [next(strings) if kind == "string" else makers[kind](depth - 1) for kind in kinds]
        if function.name == "info" and len(args) == 2:
            args[1] = f"{{{self.matcher()}}}"
        if function.name.startswith("histogram_quantile") and not self.one_in(4):
            place = kinds.index("vector")
            args[place] = f"sum by (le, {written(self.label())}) (rate({self.random.choice(self.words.buckets)}[5m]))"
        return f"{function.name}({', '.join(args)})"

    def strings(self, function: str) -> list[str]:
        """Arguments that are strings."""
        if function == "label_replace":
            replacement, pattern = self.random.choice(REPLACEMENTS)
            return [f'"{text}"' for text in (self.pick("new", self.label()), replacement, self.label(), pattern)]
        if function == "label_join":
            return ['"joined"', f'"{self.pick("", "-", ", ")}"', f'"{self.label()}"']
        return [f'"{self.label()}"'] * 3

    def label(self) -> str:
        """A label's name."""
        return self.random.choice(tuple(self.words.labels))

    def labels(self) -> str:
        """Labels in parentheses."""
        names = tuple(self.words.labels)
        chosen = self.random.sample(names, self.random.randrange(min(3, len(names)) + 1))
        return f"({', '.join(map(written, chosen))})"

    def aggregation(self, depth: int) -> str:
        """An aggregation."""
        op = self.random.choice(self.words.aggregations)
        param = AGGREGATIONS[op].param
        args = self.vector(depth - 1)
        if param == "scalar":
            share = op in {"quantile", "limit_ratio"}
            args = f"{self.pick('0', '0.1', '0.5', '0.9', '1') if share else self.pick('1', '2', '3', '5')}, {args}"
        elif param == "string":
            args = f'"value", {args}'
        clause = f"{self.pick('by', 'without')} {self.labels()}"
        return self.pick(f"{op}({args})", f"{op} {clause} ({args})", f"{op}({args}) {clause}")

    def binary(self, depth: int) -> str:
        """A binary operator of which a side at least is an instant vector."""
        trims = TRIMS if self.words.extended else ()
        operator = self.pick(*ARITHMETIC, *COMPARISONS, *SET_OPERATORS, *trims)
        if operator not in SET_OPERATORS and self.one_in(2):
            sides = [self.vector(depth - 1), self.scalar(depth - 1)]
            self.random.shuffle(sides)
            return f"({sides[0]} {operator}{self.bool_of(operator)} {sides[1]})"
        matching = f" {self.pick('on', 'ignoring')} {self.labels()}" if self.one_in(2) else ""
        if matching and operator not in SET_OPERATORS and self.one_in(3):
            matching = f" on ({written(self.label())}) {self.pick('group_left', 'group_right')} ()"
        if self.words.extended and operator not in SET_OPERATORS and self.one_in(4):
            matching += self.pick(" fill (0)", " fill_left (1)", " fill_right (-1.5)", " fill_left (1) fill_right (2)")
        sides = [self.vector(depth - 1), self.vector(depth - 1)]
        return f"({sides[0]} {operator}{self.bool_of(operator)}{matching} {sides[1]})"

    def bool_of(self, operator: str) -> str:
        """The modifier `bool`, or nothing."""
        return " bool" if operator in COMPARISONS and self.one_in(2) else ""

    def wrapped(self, depth: int) -> str:
        """Parentheses or a sign."""
        inner = self.vector(depth - 1)
        return self.pick(f"({inner})", f"-{inner}", f"+({inner})")


def written(label: str) -> str:
    """The name of a label, in quotes where it needs them."""
    return label if LEGACY.fullmatch(label) else f'"{label}"'
