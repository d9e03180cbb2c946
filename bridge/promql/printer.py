"""Expressions as text: one line that parses to the same expression again."""

import re

from bridge.model import Matcher, format_duration
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StepInvariant,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatching,
    VectorSelector,
)
from bridge.promql.numbers import format_float, format_seconds
from bridge.promql.quoting import quote

__all__ = ["aggregation_head", "format_expr", "operator", "subquery_range"]

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def format_expr(node: Expr) -> str:
    """The expression on one line."""
    match node:
        case NumberLiteral():
            text = format_seconds(node.value) if node.duration else format_float(node.value)
        case StringLiteral():
            text = quote(node.value)
        case VectorSelector():
            text = f"{selection(node)}{pinned(node)}{extended(node)}{moved(node)}"
        case MatrixSelector(selector=selector):
            length = duration(node.range, node.range_expr)
            text = f"{selection(selector)}[{length}]{extended(selector)}{pinned(selector)}{moved(selector)}"
        case SubqueryExpr():
            text = f"{format_expr(node.expr)}{subquery_range(node)}"
        case Call():
            text = f"{node.function.name}({', '.join(map(format_expr, node.args))})"
        case AggregateExpr():
            param = f"{format_expr(node.param)}, " if node.param is not None else ""
            text = f"{aggregation_head(node)}({param}{format_expr(node.expr)})"
        case BinaryExpr():
            text = f"{format_expr(node.lhs)} {operator(node)} {format_expr(node.rhs)}"
        case UnaryExpr():
            text = f"{node.op}{format_expr(node.expr)}"
        case ParenExpr():
            text = f"({format_expr(node.expr)})"
        case StepInvariant():
            text = format_expr(node.expr)
    return text


def selection(node: VectorSelector) -> str:
    """The metric and the matchers, which are sorted."""
    own_name = ("__name__", "=", node.name)
    shown = sorted(map(matcher, (found for found in node.matchers if found != own_name or not node.name)))
    return f"{node.name}{{{','.join(shown)}}}" if shown else node.name


def matcher(found: Matcher) -> str:
    """One matcher."""
    return f"{label(found.name)}{found.op}{quote(found.value)}"


def label(name: str) -> str:
    """A label's name, quoted where it has to be."""
    return name if PLAIN_NAME.fullmatch(name) else quote(name)


def labels(names: tuple[str, ...]) -> str:
    """A list of labels in parentheses."""
    return f"({', '.join(map(label, names))})"


def pinned(node: VectorSelector | SubqueryExpr) -> str:
    """The modifier `@`."""
    if node.timestamp is not None:
        return f" @ {node.timestamp / 1000:.3f}"
    return f" @ {node.start_or_end}()" if node.start_or_end else ""


def extended(node: VectorSelector) -> str:
    """The modifiers `anchored` and `smoothed`."""
    return " anchored" if node.anchored else " smoothed" if node.smoothed else ""


def moved(node: VectorSelector | SubqueryExpr) -> str:
    """The modifier `offset`."""
    if node.offset_expr is not None:
        return f" offset {arithmetic(node.offset_expr)}"
    sign = "-" if node.offset < 0 else ""
    return f" offset {sign}{format_duration(abs(node.offset))}" if node.offset else ""


def duration(milliseconds: int, expr: DurationExpr | None) -> str:
    """A range or a step."""
    return format_duration(milliseconds) if expr is None else arithmetic(expr)


def arithmetic(node: NumberLiteral | DurationExpr) -> str:
    """Arithmetic that gives a duration; a plus sign is left out."""
    if isinstance(node, NumberLiteral):
        return format_expr(node)
    rhs = arithmetic(node.rhs) if node.rhs is not None else ""
    lhs = arithmetic(node.lhs) if node.lhs is not None else ""
    if node.op in {"step", "range"}:
        text = f"{node.op}()"
    elif node.op in {"min_of", "max_of"}:
        text = f"{node.op}({lhs}, {rhs})"
    elif lhs:
        text = f"{lhs} {node.op} {rhs}"
    else:
        text = f"{'' if node.op == '+' else node.op}{rhs}"
    return f"({text})" if node.wrapped else text


def subquery_range(node: SubqueryExpr) -> str:
    """What follows the expression of a subquery."""
    step = duration(node.step, node.step_expr) if node.step or node.step_expr else ""
    return f"[{duration(node.range, node.range_expr)}:{step}]{pinned(node)}{moved(node)}"


def aggregation_head(node: AggregateExpr) -> str:
    """An aggregation up to its arguments."""
    if node.without:
        return f"{node.op} without {labels(node.grouping)} "
    return f"{node.op} by {labels(node.grouping)} " if node.grouping else node.op


def operator(node: BinaryExpr) -> str:
    """A binary operator with its modifiers."""
    return f"{node.op}{' bool' if node.return_bool else ''}{matching(node.matching) if node.matching else ''}"


def matching(how: VectorMatching) -> str:
    """How the two sides are matched, where that is not the default."""
    grouped = how.card in {"many-to-one", "one-to-many"}
    text = ""
    if how.labels or how.on or grouped:
        text += f" {'on' if how.on else 'ignoring'} {labels(how.labels)}"
    if grouped:
        text += f" group_{'left' if how.card == 'many-to-one' else 'right'} {labels(how.include)}"
    left, right = how.fill_left, how.fill_right
    if left is not None and left == right:
        return f"{text} fill ({format_float(left, exponents=True)})"
    if left is not None:
        text += f" fill_left ({format_float(left, exponents=True)})"
    if right is not None:
        text += f" fill_right ({format_float(right, exponents=True)})"
    return text
