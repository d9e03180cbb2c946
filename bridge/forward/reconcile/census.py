"""How a sink is asked what it has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import aiohttp

from bridge.errors import BridgeError
from bridge.forward.reconcile.points import Counts

__all__ = ["Census", "SinkSilent", "ask", "in_groups"]

_MOST_WORDS = 500
_NAMES_AT_ONCE = 100


class SinkSilent(BridgeError):
    """The sink cannot be asked: no answer, or one that says no."""


class Census(Protocol):
    """Counts points at one sink. Belongs to one event loop."""

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """Points of these fields by measurement in [start, stop) ms, by stretches of `width` ms that begin at multiples
        of it. Others may be among the answer. Raises SinkSilent."""


async def ask(
    session: aiohttp.ClientSession,
    url: str,
    data: bytes | Mapping[str, str],
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The body of a 200 to a POST; a mapping is sent as a form. Raises SinkSilent with the sink's words for anything
    else."""
    try:
        async with session.post(url, data=data, params=params, headers=headers, allow_redirects=False) as response:
            body = await response.read()
            if response.status != 200:
                words = body[:_MOST_WORDS].decode(errors="replace").strip()
                raise SinkSilent(f"{url} answers {response.status}: {words or response.reason}")
            return body
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SinkSilent(f"{url} does not answer: {str(error) or type(error).__name__}") from None


def in_groups(names: Iterable[str]) -> Iterator[list[str]]:
    """Names in groups small enough for one statement."""
    ordered = sorted(names)
    for start in range(0, len(ordered), _NAMES_AT_ONCE):
        yield ordered[start : start + _NAMES_AT_ONCE]
