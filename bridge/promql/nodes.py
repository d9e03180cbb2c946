"""From each kind of node to the operator that gives its value."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bridge.native import scaled_histograms
from bridge.promql.aggregate import aggregation
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    StepInvariant,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)
from bridge.promql.binary import binary
from bridge.promql.evaluation import Evaluation
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Frame, Histograms, RangeVector, Scalar, Steps, Text, Value, handles
from bridge.promql.functions import FUNCTIONS
from bridge.promql.functions.function import Invocation
from bridge.promql.selection import range_vector, vector
from bridge.promql.subquery import subquery

__all__ = ["evaluate"]


def evaluate(evaluation: Evaluation, node: Expr, steps: Steps) -> Value:
    """The value of a node at each step."""
    return OPERATORS[type(node)](evaluation, node, steps)


def number(_: Evaluation, node: NumberLiteral, steps: Steps) -> Scalar:
    """A number at each step."""
    return Scalar(steps, np.full(steps.count, node.value))


def text(_: Evaluation, node: StringLiteral, __: Steps) -> Text:
    """A string."""
    return Text(node.value)


def step_invariant(evaluation: Evaluation, node: StepInvariant, steps: Steps) -> Value:
    """What is the same at each step is evaluated at the first one."""
    value = evaluation.once(node, steps, lambda whole: evaluation.value(node.expr, whole.first()))
    if not isinstance(value, Frame | Scalar):
        return value
    if isinstance(value, Frame):
        evaluation.room(len(value), steps.count)
    return value.spread(steps)


def unary(evaluation: Evaluation, node: UnaryExpr, steps: Steps) -> Value:
    """A sign. What is negative is another metric's."""
    value = evaluation.value(node.expr, steps)
    if node.op == "+":
        return value
    if isinstance(value, Scalar):
        return replace(value, values=-value.values)
    if not isinstance(value, Frame):
        raise TypeError(f"no operand of a sign: {value}")
    histograms = value.histograms
    if histograms is not None:
        items = scaled_histograms(histograms.items.tolist(), -1.0)
        histograms = Histograms(histograms.cells, handles(items))
    return evaluation.unnamed(replace(value, values=-value.values, histograms=histograms))


def call(evaluation: Evaluation, node: Call, steps: Steps) -> Value:
    """A function of its arguments."""
    name = node.function.name
    function = FUNCTIONS[name]
    invocation = Invocation(evaluation, node, steps)
    args = node.args if function.takes_nodes else tuple(evaluation.value(arg, steps) for arg in node.args)
    for arg in args:
        if isinstance(arg, RangeVector) and arg.edges not in function.edges | {"plain"}:
            fitting = ", ".join(name for name, other in sorted(FUNCTIONS.items()) if arg.edges in other.edges)
            raise QueryFailed(f"{arg.edges} modifier can only be used with: {fitting} - not with {name}")
    value = function.call(invocation, *args)
    return value if function.keeps_name or not isinstance(value, Frame) else evaluation.unnamed(value)


OPERATORS: dict[type[Expr], Callable[[Evaluation, Any, Steps], Value]] = {
    AggregateExpr: aggregation,
    BinaryExpr: binary,
    Call: call,
    MatrixSelector: range_vector,
    NumberLiteral: number,
    StepInvariant: step_invariant,
    StringLiteral: text,
    SubqueryExpr: subquery,
    UnaryExpr: unary,
    VectorSelector: vector,
}
