"""Payloads made smaller, in order: as a sink takes them, or by half."""

from collections.abc import Iterator
from typing import TypeVar

from bridge.forward.payload import Payload
from bridge.forward.throttle import Throttle

__all__ = ["fitting", "halves"]

P = TypeVar("P", bound=Payload)


def fitting(payload: P, throttle: Throttle) -> Iterator[P]:
    """Requests as large as the sink takes them by now; each bound is asked for when its piece is taken."""
    start = 0
    while count := payload.fit(start, throttle.batch, throttle.max_bytes):
        yield payload if count == len(payload) else payload.slice(start, start + count)
        start += count


def halves(payload: P) -> list[P]:
    """Both halves."""
    middle = len(payload) // 2
    return [payload.slice(0, middle), payload.slice(middle, len(payload))]
