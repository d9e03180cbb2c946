"""What binary operators do to floats."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from bridge.promql.ast import BinaryExpr
from bridge.promql.frame import Bools, Floats

__all__ = ["COMPARISONS", "calculated", "computed", "makes_another_metric"]

Operator: TypeAlias = Callable[[Floats, Floats], Floats]


def power(base: Floats, exponent: Floats) -> Floats:
    """Where all exponents are one half numpy takes the root, which is another one for -Inf, and for -0."""
    odd = (exponent == 0.5) & (np.isneginf(base) | (base == 0))
    return np.power(np.where(odd, np.abs(base), base), exponent)


ARITHMETIC: dict[str, Operator] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": power,
    "atan2": np.arctan2,
}
COMPARISONS: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def makes_another_metric(op: str) -> bool:
    """The values are no longer those of the metric on the left."""
    return op in ARITHMETIC


def calculated(op: str, lhs: Floats, rhs: Floats) -> Floats:
    """The result of an operator between scalars; of a comparison 1 where it holds, else 0."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](lhs, rhs)
    return COMPARISONS[op](lhs, rhs).astype(np.float64)


def computed(
    node: BinaryExpr, lhs: Floats, rhs: Floats, there: Bools, *, kept: Floats | None = None
) -> tuple[Floats, Bools]:
    """The result of an operator between floats, and where there is one, of the cells where `there` is true. Without
    `bool` a comparison lets `kept` through, which is the left side unless said otherwise."""
    if node.op in ARITHMETIC:
        return ARITHMETIC[node.op](lhs, rhs), there
    if node.op in COMPARISONS:
        holds = COMPARISONS[node.op](lhs, rhs)
        if node.return_bool:
            return holds.astype(np.float64), there
        return np.broadcast_to(lhs if kept is None else kept, there.shape), there & holds
    return np.zeros(there.shape), np.zeros(there.shape, dtype=np.bool_)
