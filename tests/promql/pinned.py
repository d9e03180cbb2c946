"""The same expression with `@` at each selector: what it gives must not depend on when it is asked for."""

from __future__ import annotations

from dataclasses import replace

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from bridge.promql.functions import FUNCTIONS
from bridge.promql.options import ParserOptions
from bridge.promql.parser import parse_expr
from bridge.promql.printer import format_expr

OF_QUERY = frozenset(("start", "end", "range", "step"))


def pinned(query: str, time: int) -> list[tuple[str, int]]:
    """Queries, and times in ms at which each gives what `query` gives at `time`."""
    expr = parse_expr(query, ParserOptions.everything())
    if varies(expr):
        return []
    text = format_expr(pin(expr, time))
    times = [-1000, 0, 1000] if time == 0 else [-10 * time, 0, time // 5, time, 10 * time]
    return [(text, at) for at in times]


def varies(node: Expr) -> bool:
    """There is a function in it whose value depends on the time of the step."""
    own = isinstance(node, Call) and (node.function.name in OF_QUERY or FUNCTIONS[node.function.name].varies)
    return own or any(varies(child) for child in children(node))


def pin(node: Expr, time: int) -> Expr:
    """The node with `@ time` where there is no `@`; nothing inside of a subquery needs it."""
    match node:
        case VectorSelector():
            return replace(node, timestamp=time, start_or_end=None) if node.timestamp is None else node
        case MatrixSelector():
            selector = pin(node.selector, time)
            return replace(node, selector=selector) if isinstance(selector, VectorSelector) else node
        case SubqueryExpr():
            return replace(node, timestamp=time, start_or_end=None) if node.timestamp is None else node
        case Call():
            return replace(node, args=tuple(pin(arg, time) for arg in node.args))
        case AggregateExpr():
            return replace(node, expr=pin(node.expr, time), param=node.param and pin(node.param, time))
        case BinaryExpr():
            return BinaryExpr(
                node.op, pin(node.lhs, time), pin(node.rhs, time), node.matching, node.return_bool, node.pos
            )
        case UnaryExpr():
            return UnaryExpr(node.op, pin(node.expr, time), node.pos)
        case ParenExpr():
            return ParenExpr(pin(node.expr, time), node.pos)
        case _:
            return node
