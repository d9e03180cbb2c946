"""What a PromQL expression is made of: immutable nodes, each with its place in the text and the type of its value.

`pos` is (start, end) in characters of the text; `errors.locate` turns a start into the line and column that Prometheus
would print. Durations and offsets are integers in milliseconds, timestamps milliseconds since 1970.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from bridge.model import Matcher
from bridge.promql.signatures import Signature, ValueType

__all__ = [
    "AggregateExpr",
    "BinaryExpr",
    "Call",
    "Card",
    "DurationExpr",
    "Expr",
    "MatrixSelector",
    "NumberLiteral",
    "ParenExpr",
    "Span",
    "StartOrEnd",
    "StepInvariant",
    "StringLiteral",
    "SubqueryExpr",
    "UnaryExpr",
    "VectorMatching",
    "VectorSelector",
    "children",
]

Span: TypeAlias = tuple[int, int]
Card: TypeAlias = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]
StartOrEnd: TypeAlias = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """`42`, `0x1F`, `Inf`, `5m`; `duration` tells that it was written as a duration and is printed as one."""

    type: ClassVar[ValueType] = "scalar"

    value: float
    pos: Span
    duration: bool = False


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """A string, unquoted."""

    type: ClassVar[ValueType] = "string"

    value: str
    pos: Span


@dataclass(frozen=True, slots=True)
class DurationExpr:
    """Arithmetic that gives a range, a step or an offset in seconds, known once the query's start, end and step are.

    Attributes:
        op: `+ - * / % ^`, or `step`, `range`, `min_of`, `max_of`.
        lhs: None for `step()`, `range()` and for a sign.
        rhs: None for `step()` and `range()`.
        wrapped: it stood in parentheses.
    """

    type: ClassVar[ValueType] = "scalar"

    op: str
    lhs: "Duration | None"
    rhs: "Duration | None"
    pos: Span
    wrapped: bool = False


Duration: TypeAlias = NumberLiteral | DurationExpr


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """`name{matchers} offset 5m @ 1 anchored`.

    Attributes:
        name: what stands before the braces; "" when nothing does, even if a matcher names the metric.
        matchers: all conditions; one on `__name__` comes last when `name` is set.
        offset: milliseconds into the past.
        offset_expr: what gives the offset at evaluation, in seconds; `offset` is 0 then.
        timestamp: of `@`, in milliseconds.
        start_or_end: which end of the query `@` names.
    """

    type: ClassVar[ValueType] = "vector"

    name: str
    matchers: tuple[Matcher, ...]
    pos: Span
    offset: int = 0
    offset_expr: DurationExpr | None = None
    timestamp: int | None = None
    start_or_end: StartOrEnd | None = None
    anchored: bool = False
    smoothed: bool = False


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """`selector[range]`; offset, `@`, anchored and smoothed are the selector's, though they stand after the range.

    Attributes:
        range: milliseconds.
        range_expr: what gives the range at evaluation, in seconds; `range` is 0 then.
    """

    type: ClassVar[ValueType] = "matrix"

    selector: VectorSelector
    range: int
    pos: Span
    range_expr: DurationExpr | None = None


@dataclass(frozen=True, slots=True)
class SubqueryExpr:
    """`expr[range:step]`; `step` is 0, and `step_expr` None, for the default step. Else as in the selectors."""

    type: ClassVar[ValueType] = "matrix"

    expr: "Expr"
    range: int
    step: int
    pos: Span
    range_expr: DurationExpr | None = None
    step_expr: DurationExpr | None = None
    offset: int = 0
    offset_expr: DurationExpr | None = None
    timestamp: int | None = None
    start_or_end: StartOrEnd | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is called with."""

    function: Signature
    args: "tuple[Expr, ...]"
    pos: Span

    @property
    def type(self) -> ValueType:
        """What the function returns."""
        return self.function.returns


@dataclass(frozen=True, slots=True)
class AggregateExpr:
    """`op by (grouping) (param, expr)`, or `without`."""

    type: ClassVar[ValueType] = "vector"

    op: str
    expr: "Expr"
    param: "Expr | None"
    grouping: tuple[str, ...]
    without: bool
    pos: Span


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """How the series of two vectors find each other.

    Attributes:
        labels: of `on`, or of `ignoring` (which is the default).
        include: the labels of `group_left` and `group_right`.
        fill_left: the value for a series that the left side lacks.
    """

    card: Card = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class BinaryExpr:
    """`lhs op bool matching rhs`; set operators match many to many.

    Attributes:
        matching: None unless both sides are instant vectors.
        return_bool: a comparison gives 0 or 1, and filters nothing.
    """

    type: ValueType = field(init=False, compare=False)

    op: str
    lhs: "Expr"
    rhs: "Expr"
    matching: VectorMatching | None
    return_bool: bool
    pos: Span

    def __post_init__(self) -> None:
        both_scalars = self.lhs.type == self.rhs.type == "scalar"
        object.__setattr__(self, "type", "scalar" if both_scalars else "vector")


@dataclass(frozen=True, slots=True)
class UnaryExpr:
    """A sign, `+` or `-`, before anything that is no number."""

    type: ValueType = field(init=False, compare=False)

    op: str
    expr: "Expr"
    pos: Span

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", self.expr.type)


@dataclass(frozen=True, slots=True)
class ParenExpr:
    """An expression in parentheses."""

    type: ValueType = field(init=False, compare=False)

    expr: "Expr"
    pos: Span

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", self.expr.type)


@dataclass(frozen=True, slots=True)
class StepInvariant:
    """What gives the same at each step, and is evaluated once. The engine puts it in; no text parses to it."""

    type: ValueType = field(init=False, compare=False)

    expr: "Expr"

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", self.expr.type)

    @property
    def pos(self) -> Span:
        """Where the expression stands."""
        return self.expr.pos


Expr: TypeAlias = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | SubqueryExpr
    | Call
    | AggregateExpr
    | BinaryExpr
    | UnaryExpr
    | ParenExpr
    | StepInvariant
)


def children(node: Expr) -> "Iterator[Expr]":
    """The expressions right below a node; an aggregation's operand comes before its parameter."""
    match node:
        case BinaryExpr():
            yield node.lhs
            yield node.rhs
        case Call():
            yield from node.args
        case AggregateExpr():
            yield node.expr
            if node.param is not None:
                yield node.param
        case MatrixSelector():
            yield node.selector
        case SubqueryExpr() | ParenExpr() | UnaryExpr() | StepInvariant():
            yield node.expr
