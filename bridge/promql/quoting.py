r"""Strings as Go writes and reads them: `\xff`, `\u00e4`, `\101`, and back."""

import re

__all__ = ["quote", "quote_char", "unquote"]

ESCAPE = re.compile(r"""\\(?:([abfnrtv\\'"])|([0-7]{3})|x([0-9A-Fa-f]{2})|[uU]((?<=u)[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}))""")
SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
WRITTEN = {chr(code): f"\\{letter}" for letter, code in SIMPLE.items()} | {"\\": "\\\\"}


def unquote(literal: str) -> bytes:
    """The bytes that a string literal, quotes included, stands for; the lexer has found its escapes valid.

    Octal and hexadecimal escapes are single bytes, so this need not be UTF-8.
    """
    body = literal[1:-1]
    if literal[0] == "`" or "\\" not in body:
        return body.encode()
    raw = bytearray()
    position = 0
    for match in ESCAPE.finditer(body):
        raw += body[position : match.start()].encode()
        simple, octal, byte, code = match.groups()
        if simple:
            raw.append(SIMPLE.get(simple) or ord(simple))
        elif code:
            raw += chr(int(code, 16)).encode()
        else:
            raw.append(int(octal, 8) if octal else int(byte, 16))
        position = match.end()
    raw += body[position:].encode()
    return bytes(raw)


def quote(text: str, mark: str = '"') -> str:
    """The text between marks, with what is not printable escaped."""
    if text.isascii() and text.isprintable() and mark not in text and "\\" not in text:
        return f"{mark}{text}{mark}"
    return f"{mark}{''.join(written(char, mark) for char in text)}{mark}"


def quote_char(char: str) -> str:
    """One character between apostrophes; "" is the end of the text, which Go prints as an invalid one."""
    return quote(char if char and not is_surrogate(char) else "\ufffd", "'") if char else "'�'"


def written(char: str, mark: str) -> str:
    """One character as it stands between marks."""
    if char == mark:
        return f"\\{mark}"
    if char in WRITTEN:
        return WRITTEN[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    if is_surrogate(char):
        # A byte that is no UTF-8, in the form in which Python carries it.
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_surrogate(char: str) -> bool:
    """True for half of a character, which no UTF-8 has."""
    return 0xD800 <= ord(char) < 0xE000
