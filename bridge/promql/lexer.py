"""The text of an expression cut into tokens.

There are three ways to read: outside of braces, inside of them, where a keyword is a name like any other, and from a
`[` to the first number after it. The lexer stops at the first thing that is no token, and says so with a token of the
kind ERROR; whether that matters is known only when the parser comes to it.
"""

import re

from bridge.promql.quoting import quote, quote_char
from bridge.promql.scan import scan_number, scan_string
from bridge.promql.tokens import (
    DURATION,
    DURATION_WORDS,
    END,
    ERROR,
    IDENTIFIER,
    KEYWORDS,
    METRIC,
    NUMBER,
    STRING,
    Token,
)

__all__ = ["tokenize"]

STRING_PATTERN = r"""
    (?P<string>  "[^"\\\n\ufffd\ud800-\udfff]*" | '[^'\\\n\ufffd\ud800-\udfff]*' | `[^`\ufffd\ud800-\udfff]*` )
  | (?P<quote>   ["'`] )
"""
# Possessive, here and below, or a long run before something odd would be tried in every division.
SKIP = r"(?: [ \t\r\n]++ | \#[^\r\n]*+ )*+"
OUTSIDE = re.compile(
    rf"""{SKIP}(?:
        (?P<word>      [A-Za-z_:][A-Za-z0-9_:]* )
      | (?P<open>      [(\[{{] )
      | (?P<close>     [)\]] )
      | (?P<number>    (?: [0-9]++ (?: \.[0-9]*+ )?+ | \.[0-9]++ ) (?: [eE][+-]?[0-9]++ )?+ (?![A-Za-z0-9_.]) )
      | (?P<duration>  [0-9]++ (?: ms | [smhdwy] ) (?: [0-9]++ (?: ms | [smhdw] ) )*+ (?![A-Za-z0-9_]) )
      | (?P<digits>    \.?[0-9] )
      | (?P<sign>      [,*%+^@-] | == | !=  | <[=/]? | >[=/]? | / | =(?!~) )
      | {STRING_PATTERN}
      | (?P<end>       \Z )
    )""",
    re.VERBOSE,
)
BRACES = re.compile(
    rf"""{SKIP}(?:
        (?P<word>      [A-Za-z_][A-Za-z0-9_]* )
      | (?P<sign>      =~ | !~ | != | = | , )
      | (?P<close>     \}} )
      | {STRING_PATTERN}
      | (?P<end>       \Z )
    )""",
    re.VERBOSE,
)
BEFORE_DURATION = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<digit>   (?=\.?[0-9]) )
      | (?P<letter>  (?=[srmSRM]) )
      | (?P<sign>    [-+*/%^,(] )
      | (?P<close>   [\])] )
      | (?P<colon>   : )
    )""",
    re.VERBOSE,
)
SPACE = re.compile(SKIP, re.VERBOSE)
LETTERS = re.compile(r"[A-Za-z_]*")
FILL_CALL = re.compile(r"[ \t\r\n]*\(")


class LexError(Exception):
    """What is at `start` is no token."""

    def __init__(self, start: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.message = message


class Lexer:
    """Cuts one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.parens = 0
        self.in_brackets = False
        self.colon_seen = False
        self.duration_seen = False

    def run(self) -> list[Token]:
        """All tokens; the last is END or ERROR."""
        try:
            self.outside()
        except LexError as error:
            self.tokens.append(Token(ERROR, error.message, error.start))
        return self.tokens

    def char(self, position: int) -> str:
        """The character there, or ""."""
        return self.text[position : position + 1]

    def skip(self, position: int) -> int:
        """Where the space and the comments there end."""
        match = SPACE.match(self.text, position)
        return match.end() if match else position

    def outside(self) -> None:
        """What stands outside of braces, up to the end."""
        text, add, match_at = self.text, self.tokens.append, OUTSIDE.match
        position = 0
        while True:
            match = match_at(text, position)
            if match is None:
                raise self.no_token(position)
            kind = match.lastgroup
            start, position = match.span(kind or 0)
            match kind:
                case "word":
                    position = self.word(match["word"], start)
                case "sign":
                    add(Token(match["sign"], match["sign"], start))
                case "number":
                    add(Token(NUMBER, match["number"], start))
                case "duration":
                    add(Token(DURATION, match["duration"], start))
                case "string":
                    add(Token(STRING, match["string"], start))
                case "open":
                    position = self.open(match["open"], start)
                case "close":
                    self.close(match["close"], start)
                case "digits":
                    position = self.number(start)
                case "quote":
                    position = self.string(start)
                case _:
                    self.end(start)
                    return

    def no_token(self, position: int) -> LexError:
        """The error for a character that begins nothing."""
        start = self.skip(position)
        char, after = self.char(start), self.char(start + 1)
        if char in "=!":
            return LexError(start, f"unexpected character after '{char}': {quote_char(after)}")
        return LexError(start, f"unexpected character: {quote_char(char)}")

    def word(self, word: str, start: int) -> int:
        """A keyword or a name; where the next token may begin."""
        if self.in_brackets:
            return self.word_in_brackets(start)
        end = start + len(word)
        kind = KEYWORDS.get(word.lower())
        if kind is None:
            kind = METRIC if ":" in word else IDENTIFIER
        elif kind.startswith("fill") and not FILL_CALL.match(self.text, end):
            # These came late: where no value follows they are names, as they were before.
            kind = IDENTIFIER
        self.tokens.append(Token(kind, word, start))
        return end

    def word_in_brackets(self, start: int) -> int:
        """Behind the first number in brackets: a colon, or one of the words that give durations."""
        char = self.char(start)
        if char == ":":
            if self.colon_seen:
                raise LexError(start, f"unexpected colon {quote_char(char)}")
            self.colon_seen = True
            self.tokens.append(Token(char, char, start))
            return start + 1
        end = self.duration_word(start)
        if end is None:
            raise LexError(start, f"unexpected character: {quote_char(char)}, expected ':'")
        return end

    def duration_word(self, start: int) -> int | None:
        """A word that gives a duration, and where it ends; None when there is none."""
        match = LETTERS.match(self.text, start)
        word = match[0] if match else ""
        if word.lower() not in DURATION_WORDS:
            return None
        self.tokens.append(Token(word.lower(), word, start))
        return start + len(word)

    def open(self, bracket: str, start: int) -> int:
        """An opening bracket, and what needs its own way of reading; where the next token may begin."""
        if bracket == "[" and self.in_brackets:
            raise LexError(start, f"unexpected left bracket {quote_char(bracket)}")
        self.tokens.append(Token(bracket, bracket, start))
        if bracket == "{":
            return self.braces(start + 1)
        if bracket == "[":
            self.in_brackets = True
            self.colon_seen = False
            return self.brackets(start + 1)
        self.parens += 1
        return start + 1

    def close(self, bracket: str, start: int) -> None:
        """A closing bracket, outside of braces."""
        if bracket == ")":
            self.close_paren(start)
        elif not self.in_brackets:
            raise LexError(start, f"unexpected right bracket {quote_char(bracket)}")
        else:
            self.in_brackets = False
            self.tokens.append(Token(bracket, bracket, start))

    def close_paren(self, start: int) -> None:
        """A closing parenthesis."""
        self.parens -= 1
        if self.parens < 0:
            raise LexError(start + 1, "unexpected right parenthesis ')'")
        self.tokens.append(Token(")", ")", start))

    def braces(self, position: int) -> int:
        """What stands inside of braces, and the closing one; where the next token may begin."""
        while match := BRACES.match(self.text, position):
            kind = match.lastgroup or "end"
            start, position = match.span(kind)
            match kind:
                case "word":
                    self.tokens.append(Token(IDENTIFIER, match[kind], start))
                case "string":
                    self.tokens.append(Token(STRING, match[kind], start))
                case "sign":
                    self.tokens.append(Token(match[kind], match[kind], start))
                case "quote":
                    position = self.string(start)
                case "close":
                    self.tokens.append(Token("}", "}", start))
                    return position
                case _:
                    raise LexError(start, "unexpected end of input inside braces")
        start = self.skip(position)
        char = self.char(start)
        if char == "!":
            after = quote_char(self.char(start + 1))
            raise LexError(start, f"unexpected character after '!' inside braces: {after}")
        what = "left brace" if char == "{" else "character inside braces:"
        raise LexError(start, f"unexpected {what} {quote_char(char)}")

    def brackets(self, position: int) -> int:
        """From behind a `[` to the first number, or to the closing bracket; where the next token may begin."""
        while match := BEFORE_DURATION.match(self.text, position):
            kind = match.lastgroup or ""
            start, position = match.span(kind)
            match kind, match[kind]:
                case "digit", _:
                    self.duration_seen = True
                    return start
                case "close", "]":
                    self.close("]", start)
                    return position
                case "close", _:
                    self.close_paren(start)
                case "colon", _:
                    self.colon_before_duration(start)
                case "letter", _:
                    end = self.duration_word(start)
                    if end is None:
                        raise self.not_in_duration(start)
                    position = end
                case _, sign:
                    self.parens += sign == "("
                    self.tokens.append(Token(sign, sign, start))
        raise self.not_in_duration(len(self.text) - len(self.text[position:].lstrip(" \t\r\n")))

    def colon_before_duration(self, start: int) -> None:
        """A colon in brackets where no number precedes it in them."""
        if not self.duration_seen:
            raise LexError(start + 1, "unexpected colon before duration in duration expression")
        if self.colon_seen:
            raise LexError(start + 1, "unexpected repeated colon in duration expression")
        self.colon_seen = True
        self.tokens.append(Token(":", ":", start))

    def not_in_duration(self, start: int) -> LexError:
        """The error for what no duration expression has."""
        char = self.char(start)
        if not char:
            return LexError(start, "unexpected end of input in duration expression")
        return LexError(start, f"unexpected character in duration expression: {quote_char(char)}")

    def number(self, start: int) -> int:
        """A number or a duration in a rare form, or something that only begins as one; where it ends."""
        end, kind = scan_number(self.text, start)
        if kind == ERROR:
            raise LexError(start, f"bad number or duration syntax: {quote(self.text[start:end])}")
        self.tokens.append(Token(kind, self.text[start:end], start))
        return end

    def string(self, start: int) -> int:
        """A string with escapes, or one that is broken; where it ends."""
        end, problem = scan_string(self.text, start)
        if problem:
            raise LexError(start, problem)
        self.tokens.append(Token(STRING, self.text[start:end], start))
        return end

    def end(self, start: int) -> None:
        """The end of the text, where nothing may be open."""
        if self.parens:
            raise LexError(start, "unclosed left parenthesis")
        if self.in_brackets:
            raise LexError(start, "unclosed left bracket")
        self.tokens.append(Token(END, "", start))


def tokenize(text: str) -> list[Token]:
    """All tokens of a text; the last is of the kind END or ERROR."""
    return Lexer(text).run()
