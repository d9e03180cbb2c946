"""Sets of numbers that come in runs."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

__all__ = ["Ranges"]


class Ranges:
    """A set of integers as disjoint [first, last] runs: its size is the number of gaps, not of members."""

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in runs:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Include all from `first` to `last`."""
        left, right, first, last = self._touching(first, last)
        self._firsts[left:right] = [first]
        self._lasts[left:right] = [last]

    def remove(self, first: int, last: int) -> None:
        """Exclude all from `first` to `last`."""
        before = [(a, min(b, first - 1)) for a, b in self.runs() if a < first]
        after = [(max(a, last + 1), b) for a, b in self.runs() if b > last]
        self._firsts = [a for a, _ in before + after]
        self._lasts = [b for _, b in before + after]

    def _touching(self, first: int, last: int) -> tuple[int, int, int, int]:
        """The slice of runs that [first, last] overlaps or continues, and the run that they become together."""
        left = bisect_right(self._firsts, first)
        if left > 0 and self._lasts[left - 1] >= first - 1:
            left -= 1
            first = self._firsts[left]
        right = bisect_right(self._firsts, last + 1)
        if right > left:
            last = max(last, self._lasts[right - 1])
        return left, right, first, last

    def runs(self) -> list[tuple[int, int]]:
        """The runs, ascending."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def covers(self, first: int, last: int) -> bool:
        """True when all from `first` to `last` are members."""
        index = bisect_right(self._firsts, first) - 1
        return index >= 0 and self._lasts[index] >= last

    def __contains__(self, number: int) -> bool:
        return self.covers(number, number)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.runs():
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.runs())
