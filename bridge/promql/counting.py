"""Selectors of which only counts and sums are asked for: buckets of native histograms need not be carried along."""

from collections.abc import Iterator

from bridge.promql.ast import BinaryExpr, Call, Expr, SubqueryExpr, VectorSelector, children

__all__ = ["counting"]

OF_COUNTS = frozenset(("histogram_avg", "histogram_count", "histogram_sum"))
OF_BUCKETS = frozenset(("histogram_fraction", "histogram_quantile", "histogram_quantiles"))
TRIMS = frozenset(("</", ">/"))


def counting(expr: Expr) -> frozenset[VectorSelector]:
    """Those selectors of an expression. Below a subquery there is none: without buckets, resets would not be found."""
    return frozenset(found(expr, counted=False))


def found(node: Expr, *, counted: bool) -> Iterator[VectorSelector]:
    """Those below a node; `counted` tells that counts are asked for above it."""
    match node:
        case SubqueryExpr():
            return
        case Call() if node.function.name in OF_BUCKETS:
            return
        case BinaryExpr() if node.op in TRIMS:
            return
        case Call():
            counted = counted or node.function.name in OF_COUNTS
        case VectorSelector() if counted:
            yield node
    for child in children(node):
        yield from found(child, counted=counted)
