"""What is in an expression, wherever in it."""

from bridge.model import Matcher
from bridge.promql.ast import Expr, VectorSelector, children

__all__ = ["matchers_of"]


def matchers_of(expr: Expr) -> list[tuple[Matcher, ...]]:
    """The conditions of each selector, in the order of the text."""
    found: list[tuple[Matcher, ...]] = []
    todo = [expr]
    while todo:
        node = todo.pop()
        if isinstance(node, VectorSelector):
            found.append(node.matchers)
        todo.extend(reversed(list(children(node))))
    return found
