"""Numbers, durations and strings in their rarer forms, read character by character as Prometheus' lexer does."""

import re

from bridge.promql.tokens import DURATION, ERROR, NUMBER

__all__ = ["scan_number", "scan_string"]

HEXADECIMAL = "0123456789abcdefABCDEF"
DECIMAL_RUN = re.compile(r"[0-9]*")
HEXADECIMAL_RUN = re.compile(r"[0-9A-Fa-f]*")
NUMBER_START = re.compile(r"(?P<hex>0[xX]_?(?:\.?[0-9A-Fa-f]?))|0?\.?[0-9]?")
ALPHANUMERIC = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
REST_OF_DURATION = re.compile(r"[smhdwy]s?(?:[0-9]++[smhdw]s?)*+(?P<broken>[0-9]++)?")

PLAIN = re.compile(r"[^\\\n\"'`\ufffd\ud800-\udfff]+")
SINGLE_ESCAPES = frozenset("abfnrtv\\")
# After the backslash: how many digits, of which base, and the largest code that they may give.
ESCAPE_DIGITS = {
    **dict.fromkeys("01234567", (3, 8, 0xFF)),
    "x": (2, 16, 0xFF),
    "u": (4, 16, 0x10FFFF),
    "U": (8, 16, 0x10FFFF),
}
INVALID_CODE = "escape sequence is an invalid Unicode code point"


def scan_number(text: str, start: int) -> tuple[int, str]:
    """Where a number or duration ends, and which it is; ERROR and where it goes wrong when it is neither.

    That it can be read as a number is not yet said: `0x` or `.5.5` come through.
    """
    end, valid = scan_digits(text, start)
    if valid and text[end : end + 1] not in ALPHANUMERIC:
        return end, NUMBER
    match = REST_OF_DURATION.match(text, end)
    if match is None:
        return end, ERROR
    end = match.end()
    if match["broken"]:
        return end, ERROR
    if text[end : end + 1] in ALPHANUMERIC:
        return end + 1, ERROR
    return end, DURATION


def scan_digits(text: str, start: int) -> tuple[int, bool]:
    """The digits, dots, exponents and underscores there: where they end, and whether they stand in a good order."""
    match = NUMBER_START.match(text, start)
    position = match.end() if match else start
    hexadecimal = match is not None and match["hex"] is not None
    run = HEXADECIMAL_RUN if hexadecimal else DECIMAL_RUN
    dot = exponent = False
    while char := text[position : position + 1]:
        follower = text[position + 1 : position + 2]
        if char == ".":
            if dot or hexadecimal or follower in ("_", "."):
                return position + 1 + (not dot and follower in ("_", ".")), False
            dot = True
            position += 1
        elif char in "eE":
            position += 1
            if exponent:
                return position, False
            exponent = True
            position += text[position : position + 1] in ("+", "-")
            after = text[position : position + 1]
            if not after or after in "._eE":
                return position + len(after), False
        elif char == "_":
            if not follower or follower in "._eE":
                return position + 1 + len(follower), False
            position += 1
        elif (digits := run.match(text, position)) and digits[0]:
            position = digits.end()
        else:
            break
    return position, True


def scan_string(text: str, start: int) -> tuple[int, str]:
    """Where the string there ends, and "" or what is wrong with it."""
    mark = text[start]
    position = start + 1
    while True:
        if match := PLAIN.match(text, position):
            position = match.end()
        char = text[position : position + 1]
        if char == mark:
            return position + 1, ""
        if not char:
            return position, "unterminated raw string" if mark == "`" else "unterminated quoted string"
        if char == "\ufffd" or "\ud800" <= char <= "\udfff":
            return position, "invalid UTF-8 rune"
        if mark != "`" and char == "\n":
            return position, "unterminated quoted string"
        position += 1
        if mark != "`" and char == "\\":
            position, problem = scan_escape(text, position, mark)
            if problem:
                return position, problem


def scan_escape(text: str, position: int, mark: str) -> tuple[int, str]:
    """Where the escape behind a backslash ends, and "" or what is wrong with it."""
    char = text[position : position + 1]
    if not char:
        return position, "escape sequence not terminated"
    if char == mark or char in SINGLE_ESCAPES:
        return position + 1, ""
    if char not in ESCAPE_DIGITS:
        return position, f"unknown escape sequence {code_point(char)}"
    return scan_code(text, position, *ESCAPE_DIGITS[char])


def scan_code(text: str, position: int, count: int, base: int, largest: int) -> tuple[int, str]:
    """As `scan_escape`, for an escape of `count` digits that gives a code."""
    position += base == 16
    digits = text[position : position + count]
    for digit in digits:
        if digit not in HEXADECIMAL[: base if base == 8 else None]:
            return position, f"illegal character {code_point(digit)} in escape sequence"
    if len(digits) < count:
        return position, "escape sequence not terminated"
    code = int(digits, base)
    if code > largest or 0xD800 <= code < 0xE000:
        return position, INVALID_CODE
    return position + count, ""


def code_point(char: str) -> str:
    """The character as Go's `%#U` prints it."""
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        code, char = 0xFFFD, "\ufffd"
    return f"U+{code:04X} '{char}'" if char.isprintable() else f"U+{code:04X}"
