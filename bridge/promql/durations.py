"""Ranges, steps and offsets: numbers, durations, and arithmetic with them."""

from dataclasses import replace
from typing import TypeAlias

from bridge.promql.ast import DurationExpr, NumberLiteral, Span
from bridge.promql.numbers import parse_number, parse_seconds
from bridge.promql.reader import Reader
from bridge.promql.tokens import DURATION, NUMBER, Token

__all__ = ["Duration", "duration", "literal", "offset", "positive"]

Duration: TypeAlias = NumberLiteral | DurationExpr

LARGEST = 2**63 / 1e9
"""Seconds that Go's time.Duration can hold."""

SIGN_POWER = 2
POWERS = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
NUMBERS = frozenset((NUMBER, DURATION))
OF_QUERY = frozenset(("step", "range"))
OF_TWO = frozenset(("max_of", "min_of"))


def literal(reader: Reader) -> NumberLiteral:
    """Take a number or a duration; a duration's value is in seconds."""
    token = reader.advance()
    is_duration = token.kind == DURATION
    try:
        value = parse_seconds(token.text) if is_duration else parse_number(token.text)
    except ValueError as error:
        text = str(error) if is_duration else f"error parsing number: {error}"
        reader.fail(token.pos, text)
    return NumberLiteral(value, token.pos, is_duration)


def positive(reader: Reader) -> Duration:
    """A range or a step, which is more than nothing as far as can be told already."""
    found = duration(reader)
    if isinstance(found, NumberLiteral) and not found.value > 0:
        reader.fail(found.pos, "duration must be greater than 0")
    return found


def offset(reader: Reader) -> Duration:
    """What follows `offset`. Only arithmetic that begins with a parenthesis, or with two signs, goes on behind it:
    `x offset 5m * 2` is twice x.
    """
    if reader.kind in {"+", "-"}:
        sign = reader.advance()
        if reader.kind in NUMBERS:
            return signed(reader, sign, literal(reader))
        if reader.kind == "(":
            reader.advance()
            inside = duration(reader)
            reader.expect(")")
            return signed(reader, sign, wrap(inside))
        if reader.kind in OF_QUERY or reader.kind in OF_TWO:
            inner = function(reader)
            found = DurationExpr(sign.text, None, inner, (sign.start, inner.pos[1]))
            require(reader, found.pos)
            return found
        return operations(reader, signed(reader, sign, duration(reader, SIGN_POWER)), 0)
    if reader.kind == "(":
        return duration(reader)
    return operand(reader)


def duration(reader: Reader, floor: int = 0) -> Duration:
    """Arithmetic whose operators bind more than `floor`."""
    reader.enter()
    found = operations(reader, operand(reader), floor)
    reader.depth -= 1
    return found


def operations(reader: Reader, left: Duration, floor: int) -> Duration:
    """What operators make of the first operand."""
    while (power := POWERS.get(reader.kind, 0)) > floor:
        operator = reader.advance()
        right = duration(reader, power - (operator.kind == "^"))
        require(reader, left.pos)
        if operator.kind in {"/", "%"} and isinstance(right, NumberLiteral) and right.value == 0:
            what = "division" if operator.kind == "/" else "modulo"
            reader.fail(operator.pos, f"{what} by zero")
        left = DurationExpr(operator.kind, left, right, (left.pos[0], right.pos[1]))
    reader.fail_at_error()
    return left


def operand(reader: Reader) -> Duration:
    """A number, one of the functions, what stands in parentheses, or any of it with a sign."""
    kind = reader.kind
    if kind in NUMBERS:
        found = literal(reader)
        check_size(reader, found.value, found.pos)
        return found
    if kind in {"+", "-"}:
        sign = reader.advance()
        return signed(reader, sign, duration(reader, SIGN_POWER))
    if kind == "(":
        reader.advance()
        inside = duration(reader)
        reader.expect(")")
        require(reader, inside.pos)
        return wrap(inside)
    if kind in OF_QUERY or kind in OF_TWO:
        called = function(reader)
        # Prometheus tells the place of what is in the parentheses, if anything is.
        first, last = called.lhs or called, called.rhs or called
        require(reader, (first.pos[0], last.pos[1]))
        return called
    return reader.unexpected(*reader.context)


def function(reader: Reader) -> DurationExpr:
    """`step()`, `range()`, `min_of(a, b)` or `max_of(a, b)`."""
    name = reader.advance()
    lhs = rhs = None
    reader.expect("(")
    if name.kind in OF_TWO:
        lhs = duration(reader)
        reader.expect(",")
        rhs = duration(reader)
    end = reader.expect(")").end
    return DurationExpr(name.kind, lhs, rhs, (name.start, end))


def signed(reader: Reader, sign: Token, found: Duration) -> Duration:
    """What a sign makes of an operand."""
    if isinstance(found, DurationExpr):
        return DurationExpr("-", None, found, (sign.start, found.pos[1])) if sign.kind == "-" else found
    value = -found.value if sign.kind == "-" else found.value
    check_size(reader, value, sign.pos)
    return replace(found, value=value, pos=(sign.start, found.pos[1]))


def wrap(found: Duration) -> Duration:
    """The operand, marked as standing in parentheses unless it is a mere number."""
    return replace(found, wrapped=True) if isinstance(found, DurationExpr) else found


def check_size(reader: Reader, seconds: float, pos: Span) -> None:
    """Refuse more seconds than fit."""
    if not -LARGEST <= seconds <= LARGEST:
        reader.fail(pos, "duration out of range")


def require(reader: Reader, pos: Span) -> None:
    """Refuse arithmetic where only plain durations are allowed."""
    if not reader.options.duration_expressions:
        reader.fail(pos, "experimental duration expression is not enabled")
