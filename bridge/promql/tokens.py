"""The words of PromQL."""

from typing import NamedTuple

from bridge.promql.quoting import quote
from bridge.promql.signatures import AGGREGATIONS

__all__ = [
    "DURATION",
    "DURATION_WORDS",
    "END",
    "ERROR",
    "IDENTIFIER",
    "KEYWORDS",
    "METRIC",
    "NUMBER",
    "STRING",
    "Token",
    "describe",
]

# The kinds of token that are more than a word or a sign; the kind of any other token is what is written, in lower case.
IDENTIFIER = "identifier"
METRIC = "metric identifier"
NUMBER = "number"
DURATION = "duration"
STRING = "string"
END = "end of input"
ERROR = "error"

SET_WORDS = ("and", "or", "unless", "atan2")
MODIFIER_WORDS = (
    *("offset", "smoothed", "anchored", "by", "without", "on", "ignoring", "group_left", "group_right"),
    *("fill", "fill_left", "fill_right", "bool"),
)
DURATION_WORDS = ("step", "range", "max_of", "min_of")

KEYWORDS: dict[str, str] = {
    **{word: word for word in (*SET_WORDS, *AGGREGATIONS, *MODIFIER_WORDS, "start", "end", *DURATION_WORDS)},
    "inf": NUMBER,
    "nan": NUMBER,
}

OPERATORS = {
    *SET_WORDS,
    *("+", "-", "*", "/", "%", "^", "==", "!=", ">=", ">", "<=", "<", "</", ">/", "=~", "!~", "@"),
}


class Token(NamedTuple):
    """A word of the text; for the kind ERROR `text` is what is wrong, and begins at `start`."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next character stands."""
        return self.start + len(self.text)

    @property
    def pos(self) -> tuple[int, int]:
        """(start, end) in characters."""
        return self.start, self.start + len(self.text)


def describe(token: Token) -> str:
    """The token as errors name it: `<aggr:sum>`, `identifier "x"`, `"}"`."""
    kind, text = token.kind, token.text
    if kind == END:
        return END
    if kind in OPERATORS:
        return f"<op:{text}>"
    if kind in AGGREGATIONS:
        return f"<aggr:{text}>"
    if kind in MODIFIER_WORDS:
        return f"<{text}>"
    if kind in {IDENTIFIER, METRIC}:
        return f"{kind} {quote(text)}"
    long = len(text.encode(errors="surrogateescape")) > 10
    shown = quote(text[:10]) + "..." if long else quote(text)
    return f"{kind} {shown}" if kind in {NUMBER, DURATION, STRING} else shown
