"""What is wrong with an expression, and where."""

from bridge.errors import BadInput

__all__ = ["ParseError", "locate"]


class ParseError(BadInput):
    """An expression that is no PromQL; as text `line:col: parse error: message`, the words Prometheus uses.

    Attributes:
        message: what is wrong.
        pos: (start, end) in characters of the text.
        line: from 1.
        col: from 1, counted in bytes of UTF-8, as Prometheus counts.
    """

    def __init__(self, text: str, pos: tuple[int, int], message: str) -> None:
        self.message = message
        self.pos = pos
        self.line, self.col = locate(text, pos[0])
        place = f"{self.line}:{self.col}" if text else "unknown position"
        super().__init__(f"{place}: parse error: {message}")


def locate(text: str, start: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character of the text; columns count bytes of UTF-8."""
    line_start = text.rfind("\n", 0, start) + 1
    column = len(text[line_start:start].encode(errors="surrogateescape")) + 1
    return text.count("\n", 0, start) + 1, column
