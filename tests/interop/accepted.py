"""Where a Prometheus of any version may answer otherwise than we do, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeGuard

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    ParenExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from tests.interop.answers import difference, difference_of_values

__all__ = ["ALWAYS", "Accepted", "aggregations", "calls", "compared", "is_selector", "outermost", "walk"]

ANY = re.compile("")
NO_ERROR = re.compile("(?!ours )")
NUMBERS_DIFFER = re.compile(".*: at .* ours is [0-9.e+-]+, theirs [0-9.e+-]+$")


class Accepted(NamedTuple):
    """A difference: why there may be one, in which expressions, and what is told of it then."""

    why: str
    where: Callable[[Expr], bool]
    what: re.Pattern[str] = NO_ERROR


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and all that are below it."""
    yield expr
    for child in children(expr):
        yield from walk(child)


def aggregations(expr: Expr, *ops: str) -> list[AggregateExpr]:
    """The aggregations of these kinds."""
    return [node for node in walk(expr) if isinstance(node, AggregateExpr) and node.op in ops]


def calls(expr: Expr, *names: str) -> list[Call]:
    """The calls of these functions."""
    return [node for node in walk(expr) if isinstance(node, Call) and node.function.name in names]


def outermost(expr: Expr) -> Expr:
    """The expression within parentheses and signs."""
    while isinstance(expr, ParenExpr | UnaryExpr):
        expr = expr.expr
    return expr


def is_selector(node: Expr) -> TypeGuard[VectorSelector]:
    """True for an instant vector selector."""
    return isinstance(node, VectorSelector)


def is_calculated(node: AggregateExpr) -> bool:
    """What is aggregated is not selected as it is: the order of its series is that of a hash table there."""
    return not is_selector(outermost(node.expr))


def chooses(expr: Expr) -> bool:
    """The largest or smallest are chosen, and shown as they are."""
    outer = outermost(expr)
    return isinstance(outer, AggregateExpr) and outer.op in {"topk", "bottomk"}


def compared(expr: Expr, ours: Any, theirs: Any) -> str:
    """What differs between two answers, looked at as closely as can be: which of equal values are chosen is left open,
    but not the values."""
    return difference_of_values(ours, theirs) if chooses(expr) else difference(ours, theirs)


def has_operator(expr: Expr, *ops: str) -> bool:
    """One of these operators is there."""
    return any(isinstance(node, BinaryExpr) and node.op in ops for node in walk(expr))


ALWAYS = [
    Accepted(
        "which of equal values are the largest or the smallest depends on the order in which they are looked at",
        lambda expr: any(
            one is not outermost(expr) and is_calculated(one) for one in aggregations(expr, "topk", "bottomk")
        ),
        ANY,
    ),
    Accepted(
        "which series are the first ones depends on the same",
        lambda expr: any(is_calculated(one) for one in aggregations(expr, "limitk")),
        ANY,
    ),
    Accepted(
        "the sine of a large number is made of its last digits, and so is what a division leaves",
        lambda expr: bool(calls(expr, "sin", "cos", "tan")) or has_operator(expr, "%"),
        NUMBERS_DIFFER,
    ),
    Accepted(
        "the last digits of a calculated value, which may differ, make a label",
        lambda expr: any(not is_selector(node.expr) for node in aggregations(expr, "count_values")),
    ),
    Accepted(
        "an exponent of a billion, as `time()` is one, makes much of a last digit",
        lambda expr: has_operator(expr, "^"),
        NUMBERS_DIFFER,
    ),
]
