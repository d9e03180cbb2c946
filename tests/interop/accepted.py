"""Where Prometheus 2.42 may answer otherwise than we do, who follow 3.14, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeGuard

from bridge.promql import format_expr
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from tests.interop.answers import difference, difference_of_values, without_names

__all__ = ["ACCEPTED", "compared", "reason"]

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


def has_subquery_in_subquery(expr: Expr) -> bool:
    """An inner subquery is evaluated at the steps of an outer one, which are round times."""
    outer = (node for node in walk(expr) if isinstance(node, SubqueryExpr))
    return any(isinstance(node, SubqueryExpr) for one in outer for node in walk(one.expr))


def squares_odd_values(expr: Expr) -> bool:
    """A deviation over time, of values that are hard to add up."""
    return any("odd_values" in format_expr(call) for call in calls(expr, "stddev_over_time", "stdvar_over_time"))


def outermost(expr: Expr) -> Expr:
    """The expression within parentheses and signs."""
    while isinstance(expr, ParenExpr | UnaryExpr):
        expr = expr.expr
    return expr


def chooses(expr: Expr) -> bool:
    """The largest or smallest are chosen, and shown as they are."""
    outer = outermost(expr)
    return isinstance(outer, AggregateExpr) and outer.op in {"topk", "bottomk"}


def deviates_within(expr: Expr) -> bool:
    """A deviation, of which something else is made."""
    inner = aggregations(expr, "stddev", "stdvar")
    return bool(inner) and inner != [outermost(expr)]


def compared(expr: Expr, ours: Any, theirs: Any) -> str:
    """What differs between two answers, looked at as closely as can be: which of equal values are chosen is left open,
    but not the values; names that 2.42 keeps are overlooked, but not the other labels."""
    if calculates_atan2(expr):
        ours, theirs = without_names(ours), without_names(theirs)
    return difference_of_values(ours, theirs) if chooses(expr) else difference(ours, theirs)


def calculates_atan2(expr: Expr) -> bool:
    """The operator is there."""
    return any(isinstance(node, BinaryExpr) and node.op == "atan2" for node in walk(expr))


def counts_what_is_no_counter(expr: Expr) -> bool:
    """A rate of values that are small beside their growth."""
    names = {node.name for call in calls(expr, "rate", "increase") for node in walk(call) if is_selector(node)}
    return not all(name.endswith(("_total", "_bucket", "_counter")) for name in names)


def is_pinned(node: Expr) -> bool:
    """A selector with the modifier `@`."""
    return is_selector(node) and (node.timestamp is not None or node.start_or_end is not None)


def is_selector(node: Expr) -> TypeGuard[VectorSelector]:
    """True for an instant vector selector."""
    return isinstance(node, VectorSelector)


ACCEPTED = [
    Accepted(
        "since 3.0 a range does not hold its left edge; a sample lies on one only where a subquery's steps do",
        has_subquery_in_subquery,
    ),
    Accepted(
        "which of equal values are the largest or the smallest depends on the order in which they are looked at",
        lambda expr: any(one is not outermost(expr) for one in aggregations(expr, "topk", "bottomk")),
        ANY,
    ),
    Accepted(
        "2.42 takes a single value that is no number, or an infinite one, to vary by 0, 3.14 by NaN",
        lambda expr: bool(aggregations(expr, "stddev", "stdvar")),
        re.compile(".*ours is NaN, theirs -?0$"),
    ),
    Accepted("what is made of such a 0", deviates_within),
    Accepted(
        "squares of values as large as can be: 2.42 adds them up otherwise",
        squares_odd_values,
    ),
    Accepted(
        "2.42 compares the way to zero with half an interval before it shortens it, 3.14 after that",
        counts_what_is_no_counter,
    ),
    Accepted(
        "2.42 looks for the time of a pinned sample elsewhere",
        lambda expr: any(is_pinned(node) for call in calls(expr, "timestamp") for node in walk(call)),
    ),
    Accepted(
        "2.42 loses the samples of a pinned range from step to step, where a function looks at the step's own time",
        lambda expr: any(is_pinned(node) for call in calls(expr, "predict_linear") for node in walk(call)),
    ),
    Accepted(
        "the sine of a large number is made of its last digits",
        lambda expr: bool(calls(expr, "sin", "cos", "tan")),
        NUMBERS_DIFFER,
    ),
    Accepted(
        "2.42 knows fractions of native histograms only", lambda expr: bool(calls(expr, "histogram_fraction")), ANY
    ),
    Accepted(
        "the last digits of a calculated value, which may differ, make a label",
        lambda expr: any(not is_selector(node.expr) for node in aggregations(expr, "count_values")),
    ),
    Accepted(
        "an exponent of a billion, as `time()` is one, makes much of a last digit",
        lambda expr: any(isinstance(node, BinaryExpr) and node.op == "^" for node in walk(expr)),
        NUMBERS_DIFFER,
    ),
]


def reason(expr: Expr, what: str) -> str:
    """Why the answers may differ in this; "" when they may not."""
    found = (accepted for accepted in ACCEPTED if accepted.what.match(what) and accepted.where(expr))
    return next((accepted.why for accepted in found), "")
