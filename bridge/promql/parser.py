"""A Pratt parser: each kind of token says what it begins, and each operator how tightly it binds.

The first mistake ends the parsing. It is the one that Prometheus reports, in its words: an unexpected token is told
with the construct that it stands in, for which the reader's `context` is kept.
"""

from collections.abc import Callable
from dataclasses import replace

from bridge.promql import durations
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    UnaryExpr,
    VectorSelector,
)
from bridge.promql.check import check
from bridge.promql.depth import MAX_DEPTH, check_depth
from bridge.promql.matching import matching
from bridge.promql.modifiers import MODIFIERS, modify
from bridge.promql.options import ParserOptions
from bridge.promql.reader import Reader
from bridge.promql.selectors import METRIC_WORDS, labels, selector, text_of
from bridge.promql.signatures import AGGREGATIONS, SIGNATURES
from bridge.promql.tokens import DURATION, END, IDENTIFIER, NUMBER, STRING

__all__ = ["parse_expr", "parse_selector"]

SIGN_POWER = 5
RIGHT_TO_LEFT = "^"
POWERS = {
    "or": 1,
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(("==", "!=", ">", "<", ">=", "<=", "</", ">/"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    RIGHT_TO_LEFT: 6,
}

IN_AGGREGATION = ("aggregation", "")
GROUPING = frozenset(("by", "without"))
FUNCTION_WORDS = frozenset((IDENTIFIER, "start", "end", "step", "range", "max_of", "min_of"))


def parse_expr(text: str, options: ParserOptions | None = None) -> Expr:
    """The expression that a text is. Raises ParseError."""
    reader = Reader(text, options or ParserOptions())
    reader.fail_at_error()
    if reader.kind == END:
        reader.fail((0, 0), "no expression found in input")
    found = expression(reader)
    if reader.kind != END:
        reader.unexpected()
    if len(reader.tokens) > MAX_DEPTH:
        check_depth(text, found)
    check(text, found)
    return found


def parse_selector(text: str) -> VectorSelector:
    """The bare vector selector that a text is, as in `match[]`. It may select all series. Raises ParseError."""
    reader = Reader(text, ParserOptions())
    found = selector(reader)
    if reader.kind != END:
        reader.unexpected()
    return found


def expression(reader: Reader, floor: int = 0) -> Expr:
    """What comes next, up to an operator that binds no more than `floor`."""
    reader.enter()
    begin = BEGINNINGS.get(reader.kind)
    if begin is None:
        reader.unexpected(*reader.context)
    left = begin(reader)
    while True:
        kind = reader.kind
        if POWERS.get(kind, 0) > floor:
            left = binary(reader, left)
        elif kind in MODIFIERS:
            left = modify(reader, left)
        else:
            break
    reader.fail_at_error()
    reader.depth -= 1
    return left


def binary(reader: Reader, lhs: Expr) -> BinaryExpr:
    """An operator behind its left side."""
    op = reader.advance().kind
    return_bool = reader.kind == "bool"
    if return_bool:
        reader.advance()
    how = matching(reader, BEGINNINGS)
    rhs = expression(reader, POWERS[op] - (op == RIGHT_TO_LEFT))
    pos = (lhs.pos[0], rhs.pos[1])
    filled = how.fill_left is not None or how.fill_right is not None
    if filled and not reader.options.fill_modifiers:
        reader.fail(pos, "binop fill modifiers are experimental and not enabled")
    if op in {"and", "or", "unless"} and how.card == "one-to-one":
        how = replace(how, card="many-to-many")
    # Between other types matching means nothing; what must not stand there is kept for the checks to see.
    kept = filled or how.labels or lhs.type == rhs.type == "vector"
    return BinaryExpr(op, lhs, rhs, how if kept else None, return_bool, pos)


def unary(reader: Reader) -> Expr:
    """A sign and what it stands before; the sign of a number is the number's."""
    sign = reader.advance()
    inner = expression(reader, SIGN_POWER)
    pos = (sign.start, inner.pos[1])
    if isinstance(inner, NumberLiteral):
        return replace(inner, value=-inner.value if sign.kind == "-" else inner.value, pos=pos)
    return UnaryExpr(sign.kind, inner, pos)


def paren(reader: Reader) -> ParenExpr:
    """An expression in parentheses."""
    start = reader.advance().start
    inner = expression(reader)
    end = reader.expect(")").end
    return ParenExpr(inner, (start, end))


def string(reader: Reader) -> StringLiteral:
    """A string."""
    token = reader.advance()
    return StringLiteral(text_of(token.text), token.pos)


def word(reader: Reader) -> Expr:
    """A name: a function's before a parenthesis, an aggregation's where one can begin, and else a metric's."""
    after = reader.tokens[reader.place + 1].kind
    if after == "(" and reader.kind in FUNCTION_WORDS:
        return call(reader)
    if reader.kind in AGGREGATIONS and (after == "(" or after in GROUPING):
        return aggregation(reader)
    return selector(reader)


def call(reader: Reader) -> Call:
    """A function and its arguments."""
    name = reader.advance()
    args = arguments(reader)
    signature = SIGNATURES.get(name.text)
    if signature is None:
        reader.fail(name.pos, f'unknown function with name "{name.text}"')
    if signature.experimental and not reader.options.experimental_functions:
        reader.fail(name.pos, f'function "{name.text}" is not enabled')
    return Call(signature, args, (name.start, last_end(reader)))


def arguments(reader: Reader) -> tuple[Expr, ...]:
    """Expressions in parentheses."""
    reader.expect("(")
    args: list[Expr] = []
    while reader.kind != ")":
        args.append(expression(reader))
        if reader.kind != ",":
            break
        comma = reader.advance()
        reader.fail_at_error()
        if reader.kind not in BEGINNINGS:
            reader.fail(comma.pos, "trailing commas not allowed in function call args")
    reader.expect(")")
    return tuple(args)


def aggregation(reader: Reader) -> AggregateExpr:
    """An aggregation; its labels may stand before or behind what it aggregates."""
    op = reader.advance()
    outer, reader.context = reader.context, IN_AGGREGATION
    grouping: tuple[str, ...] = ()
    clause = ""
    if reader.kind in GROUPING:
        clause = reader.advance().kind
        grouping = labels(reader)
    args = arguments(reader)
    if not clause:
        reader.fail_at_error()
        if reader.kind in GROUPING:
            clause = reader.advance().kind
            grouping = labels(reader)
    reader.context = outer
    pos = (op.start, last_end(reader))
    check_aggregation(reader, op.kind, args, pos)
    param = args[0] if len(args) == 2 else None
    return AggregateExpr(op.kind, args[-1], param, grouping, clause == "without", pos)


def check_aggregation(reader: Reader, op: str, args: tuple[Expr, ...], pos: tuple[int, int]) -> None:
    """Refuse a wrong number of arguments, and an aggregation that is not enabled."""
    aggregate = AGGREGATIONS[op]
    if not args:
        reader.fail(pos, "no arguments for aggregate expression provided")
    if aggregate.experimental and not reader.options.experimental_functions:
        flag = "--enable-feature=promql-experimental-functions"
        reader.fail(pos, f"{op}() is experimental and must be enabled with {flag}")
    wanted = 1 if aggregate.param is None else 2
    if len(args) != wanted:
        counts = f"expected {wanted}, got {len(args)}"
        reader.fail(pos, f"wrong number of arguments for aggregate expression provided, {counts}")


def last_end(reader: Reader) -> int:
    """Where the token before the next one ends."""
    return reader.tokens[reader.place - 1].end


BEGINNINGS: dict[str, Callable[[Reader], Expr]] = {
    **dict.fromkeys(METRIC_WORDS, word),
    **dict.fromkeys((NUMBER, DURATION), durations.literal),
    **dict.fromkeys(("+", "-"), unary),
    "{": selector,
    "(": paren,
    STRING: string,
}
