"""How a sink is asked what it has."""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple, Protocol, runtime_checkable

import aiohttp

from bridge.errors import BridgeError
from bridge.forward.reconcile.points import Counts

__all__ = ["FORM", "Ask", "Census", "Points", "Post", "Register", "SinkSilent", "asking", "in_groups", "moment"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

_MOST_WORDS = 500
_NAMES_AT_ONCE = 100


Post = Callable[[bytes, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Sends a body with these headers: status and body of the answer. Raises what aiohttp raises."""

Ask = Callable[[bytes, Mapping[str, str]], Awaitable[bytes]]
"""The body of a 200 to such a request. Raises SinkSilent, with the sink's words, for anything else."""


class SinkSilent(BridgeError):
    """The sink cannot be asked: no answer, or one that says no."""


class Points(NamedTuple):
    """Points of one series that a sink has, in any order.

    Attributes:
        measurement: what the sink calls it.
        tags: names and values, those that the series has.
        field: of the points.
        times: ms.
        values: as many; NaN for what is no number.
    """

    measurement: str
    tags: list[tuple[str, str]]
    field: str
    times: list[int]
    values: list[float]

    def add(self, time: int, value: object) -> None:
        """One point more."""
        self.times.append(time)
        self.values.append(float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan)


class Census(Protocol):
    """Counts points at one sink. Belongs to one event loop."""

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """Points of these fields by measurement in [start, stop) ms, by stretches of `width` ms that begin at multiples
        of it. Others may be among the answer. Raises SinkSilent."""


def asking(post: Post, url: str) -> Ask:
    """Questions that `post` takes to `url`."""

    async def ask(data: bytes, headers: Mapping[str, str]) -> bytes:
        try:
            status, body = await post(data, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SinkSilent(f"{url} does not answer: {str(error) or type(error).__name__}") from None
        if status != 200:
            words = body[:_MOST_WORDS].decode(errors="replace").strip()
            raise SinkSilent(f"{url} answers {status}: {words or HTTPStatus(status).phrase}")
        return body

    return ask


def in_groups(names: Iterable[str]) -> Iterator[list[str]]:
    """Names in groups small enough for one statement."""
    ordered = sorted(names)
    for start in range(0, len(ordered), _NAMES_AT_ONCE):
        yield ordered[start : start + _NAMES_AT_ONCE]


def moment(ms: int) -> str:
    """A time as Flux and SQL read it."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@runtime_checkable
class Register(Census, Protocol):
    """Tells the points at one sink too. What is asked for should be little: all of it is in memory."""

    async def points(self, fields: Mapping[str, Sequence[str]], start: int, stop: int) -> Sequence[Points]:
        """Those of these fields by measurement in [start, stop) ms. Raises SinkSilent."""
