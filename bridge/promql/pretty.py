"""Expressions laid out for people: what is longer than a line is split, and what is inside is indented."""

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    ParenExpr,
    StepInvariant,
    SubqueryExpr,
    UnaryExpr,
)
from bridge.promql.printer import aggregation_head, format_expr, operator, subquery_range

__all__ = ["prettify"]

LINE = 100
INDENT = "  "


def prettify(node: Expr, level: int = 0) -> str:
    """The expression, on one line where it fits into 100 bytes; `level` is its indentation."""
    indent = INDENT * level
    match node:
        case UnaryExpr():
            return f"{indent}{node.op}{prettify(node.expr, level).strip()}"
        case StepInvariant():
            return prettify(node.expr, level)
        case AggregateExpr() | BinaryExpr() | Call() | ParenExpr() | SubqueryExpr():
            text = format_expr(node)
            if len(text.encode(errors="replace")) > LINE:
                return split(node, level)
            return text if isinstance(node, SubqueryExpr) else indent + text
        case _:
            return indent + format_expr(node)


def split(node: AggregateExpr | BinaryExpr | Call | ParenExpr | SubqueryExpr, level: int) -> str:
    """The expression on several lines."""
    indent = INDENT * level
    match node:
        case AggregateExpr():
            args = (node.expr,) if node.param is None else (node.param, node.expr)
            return f"{indent}{aggregation_head(node)}(\n{listed(args, level + 1)}\n{indent})"
        case BinaryExpr():
            lhs, rhs = prettify(node.lhs, level + 1), prettify(node.rhs, level + 1)
            return f"{lhs}\n{indent}{operator(node)}\n{rhs}"
        case Call():
            return f"{indent}{node.function.name}(\n{listed(node.args, level + 1)}\n{indent})"
        case ParenExpr():
            return f"{indent}(\n{prettify(node.expr, level + 1)}\n{indent})"
        case SubqueryExpr():
            return f"{prettify(node.expr, level)}{subquery_range(node)}"


def listed(args: tuple[Expr, ...], level: int) -> str:
    """Arguments, one under the other."""
    return ",\n".join(prettify(arg, level) for arg in args)
