"""`name{label="value"}`, and the lists of labels behind `by`, `on` and their like."""

from bridge.model import Matcher
from bridge.promql.ast import VectorSelector
from bridge.promql.patterns import matches_empty
from bridge.promql.quoting import quote, unquote
from bridge.promql.reader import Reader
from bridge.promql.signatures import AGGREGATIONS
from bridge.promql.tokens import IDENTIFIER, METRIC, STRING

__all__ = ["METRIC_WORDS", "labels", "selector"]

NAME_LABEL = "__name__"
OPERATORS = frozenset(("=", "!=", "=~", "!~"))

# Words with a meaning of their own that may all the same name a metric, or a label in a list.
SHARED_WORDS = frozenset(
    (
        *(IDENTIFIER, METRIC, *AGGREGATIONS, "and", "or", "unless", "by", "offset", "anchored", "smoothed"),
        *("fill", "fill_left", "fill_right", "start", "end", "step", "range", "max_of", "min_of"),
    )
)
METRIC_WORDS = SHARED_WORDS | {"without"}
LABEL_WORDS = SHARED_WORDS | {"atan2", "bool", "group_left", "group_right", "ignoring", "on"}

IN_MATCHING = "label matching"
IN_GROUPING = "grouping opts"


def selector(reader: Reader) -> VectorSelector:
    """A metric's name, its matchers in braces, or both."""
    start = reader.token.start
    name, end = "", start
    matchers: list[Matcher] = []
    if reader.kind in METRIC_WORDS:
        token = reader.advance()
        name, end = token.text, token.end
        reader.fail_at_error()
    if reader.kind == "{":
        reader.advance()
        matchers, end = braces(reader)
    elif not name:
        reader.unexpected(*reader.context)
    if name:
        matchers.append(Matcher(NAME_LABEL, "=", name))
    return VectorSelector(name, tuple(matchers), (start, end))


def braces(reader: Reader) -> tuple[list[Matcher], int]:
    """The matchers up to the closing brace, and where it ends; the opening one is read."""
    matchers: list[Matcher] = []
    while reader.kind != "}":
        matchers.append(matcher(reader))
        if reader.kind == ",":
            reader.advance()
        elif reader.kind != "}":
            reader.unexpected(IN_MATCHING, '"," or "}"')
    return matchers, reader.advance().end


def matcher(reader: Reader) -> Matcher:
    """`label="value"`, or the metric's name in quotes."""
    if reader.kind not in {IDENTIFIER, STRING}:
        reader.unexpected(IN_MATCHING, 'identifier or "}"')
    label = reader.advance()
    quoted = label.kind == STRING
    name = text_of(label.text) if quoted else label.text
    reader.fail_at_error()
    if reader.kind not in OPERATORS:
        if quoted:
            return Matcher(NAME_LABEL, "=", name)
        reader.unexpected(IN_MATCHING, "label matching operator")
    operator = reader.advance().kind
    if reader.kind != STRING:
        reader.unexpected(IN_MATCHING, "string")
    value = reader.advance()
    found = Matcher(name, operator, text_of(value.text))
    try:
        matches_empty(found)
    except ValueError as error:
        reader.fail((label.start, value.end), str(error))
    return found


def text_of(literal: str) -> str:
    """The characters that a string stands for; bytes that are no UTF-8, as no label's value has, become U+FFFD."""
    return unquote(literal).decode(errors="replace")


def labels(reader: Reader) -> tuple[str, ...]:
    """Names of labels in parentheses."""
    if reader.kind != "(":
        reader.unexpected(IN_GROUPING, '"("')
    reader.advance()
    names: list[str] = []
    while reader.kind != ")":
        names.append(label(reader))
        if reader.kind == ",":
            reader.advance()
        elif reader.kind != ")":
            reader.unexpected(IN_GROUPING, '"," or ")"')
    reader.advance()
    return tuple(names)


def label(reader: Reader) -> str:
    """The name of a label: a word, keyword or not, or a string."""
    if reader.kind in LABEL_WORDS:
        return reader.advance().text
    if reader.kind != STRING:
        reader.unexpected(IN_GROUPING, "label")
    token = reader.advance()
    raw = unquote(token.text)
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = ""
    if not name:
        shown = quote(raw.decode(errors="surrogateescape"))
        reader.fail(token.pos, f"invalid label name for grouping: {shown}")
    return name
