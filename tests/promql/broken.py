"""Expressions with mistakes: tokens of good ones dropped, exchanged, or put in where they do not belong."""

from __future__ import annotations

import re
from random import Random

__all__ = ["broken"]

TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|(?:[0-9]+(?:ms|[smhdwy]))+|[0-9.]+(?:e-?[0-9]+)?|[A-Za-z_:][\w:]*'
    r"|=~|!~|==|!=|>=|<=|</|>/|\s+|.",
    re.DOTALL,
)
PIECES = (
    *("(", ")", "{", "}", "[", "]", ",", '"', "`", "'", ":", "=", "=~", "!~", ";", "$", "&", "|", "!", "~", "é", "\n"),
    *("by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "@", "anchored", "smoothed"),
    *("fill", "fill_left", "fill_right", "and", "or", "unless", "atan2", "+", "-", "*", "/", "%", "^", "==", "!=", ">"),
    *(
        "</",
        ">/",
        "start()",
        "end()",
        "step()",
        "range()",
        "max_of(1,2)",
        "min_of",
        "foo",
        "sum",
        "topk",
        "rate",
        "info",
    ),
    *("limitk", "limit_ratio", "count_values", "absent_over_time", "label_replace", "time()", "vector(1)", "scalar"),
    *('"x"', "`raw`", "1", "0x1F", "1e5", "5m", "1h30m", "NaN", "Inf", "-1", "1_000", "0b1", "08", "1.", ".5", "1e400"),
    *("0x", "1ms", "1y", "9999999999y", "1m5s3", '"a\\xZZ"', '"\\q"', "# c\n", "[5m]", "[5m:]", "[5m:1m]", "[0]"),
    *("[-5m]", "[5m", "offset -5m", "@ 5", "@ -1", "by (a)", "on (a)", "()", "{}", "{,}", '{a=""}', '{a=~"["}'),
    *('{"a b"}', '{__name__="a"}', '{x="y"}', "__name__", "le"),
)


def broken(random: Random, text: str) -> str:
    """The text after one to three changes, of which it may still be good."""
    tokens = TOKEN.findall(text)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        place = random.randrange(len(tokens) + 1)
        match random.randrange(5):
            case 0:
                del tokens[place : place + 1]
            case 1:
                tokens.insert(place, random.choice(PIECES))
            case 2:
                tokens[place : place + 1] = [random.choice(PIECES)]
            case 3:
                tokens.insert(place, f" {random.choice(PIECES)} ")
            case 4:
                del tokens[place:]
    return "".join(tokens)
