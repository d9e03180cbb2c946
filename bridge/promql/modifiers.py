"""What may follow a selector or a subquery: a range, `offset`, `@`, `anchored` and `smoothed`.

They are read behind any expression, for that is where the mistake of putting them there is best explained.
"""

import math
from dataclasses import replace
from typing import TypeAlias

from bridge.promql import durations
from bridge.promql.ast import (
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Span,
    StartOrEnd,
    SubqueryExpr,
    VectorSelector,
)
from bridge.promql.numbers import fixed, to_milliseconds
from bridge.promql.reader import Reader

__all__ = ["MODIFIERS", "modify"]

Movable: TypeAlias = VectorSelector | MatrixSelector | SubqueryExpr

MODIFIERS = frozenset(("[", "offset", "@", "anchored", "smoothed"))

ENDS: dict[str, StartOrEnd] = {"start": "start", "end": "end"}

A_DURATION = "number, duration, step(), or range()"
AFTER_BRACKET = ("subquery or range selector", A_DURATION)
AFTER_RANGE = ("subquery or range", '":" or "]"')
AFTER_COLON = ("subquery selector", 'number, duration, step(), range(), or "]"')
AFTER_STEP = ("subquery selector", '"]"')
AFTER_OFFSET = ("offset", A_DURATION)
AFTER_AT = ("@", "timestamp")


def modify(reader: Reader, expr: Expr) -> Expr:
    """The expression with the modifier that is next."""
    outer = reader.context
    match reader.kind:
        case "[":
            modified = bracketed(reader, expr)
        case "offset":
            modified = with_offset(reader, expr)
        case "@":
            modified = with_timestamp(reader, expr)
        case _:
            modified = extended(reader, expr)
    reader.context = outer
    return modified


def bracketed(reader: Reader, expr: Expr) -> Expr:
    """A range selector, or with a colon a subquery."""
    start = reader.advance().start
    reader.context = AFTER_BRACKET
    length, length_expr = split(durations.positive(reader))
    reader.context = AFTER_RANGE
    if reader.kind == ":":
        reader.advance()
        return subquery(reader, expr, length, length_expr)
    end = reader.expect("]").end
    if not isinstance(expr, VectorSelector):
        reader.fail((start, end), "ranges only allowed for vector selectors")
    if expr.offset or expr.offset_expr is not None:
        reader.fail((start, end), "no offset modifiers allowed before range")
    if expr.timestamp is not None or expr.start_or_end is not None:
        reader.fail((start, end), "no @ modifiers allowed before range")
    return MatrixSelector(expr, length, (expr.pos[0], end), length_expr)


def subquery(reader: Reader, expr: Expr, length: int, length_expr: DurationExpr | None) -> SubqueryExpr:
    """What follows the colon: a step, or none."""
    step, step_expr = 0, None
    reader.context = AFTER_COLON
    if reader.kind != "]":
        step, step_expr = split(durations.positive(reader))
        reader.context = AFTER_STEP
    end = reader.expect("]").end
    return SubqueryExpr(expr, length, step, (expr.pos[0], end), length_expr, step_expr)


def with_offset(reader: Reader, expr: Expr) -> Expr:
    """The selector or subquery, moved in time."""
    reader.advance()
    reader.context = AFTER_OFFSET
    value, value_expr = split(durations.offset(reader))
    if not isinstance(expr, Movable):
        kinds = "an instant vector selector or range vector selector or a subquery"
        reader.fail(expr.pos, f"offset modifier must be preceded by {kinds}")
    moved = target(expr)
    if moved.offset or moved.offset_expr is not None:
        reader.fail(expr.pos, "offset may not be set multiple times")
    return put(expr, replace(moved, offset=value, offset_expr=value_expr), last_end(reader))


def with_timestamp(reader: Reader, expr: Expr) -> Expr:
    """The selector or subquery, pinned to an instant or to an end of the query."""
    reader.advance()
    reader.context = AFTER_AT
    timestamp = None
    start_or_end = ENDS.get(reader.kind)
    if start_or_end is not None:
        reader.advance()
        reader.expect("(")
        reader.expect(")")
    else:
        timestamp = instant(reader, expr.pos)
    if not isinstance(expr, Movable):
        kinds = "an instant vector selector or range vector selector or a subquery"
        reader.fail(expr.pos, f"@ modifier must be preceded by {kinds}")
    pinned = target(expr)
    if pinned.timestamp is not None or pinned.start_or_end is not None:
        reader.fail(expr.pos, "@ <timestamp> may not be set multiple times")
    return put(expr, replace(pinned, timestamp=timestamp, start_or_end=start_or_end), last_end(reader))


def instant(reader: Reader, pos: Span) -> int:
    """Seconds since 1970, in milliseconds; `pos` is of what they pin."""
    sign = reader.advance().kind if reader.kind in {"+", "-"} else "+"
    if reader.kind not in durations.NUMBERS:
        reader.unexpected(*reader.context)
    seconds = durations.literal(reader).value
    if sign == "-":
        seconds = -seconds
    if not -(2**63) < seconds < 2**63:
        reader.fail(pos, f"timestamp out of bounds for @ modifier: {fixed(seconds)}")
    milliseconds = seconds * 1000
    return math.floor(abs(milliseconds) + 0.5) * (1 if seconds >= 0 else -1)


def extended(reader: Reader, expr: Expr) -> Expr:
    """The selector, looking beyond the edges of its range."""
    modifier = reader.advance().kind
    anchored = modifier == "anchored"
    if not reader.options.extended_range_selectors:
        reader.fail(expr.pos, f"{modifier} modifier is experimental and not enabled")
    if isinstance(expr, SubqueryExpr):
        reader.fail(expr.pos, f"{modifier} modifier is not supported for subqueries")
    if not isinstance(expr, VectorSelector | MatrixSelector):
        reader.fail(expr.pos, f"{modifier} modifier not implemented")
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if selector.smoothed if anchored else selector.anchored:
        reader.fail(expr.pos, "anchored and smoothed modifiers cannot be used together")
    changed = replace(selector, anchored=True) if anchored else replace(selector, smoothed=True)
    return replace(expr, selector=changed) if isinstance(expr, MatrixSelector) else changed


def split(found: durations.Duration) -> tuple[int, DurationExpr | None]:
    """A duration as nodes keep it: milliseconds, or 0 and what gives it."""
    if isinstance(found, NumberLiteral):
        return to_milliseconds(found.value), None
    return 0, found


def target(expr: Movable) -> VectorSelector | SubqueryExpr:
    """What carries the offset and the timestamp."""
    return expr.selector if isinstance(expr, MatrixSelector) else expr


def put(expr: Movable, changed: VectorSelector | SubqueryExpr, end: int) -> Expr:
    """The expression with its changed carrier, ending later."""
    pos = (expr.pos[0], end)
    if isinstance(expr, MatrixSelector) and isinstance(changed, VectorSelector):
        return replace(expr, selector=changed, pos=pos)
    return replace(changed, pos=pos)


def last_end(reader: Reader) -> int:
    """Where the token before the next one ends."""
    return reader.tokens[reader.place - 1].end
