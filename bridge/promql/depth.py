"""How deep an expression may be."""

from typing import NoReturn

from bridge.promql.ast import (
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Span,
    SubqueryExpr,
    VectorSelector,
    children,
)
from bridge.promql.errors import ParseError

__all__ = ["MAX_DEPTH", "check_depth", "too_deep"]

MAX_DEPTH = 200
"""Levels of an expression. Parser, checks, printer and engine each spend some stack on one, and Python's is limited."""


def check_depth(text: str, expr: Expr) -> None:
    """Refuse a tree that chains of operators have made too high, though nothing in it is nested."""
    pending: list[tuple[Expr | DurationExpr, int]] = [(expr, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            too_deep(text, node.pos)
        if not isinstance(node, DurationExpr):
            pending += ((child, depth + 1) for child in children(node))
        pending += ((part, depth + 1) for part in durations(node) if isinstance(part, DurationExpr))


def too_deep(text: str, pos: Span) -> NoReturn:
    """Refuse what is nested too deeply."""
    raise ParseError(text, pos, f"expression is nested too deeply: more than {MAX_DEPTH} levels")


def durations(node: Expr | DurationExpr) -> tuple[NumberLiteral | DurationExpr | None, ...]:
    """The arithmetic of durations right below a node."""
    match node:
        case VectorSelector():
            return (node.offset_expr,)
        case MatrixSelector():
            return (node.range_expr,)
        case SubqueryExpr():
            return (node.offset_expr, node.range_expr, node.step_expr)
        case DurationExpr():
            return (node.lhs, node.rhs)
    return ()
