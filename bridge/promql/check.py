"""What a parsed expression must obey: types of operands and arguments, and selectors that select something."""

from typing import NoReturn

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    Span,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)
from bridge.promql.errors import ParseError
from bridge.promql.patterns import matches_empty
from bridge.promql.quoting import quote
from bridge.promql.signatures import AGGREGATIONS, Signature, ValueType, documented

__all__ = ["check"]

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
SET_OPERATORS = frozenset(("and", "or", "unless"))
OPERANDS = frozenset(("scalar", "vector"))
SPACE = " \t\r\n"


def check(text: str, expr: Expr) -> None:
    """Raise ParseError for the first thing wrong, in the order in which Prometheus looks."""
    Checker(text).visit(expr)


class Checker:
    """Checks the expressions of one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, pos: Span, message: str) -> NoReturn:
        """Refuse the text."""
        raise ParseError(self.text, pos, message)

    def visit(self, node: Expr) -> None:
        """Check a node and what is below it."""
        match node:
            case VectorSelector():
                self.selector(node)
            case MatrixSelector():
                self.selector(node.selector)
            case Call():
                self.call(node)
            case BinaryExpr():
                self.visit(node.lhs)
                self.visit(node.rhs)
                self.binary(node)
            case AggregateExpr():
                self.visit(node.expr)
                self.aggregation(node)
            case ParenExpr():
                self.visit(node.expr)
            case UnaryExpr():
                self.visit(node.expr)
                if node.type not in OPERANDS:
                    allowed = "unary expression only allowed on expressions of type scalar or instant vector"
                    self.fail(node.pos, f'{allowed}, got "{documented(node.type)}"')
            case SubqueryExpr():
                self.visit(node.expr)
                if node.expr.type != "vector":
                    only = "subquery is only allowed on instant vector"
                    self.fail(node.pos, f"{only}, got {node.expr.type} instead")

    def expect(self, node: Expr, wanted: ValueType, context: str) -> None:
        """Refuse a node of another type."""
        if node.type != wanted:
            types = f"expected type {documented(wanted)} in {context}, got {documented(node.type)}"
            self.fail(node.pos, types)

    def selector(self, node: VectorSelector, *, may_match_all: bool = False) -> None:
        """A selector names its metric once, and does not select everything by mistake."""
        if node.name:
            for matcher in node.matchers[:-1]:
                if matcher.name == "__name__":
                    names = f"{quote(node.name)} or {quote(matcher.value)}"
                    self.fail(node.pos, f"metric name must not be set twice: {names}")
        elif not may_match_all and all(map(matches_empty, node.matchers)):
            self.fail(node.pos, "vector selector must contain at least one non-empty matcher")

    def aggregation(self, node: AggregateExpr) -> None:
        """An aggregation is of an instant vector, and its parameter of the right type."""
        self.expect(node.expr, "vector", "aggregation expression")
        wanted = AGGREGATIONS[node.op].param
        if wanted is not None and node.param is not None:
            self.visit(node.param)
            self.expect(node.param, wanted, "aggregation parameter")

    def call(self, node: Call) -> None:
        """A function gets the arguments it takes."""
        function = node.function
        self.count(node, function)
        if function.name == "info" and len(node.args) > 1:
            self.info_labels(node)
        last = len(function.args) - 1
        for place, arg in enumerate(node.args):
            wanted = function.args[min(place, last)]
            if function.name == "info" and place == 1 and isinstance(arg, VectorSelector):
                self.selector(arg, may_match_all=True)
            else:
                self.visit(arg)
            self.expect(arg, wanted, f'call to function "{function.name}"')

    def count(self, node: Call, function: Signature) -> None:
        """Refuse too few or too many arguments."""
        got, most = len(node.args), len(function.args)
        if function.variadic == 0:
            if got != most:
                self.fail(node.pos, f'expected {most} argument(s) in call to "{function.name}", got {got}')
            return
        least = most - 1
        if got < least:
            self.fail(node.pos, f'expected at least {least} argument(s) in call to "{function.name}", got {got}')
        most = least + function.variadic
        if function.variadic > 0 and got > most:
            self.fail(node.pos, f'expected at most {most} argument(s) in call to "{function.name}", got {got}')

    def info_labels(self, node: Call) -> None:
        """The second argument of `info` is no vector, but matchers for the labels that are wanted."""
        labels = node.args[1]
        if labels.type != "vector":
            wanted = 'expected type instant vector in call to function "info"'
            self.fail(node.pos, f"{wanted}, got {documented(labels.type)}")
        if not isinstance(labels, VectorSelector):
            self.fail(labels.pos, "expected label selectors only")
        if labels.name:
            self.fail(labels.pos, "expected label selectors only, got vector selector instead")

    def binary(self, node: BinaryExpr) -> None:
        """Operators, their modifiers and their operands fit together."""
        types = {node.lhs.type, node.rhs.type}
        if node.return_bool and node.op not in COMPARISONS:
            self.fail(self.operator(node), "bool modifier can only be used on comparison operators")
        if node.op in COMPARISONS and not node.return_bool and types == {"scalar"}:
            self.fail(self.operator(node), "comparisons between scalars must use BOOL modifier")
        how = node.matching
        if how is not None and how.on:
            for label in how.labels:
                if label in how.include:
                    both = f"label {quote(label)} must not occur in ON and GROUP clause at once"
                    self.fail(self.operator(node), both)
        for side in (node.lhs, node.rhs):
            if side.type not in OPERANDS:
                self.fail(side.pos, "binary expression must contain only scalar and instant vector types")
        if types != {"vector"}:
            if how is not None and how.labels:
                self.fail(node.pos, "vector matching only allowed between instant vectors")
            if how is not None:
                self.fail(node.pos, "filling in missing series only allowed between instant vectors")
            if node.op in SET_OPERATORS:
                self.fail(node.pos, f'set operator "{node.op}" not allowed in binary scalar expression')
        elif how is not None and node.op in SET_OPERATORS:
            self.set_operator(node)

    def set_operator(self, node: BinaryExpr) -> None:
        """Set operators match many to many, and fill nothing in."""
        how = node.matching
        if how is None:
            return
        if how.card != "many-to-many":
            self.fail(node.pos, f'no grouping allowed for "{node.op}" operation')
        if how.fill_left is not None or how.fill_right is not None:
            self.fail(node.pos, "filling in missing series not allowed for set operators")

    def operator(self, node: BinaryExpr) -> Span:
        """Where the operator and its modifiers stand."""
        start, end = node.lhs.pos[1], node.rhs.pos[0] - 1
        while self.text[start] in SPACE:
            start += 1
        while self.text[end] in SPACE:
            end -= 1
        return start, end
