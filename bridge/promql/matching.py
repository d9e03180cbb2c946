"""What may stand between a binary operator and its right side: `on`, `ignoring`, `group_left`, `fill` and the like."""

from collections.abc import Container

from bridge.promql import durations
from bridge.promql.ast import Card, VectorMatching
from bridge.promql.reader import Reader
from bridge.promql.selectors import labels

__all__ = ["matching"]

DEFAULT = VectorMatching()
CARDS: dict[str, Card] = {"group_left": "many-to-one", "group_right": "one-to-many"}
FILL_SIDES = {"fill_left": "fill_right", "fill_right": "fill_left"}


def matching(reader: Reader, beginnings: Container[str]) -> VectorMatching:
    """How the two sides are matched; `beginnings` are the kinds of token that the right side may begin with."""
    names: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    card: Card = "one-to-one"
    on = reader.kind == "on"
    if on or reader.kind == "ignoring":
        reader.advance()
        names = labels(reader)
        if reader.kind in CARDS:
            card = CARDS[reader.advance().kind]
            if reader.kind == "(" or reader.kind not in beginnings:
                include = labels(reader)
    elif reader.kind not in {"fill", "fill_left", "fill_right"}:
        return DEFAULT
    fills = fill_values(reader)
    return VectorMatching(card, names, on, include, fills.get("fill_left"), fills.get("fill_right"))


def fill_values(reader: Reader) -> dict[str, float]:
    """The values for series that a side lacks: one for both sides, or one for each side that has one."""
    if reader.kind == "fill":
        reader.advance()
        return dict.fromkeys(FILL_SIDES, fill_value(reader))
    values: dict[str, float] = {}
    if reader.kind in FILL_SIDES:
        side = reader.advance().kind
        values[side] = fill_value(reader)
        other = FILL_SIDES[side]
        if reader.kind == other:
            reader.advance()
            values[other] = fill_value(reader)
    return values


def fill_value(reader: Reader) -> float:
    """A number in parentheses."""
    reader.expect("(")
    sign = reader.advance().kind if reader.kind in {"+", "-"} else "+"
    if reader.kind not in durations.NUMBERS:
        reader.unexpected(*reader.context)
    value = durations.literal(reader).value
    reader.expect(")")
    return -value if sign == "-" else value
