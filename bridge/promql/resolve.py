"""An expression made ready for one query: what its start, end and step decide is put in.

`start()`, `end()`, `range()` and `step()` become numbers, `@ start()` a time, arithmetic in durations a duration;
parentheses that do nothing are gone, and what gives the same at each step is marked with `StepInvariant`.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.errors import BadInput
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    Span,
    StepInvariant,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from bridge.promql.frame import Steps
from bridge.promql.functions.table import FUNCTIONS

__all__ = ["resolve"]

LARGEST = 2**63 / 1e9
"""Seconds that Prometheus' durations can hold."""


def resolve(query: str, expr: Expr, steps: Steps, end: int) -> Expr:
    """The expression that a text is, for a query at these steps, the last of which may be before its `end`, ms. Raises
    BadInput for a duration that is none."""
    return mark(Resolver(query, steps, end).ready(expr))


@dataclass(frozen=True, slots=True)
class Resolver:
    """For the query at these steps."""

    query: str
    steps: Steps
    end: int

    @property
    def range(self) -> float:
        """From start to end, seconds."""
        return (self.end - self.steps.start) / 1000

    def ready(self, node: Expr) -> Expr:
        """The node with everything below it known."""
        match node:
            case ParenExpr():
                known: Expr = self.ready(node.expr)
            case Call() if (number := self.of_query(node.function.name)) is not None:
                known = NumberLiteral(number, node.pos)
            case VectorSelector():
                known = self.selector(node)
            case MatrixSelector():
                range_ = self.milliseconds(node.range_expr, node.range, positive=True)
                known = replace(node, selector=self.selector(node.selector), range=range_, range_expr=None)
            case SubqueryExpr():
                known = self.subquery(node)
            case _:
                known = rebuilt(node, self.ready)
        return known

    def subquery(self, node: SubqueryExpr) -> SubqueryExpr:
        """With its range, step, offset and time known."""
        return replace(
            node,
            expr=self.ready(node.expr),
            range=self.milliseconds(node.range_expr, node.range, positive=True),
            step=self.milliseconds(node.step_expr, node.step, positive=True),
            offset=self.milliseconds(node.offset_expr, node.offset),
            timestamp=self.time(node),
            range_expr=None,
            step_expr=None,
            offset_expr=None,
        )

    def of_query(self, function: str) -> float | None:
        """What a function gives that asks for the query itself."""
        return {
            "start": self.steps.start / 1000,
            "end": self.end / 1000,
            "range": self.range,
            "step": self.steps.step / 1000 if self.end > self.steps.start else 0.0,
        }.get(function)

    def selector(self, node: VectorSelector) -> VectorSelector:
        """With its offset and time known."""
        offset = self.milliseconds(node.offset_expr, node.offset)
        return replace(node, offset=offset, offset_expr=None, timestamp=self.time(node))

    def time(self, node: VectorSelector | SubqueryExpr) -> int | None:
        """When `@` is, ms."""
        ends = {"start": self.steps.start, "end": self.end}
        return ends[node.start_or_end] if node.start_or_end else node.timestamp

    def milliseconds(self, expr: DurationExpr | None, known: int, *, positive: bool = False) -> int:
        """The duration that an expression gives, or the one that is known."""
        if expr is None:
            return known
        place = self.place(expr)
        seconds = self.seconds(expr)
        if not math.isfinite(seconds):
            raise BadInput(f"{place}: duration is NaN or infinite")
        if positive and seconds <= 0:
            raise BadInput(f"{place}: duration must be greater than 0")
        if abs(seconds) > LARGEST:
            raise BadInput(f"{place}: duration is out of range")
        return int(seconds * 1000)

    def place(self, expr: DurationExpr) -> str:
        """Where arithmetic stands, in bytes of UTF-8: from its first operand to its last."""
        return ":".join(str(len(self.query[:at].encode(errors="surrogateescape"))) for at in operands(expr))

    def seconds(self, expr: NumberLiteral | DurationExpr | None) -> float:
        """The value of an expression; 0 for what is not there."""
        if expr is None or isinstance(expr, NumberLiteral):
            return expr.value if expr else 0.0
        of_query = {"step": self.steps.step / 1000, "range": self.range}
        if expr.op in of_query:
            return of_query[expr.op]
        lhs, rhs = self.seconds(expr.lhs), self.seconds(expr.rhs)
        if expr.op in DIVISIONS and rhs == 0:
            raise BadInput(f"{self.place(expr)}: {DIVISIONS[expr.op]} by zero")
        return ARITHMETIC[expr.op](lhs, rhs)


def operands(expr: NumberLiteral | DurationExpr) -> Span:
    """From where to where the operands go, without the parentheses or the function around them."""
    if isinstance(expr, NumberLiteral) or expr.rhs is None:
        return expr.pos
    return (operands(expr.lhs) if expr.lhs else expr.pos)[0], operands(expr.rhs)[1]


def mark(node: Expr) -> Expr:
    """The node marked, or what is below it."""
    if is_invariant(node) and not isinstance(node, UNMARKED):
        return StepInvariant(marked_inside(node))
    return marked_inside(node) if isinstance(node, SubqueryExpr) else rebuilt(node, mark)


def marked_inside(node: Expr) -> Expr:
    """What is in the node's subqueries marked: they have steps of their own."""
    return replace(node, expr=mark(node.expr)) if isinstance(node, SubqueryExpr) else rebuilt(node, marked_inside)


def rebuilt(node: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The node with its operands changed."""
    match node:
        case Call():
            return replace(node, args=tuple(change(arg) for arg in node.args))
        case AggregateExpr():
            return replace(node, expr=change(node.expr), param=node.param and change(node.param))
        case BinaryExpr():
            return BinaryExpr(node.op, change(node.lhs), change(node.rhs), node.matching, node.return_bool, node.pos)
        case UnaryExpr():
            return UnaryExpr(node.op, change(node.expr), node.pos)
        case _:
            return node


def power(base: float, exponent: float) -> float:
    """Where Python raises, infinite or not a number as in Go."""
    try:
        result = base**exponent
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return result if isinstance(result, float) else math.nan


def is_invariant(node: Expr) -> bool:
    """The node gives the same at each step."""
    match node:
        case VectorSelector() | SubqueryExpr():
            return node.timestamp is not None
        case Call():
            function = FUNCTIONS[node.function.name]
            if function.varies and not (function.steady_of_selectors and isinstance(node.args[0], VectorSelector)):
                return False
    return all(is_invariant(child) for child in children(node))


UNMARKED = (MatrixSelector, SubqueryExpr, NumberLiteral, StringLiteral)
"""Ranges are evaluated by the functions that take them; numbers and strings are simpler as they are."""
DIVISIONS = {"/": "division", "%": "modulo"}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": power,
    "min_of": min,
    "max_of": max,
}
