"""The tokens of one text, read from left to right with one token of foresight."""

from typing import NoReturn

from bridge.promql.ast import Span
from bridge.promql.depth import MAX_DEPTH, too_deep
from bridge.promql.errors import ParseError
from bridge.promql.lexer import tokenize
from bridge.promql.options import ParserOptions
from bridge.promql.tokens import ERROR, Token, describe

__all__ = ["Reader"]


class Reader:
    """Where the parser is in the text, and what it is in the middle of.

    Attributes:
        kind: of the next token.
        context: what an unexpected token is said to be in, and what was expected there.
    """

    __slots__ = ("context", "depth", "kind", "options", "place", "text", "tokens")

    def __init__(self, text: str, options: ParserOptions) -> None:
        self.text = text
        self.options = options
        self.tokens = tokenize(text)
        self.place = 0
        self.kind = self.tokens[0].kind
        self.context = ("", "")
        self.depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.place]

    def advance(self) -> Token:
        """Take the next token; END and ERROR are never taken."""
        place = self.place
        self.place = place + 1
        self.kind = self.tokens[place + 1].kind
        return self.tokens[place]

    def expect(self, kind: str) -> Token:
        """Take the next token, which must be of this kind."""
        if self.kind != kind:
            self.unexpected(*self.context)
        return self.advance()

    def unexpected(self, context: str = "", expected: str = "") -> NoReturn:
        """Refuse the next token."""
        self.fail_at_error()
        message = f"unexpected {describe(self.token)}"
        if context:
            message += f" in {context}"
        if expected:
            message += f", expected {expected}"
        self.fail(self.token.pos, message)

    def fail_at_error(self) -> None:
        """Refuse the text if its next token is none. Called wherever the next token decides what comes."""
        if self.kind == ERROR:
            self.fail((self.token.start, len(self.text)), self.token.text)

    def fail(self, pos: Span, message: str) -> NoReturn:
        """Refuse the text."""
        raise ParseError(self.text, pos, message)

    def enter(self) -> None:
        """One level deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            too_deep(self.text, self.token.pos)
