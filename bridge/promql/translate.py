"""Expressions as /parse_query answers them: plain objects, ready for JSON."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from bridge.model import Matcher
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
from bridge.promql.numbers import format_float

__all__ = ["to_json"]

Object: TypeAlias = dict[str, Any]


def to_json(node: Expr) -> Object:
    """The expression as Prometheus' user interface expects it; `type` says what each object is."""
    found: Object
    match node:
        case NumberLiteral():
            found = {"type": "numberLiteral", "val": format_float(node.value)}
        case StringLiteral():
            found = {"type": "stringLiteral", "val": node.value}
        case VectorSelector():
            found = {"type": "vectorSelector", **selection(node), **place(node)}
        case MatrixSelector(selector=selector):
            length = {"range": node.range, "rangeExpr": duration(node.range_expr)}
            found = {"type": "matrixSelector", **selection(selector), **length, **place(selector)}
        case SubqueryExpr():
            found = {"type": "subquery", "expr": to_json(node.expr), **steps(node), **place(node)}
        case Call():
            found = call(node)
        case AggregateExpr():
            found = aggregation(node)
        case BinaryExpr():
            found = binary(node)
        case UnaryExpr():
            found = {"type": "unaryExpr", "op": node.op, "expr": to_json(node.expr)}
        case ParenExpr():
            found = {"type": "parenExpr", "expr": to_json(node.expr)}
        case StepInvariant():
            found = to_json(node.expr)
    return found


def selection(node: VectorSelector) -> Object:
    """What a selector selects, and how it looks at its edges."""
    return {
        "name": node.name,
        "matchers": matchers(node.matchers),
        "anchored": node.anchored,
        "smoothed": node.smoothed,
    }


def matchers(found: Iterable[Matcher]) -> list[Object]:
    """Matchers, in the order in which they are kept."""
    return [{"name": matcher.name, "value": matcher.value, "type": matcher.op} for matcher in found]


def place(node: VectorSelector | SubqueryExpr) -> Object:
    """The modifiers `offset` and `@`."""
    return {
        "offset": node.offset,
        "offsetExpr": duration(node.offset_expr),
        "timestamp": node.timestamp,
        "startOrEnd": node.start_or_end,
    }


def steps(node: SubqueryExpr) -> Object:
    """Range and step of a subquery."""
    return {
        "range": node.range,
        "rangeExpr": duration(node.range_expr),
        "step": node.step,
        "stepExpr": duration(node.step_expr),
    }


def duration(node: NumberLiteral | DurationExpr | None) -> Object | None:
    """Arithmetic that gives a duration."""
    if node is None:
        return None
    if isinstance(node, NumberLiteral):
        return {"type": "numberLiteral", "val": format_float(node.value), "duration": node.duration}
    return {
        "type": "durationExpr",
        "op": node.op,
        "lhs": duration(node.lhs),
        "rhs": duration(node.rhs),
        "wrapped": node.wrapped,
    }


def call(node: Call) -> Object:
    """A call, with the signature of its function."""
    function = node.function
    return {
        "type": "call",
        "func": {
            "name": function.name,
            "argTypes": list(function.args),
            "variadic": function.variadic,
            "returnType": function.returns,
        },
        "args": [to_json(arg) for arg in node.args],
    }


def aggregation(node: AggregateExpr) -> Object:
    """An aggregation."""
    return {
        "type": "aggregation",
        "op": node.op,
        "expr": to_json(node.expr),
        "param": to_json(node.param) if node.param is not None else None,
        "grouping": list(node.grouping),
        "without": node.without,
    }


def binary(node: BinaryExpr) -> Object:
    """A binary operator and its sides."""
    return {
        "type": "binaryExpr",
        "op": node.op,
        "lhs": to_json(node.lhs),
        "rhs": to_json(node.rhs),
        "matching": matching(node.matching) if node.matching else None,
        "bool": node.return_bool,
    }


def matching(how: VectorMatching) -> Object:
    """How two vectors are matched."""
    return {
        "card": how.card,
        "labels": list(how.labels),
        "on": how.on,
        "include": list(how.include),
        "fillValues": {"lhs": how.fill_left, "rhs": how.fill_right},
    }
