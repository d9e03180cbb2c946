r"""Series selectors: `up`, `{job="x"}`, `http_requests_total{code=~"5..",path!=""}`, `{"a.b", "c.d"="e"}`.

The grammar is PromQL's for a bare vector selector, quoted UTF-8 names and the three kinds of string included:

    selector = [ metric ] [ "{" [ item { "," item } [ "," ] ] "}" ]
    item     = string | ( label | string ) ( "=" | "!=" | "=~" | "!~" ) string
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bridge.errors import BadInput

__all__ = ["Matcher", "parse_selector"]

NAME_LABEL = "__name__"

TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<name>   [A-Za-z_:][A-Za-z0-9_:]* )
      | (?P<op>     =~ | !~ | != | = )
      | (?P<string> "(?:[^"\\\n]|\\[^\n])*" | '(?:[^'\\\n]|\\[^\n])*' | `[^`]*` )
      | (?P<brace>  [{},] )
      | (?P<end>    \Z )
    )""",
    re.VERBOSE,
)
ESCAPE = re.compile(
    r"""\\(?: (?P<simple>[abfnrtv\\'"]) | (?P<octal>[0-3][0-7]{2}) | x(?P<hex>[0-9A-Fa-f]{2})
          | u(?P<u4>[0-9A-Fa-f]{4}) | U(?P<u8>[0-9A-Fa-f]{8}) | (?P<bad>.) )""",
    re.VERBOSE | re.DOTALL,
)
SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Matcher(NamedTuple):
    """One condition on a label; `op` is `=`, `!=`, `=~` or `!~`. As a tuple it is what the storage engine takes."""

    name: str
    op: str
    value: str


class Token(NamedTuple):
    """A piece of the text: its kind, the characters, and where they begin (1-based)."""

    kind: str
    text: str
    column: int


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a selector; the metric name is a matcher on `__name__`.

    Raises BadInput that names the column. Regular expressions are not compiled here: the engine does that.
    """
    tokens = tokenize(text)
    token = next(tokens)
    matchers = []
    if token.kind == "name":
        matchers.append(Matcher(NAME_LABEL, "=", token.text))
        token = next(tokens)
    if token.text == "{" and token.kind == "brace":
        matchers += parse_items(tokens)
        token = next(tokens)
    elif not matchers:
        raise unexpected(token, "a metric name or {")
    if token.kind != "end":
        raise unexpected(token, "the end of the selector")
    if sum(matcher.name == NAME_LABEL and matcher.op == "=" for matcher in matchers) > 1:
        raise BadInput("bad selector: the metric name must not be set twice")
    return tuple(matchers)


def tokenize(text: str) -> Iterator[Token]:
    """Cut the text; the last token is always `end`."""
    position = 0
    while True:
        match = TOKEN.match(text, position)
        if match is None:
            raise BadInput(f"bad selector: column {position + 1}: unexpected character or open string")
        kind = match.lastgroup or "end"
        yield Token(kind, match[kind], match.start(kind) + 1)
        position = match.end()


def parse_items(tokens: Iterator[Token]) -> Iterator[Matcher]:
    """What stands between the braces, up to and with the closing one."""
    token = next(tokens)
    while token.text != "}" or token.kind != "brace":
        name, quoted = label_name(token), token.kind == "string"
        token = next(tokens)
        if token.kind == "op":
            op, value = token.text, next(tokens)
            if value.kind != "string":
                raise unexpected(value, "a quoted value")
            yield Matcher(name, op, unquote(value))
            token = next(tokens)
        elif quoted:
            # A string alone is the metric name: {"a.b"}.
            yield Matcher(NAME_LABEL, "=", name)
        else:
            raise unexpected(token, "= or != or =~ or !~")
        if token.kind != "brace" or token.text == "{":
            raise unexpected(token, ", or }")
        if token.text == ",":
            token = next(tokens)


def label_name(token: Token) -> str:
    """The name that begins an item."""
    if token.kind == "string":
        return unquote(token)
    if token.kind != "name" or ":" in token.text:
        raise unexpected(token, "a label name")
    return token.text


def unquote(token: Token) -> str:
    """The characters that a string literal stands for; escapes are Go's, and give valid UTF-8 or an error."""
    raw = bytearray()
    position, body = 0, token.text[1:-1]
    for match in ESCAPE.finditer(body) if token.text[0] != "`" else ():
        raw += as_bytes(body[position : match.start()])
        raw += unescape(match, token)
        position = match.end()
    raw += as_bytes(body[position:])
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadInput(f"bad selector: column {token.column}: the string is not valid UTF-8") from None


def as_bytes(text: str) -> bytes:
    """The bytes behind text from a command line, where what is no UTF-8 arrives as lone surrogates."""
    return text.encode(errors="surrogateescape")


def unescape(match: re.Match[str], token: Token) -> bytes:
    """The bytes of one escape; octal and hexadecimal ones are single bytes, as in Go."""
    kind = match.lastgroup or "bad"
    digits = match[kind]
    if kind == "simple":
        return SIMPLE.get(digits, digits).encode()
    if kind in {"octal", "hex"}:
        return bytes([int(digits, 8 if kind == "octal" else 16)])
    code = int(digits, 16) if kind in {"u4", "u8"} else -1
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise BadInput(f"bad selector: column {token.column}: invalid escape sequence {match[0]}")
    return chr(code).encode()


def unexpected(token: Token, wanted: str) -> BadInput:
    """The error for a token in the wrong place."""
    found = f'"{token.text}"' if token.kind != "end" else "the end"
    return BadInput(f"bad selector: column {token.column}: expected {wanted}, found {found}")
