"""Places in the log."""

from typing import NamedTuple

__all__ = ["Position"]


class Position(NamedTuple):
    """A place between two batches: segment number and byte offset in it. Positions compare in log order.

    The end of one segment and the start of the next are the same place under two names, and compare as such only by
    reading on: `Store.read` moves from the one to the other.
    """

    segment: int
    offset: int

    def __str__(self) -> str:
        return f"{self.segment:08d}:{self.offset}"
