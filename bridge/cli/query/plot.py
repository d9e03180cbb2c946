"""Series as a plot of braille dots: eight to a character, so a terminal's width is a fair resolution."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from bridge.cli.query.result import Series

__all__ = ["plot"]

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
MOST = len(COLOURS)
HEIGHT = 10  # characters
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille character, by row and column."""

EMPTY = 0x2800
DAY = 86_400


def plot(console: Console, series: Sequence[Series]) -> None:
    """Draw the first series that have numbers; nothing when none has."""
    drawn = [one for one in series[:MOST] if any(math.isfinite(point.value) for point in one.points)]
    if not drawn:
        return
    times = [point.t for one in drawn for point in one.points]
    values = [point.value for one in drawn for point in one.points if math.isfinite(point.value)]
    low, high = min(values), max(values)
    labels = [f"{high:.6g}", f"{low:.6g}"]
    margin = max(map(len, labels))
    canvas = Canvas(max(20, console.width - margin - 3), HEIGHT, (min(times), max(times)), (low, high))
    for colour, one in zip(COLOURS, drawn, strict=False):
        canvas.draw(((point.t, point.value) for point in one.points), colour)
    for row, line in enumerate(canvas.lines()):
        label = labels[0] if row == 0 else labels[1] if row == HEIGHT - 1 else ""
        console.print(Text(f"{label:>{margin}} ┤") + line, no_wrap=True, overflow="crop")
    first, last = (clock(t, max(times) - min(times)) for t in (min(times), max(times)))
    console.print(" " * (margin + 2) + first + last.rjust(canvas.width - len(first)), highlight=False)


def clock(t: float, span: float) -> str:
    """A time in UTC, with its date when a day does not hold all of it."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M" if span > DAY else "%H:%M:%S")


class Canvas:
    """Characters of `width` by `height`, for x and y in these ranges."""

    def __init__(self, width: int, height: int, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.width = width
        self._height = height
        self._x = x
        self._y = y
        self._dots = [[EMPTY] * width for _ in range(height)]
        self._colours = [[""] * width for _ in range(height)]

    def draw(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        """Dots for the points that have a place, and lines between neighbours."""
        before: tuple[int, int] | None = None
        for x, y in points:
            if not math.isfinite(y):
                before = None
                continue
            here = self._place(x, self._x, 2 * self.width), self._place(y, self._y, 4 * self._height)
            self._line(before or here, here, colour)
            before = here

    def lines(self) -> Iterable[Text]:
        """The rows, the highest first."""
        for dots, colours in zip(reversed(self._dots), reversed(self._colours), strict=True):
            line = Text()
            for dot, colour in zip(dots, colours, strict=True):
                line.append(" " if dot == EMPTY else chr(dot), colour or None)
            yield line

    @staticmethod
    def _place(value: float, bounds: tuple[float, float], places: int) -> int:
        low, high = bounds
        if high <= low:
            return places // 2
        share = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves, for the difference of the largest floats is none
        return min(places - 1, max(0, round(share * (places - 1))))

    def _line(self, start: tuple[int, int], end: tuple[int, int], colour: str) -> None:
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            self._dots[y // 4][x // 2] |= DOTS[3 - y % 4][x % 2]
            self._colours[y // 4][x // 2] = colour
