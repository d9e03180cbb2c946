"""Where Prometheus 2.42 may answer otherwise than we do, who follow 3.14, and why."""

from __future__ import annotations

import re

from bridge.promql import format_expr
from bridge.promql.ast import BinaryExpr, Expr, SubqueryExpr
from tests.interop.accepted import ANY, Accepted, aggregations, calls, is_selector, outermost, walk

__all__ = ["OLDER"]


def has_subquery_in_subquery(expr: Expr) -> bool:
    """An inner subquery is evaluated at the steps of an outer one, which are round times."""
    outer = (node for node in walk(expr) if isinstance(node, SubqueryExpr))
    return any(isinstance(node, SubqueryExpr) for one in outer for node in walk(one.expr))


def squares_odd_values(expr: Expr) -> bool:
    """A deviation over time, of values that are hard to add up."""
    return any("odd_values" in format_expr(call) for call in calls(expr, "stddev_over_time", "stdvar_over_time"))


def deviates_within(expr: Expr) -> bool:
    """A deviation, of which something else is made."""
    inner = aggregations(expr, "stddev", "stdvar")
    return bool(inner) and inner != [outermost(expr)]


def counts_what_is_no_counter(expr: Expr) -> bool:
    """A rate of values that are small beside their growth."""
    names = {node.name for call in calls(expr, "rate", "increase") for node in walk(call) if is_selector(node)}
    return not all(name.endswith(("_total", "_bucket", "_counter")) for name in names)


def is_pinned(node: Expr) -> bool:
    """A selector with the modifier `@`."""
    return is_selector(node) and (node.timestamp is not None or node.start_or_end is not None)


OLDER = [
    Accepted(
        "since 3.0 a range does not hold its left edge; a sample lies on one only where a subquery's steps do",
        has_subquery_in_subquery,
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
        "2.42 knows fractions of native histograms only", lambda expr: bool(calls(expr, "histogram_fraction")), ANY
    ),
    Accepted(
        "2.42 keeps the name of what `atan2` makes another metric",
        lambda expr: any(isinstance(node, BinaryExpr) and node.op == "atan2" for node in walk(expr)),
        re.compile(".*only (ours|theirs) has"),
    ),
]
