"""Counting with PromQL: remote-write receivers that answer Prometheus' query API."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bridge.forward.reconcile.census import FORM, Ask, SinkSilent, in_groups
from bridge.forward.reconcile.points import Counts, Place

__all__ = ["PromQl", "query_base"]

_WRITE_PATHS = ("/api/v1/write", "/api/v1/push", "/write")
_PROBE = "count_over_time(vector(1)[1s:1s])"
_LABEL = "metric"
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class PromQl:
    """`count_over_time` at the end of each stretch over `/api/v1/query`. Stale markers are not counted."""

    def __init__(self, ask: Ask, labels: Mapping[str, str]) -> None:
        """`labels` are those that only this bridge's series have there, external labels for one."""
        self._ask = ask
        self._labels = labels
        self._closed: bool | None = None

    async def count(self, fields: Mapping[str, Sequence[str]], start: int, stop: int, width: int) -> Counts:
        """See `Census`."""
        if self._closed is None:
            self._closed = await self._ranges_are_closed()
        counts: dict[Place, int] = {}
        for names in in_groups(fields):
            for begin in range(start, stop, width):
                for row in await self._count(names, begin, min(begin + width, stop)):
                    counts[Place(row["metric"][_LABEL], "", begin - begin % width)] = int(float(row["value"][1]))
        return counts

    async def _count(self, names: Sequence[str], start: int, stop: int) -> list[dict[str, Any]]:
        # The range reaches back from the last millisecond to the first one, which counts only where ranges are closed.
        length = stop - 1 - start if self._closed else stop - start
        parts = (_part(name, self._labels, max(length, 1)) for name in names)
        return await self._query(" or ".join(parts), stop - 1)

    async def _ranges_are_closed(self) -> bool:
        """Whether a range includes its first millisecond, as in Prometheus before 3."""
        rows = await self._query(_PROBE, 1_000)
        return bool(rows) and float(rows[0]["value"][1]) > 1

    async def _query(self, expression: str, time: int) -> list[dict[str, Any]]:
        form = {"query": expression, "time": f"{time / 1000:.3f}"}
        body = await self._ask(urlencode(form).encode(), FORM)
        try:
            rows: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        except (ValueError, KeyError, TypeError) as error:
            raise SinkSilent(f"the sink's answer cannot be read: {error!r}") from None
        return rows


def query_base(write_url: str) -> str:
    """Where the query API of the receiver at `write_url` is, by what is usual: the same address without the route."""
    for path in _WRITE_PATHS:
        if write_url.endswith(path):
            return write_url.removesuffix(path)
    return write_url.rstrip("/")


def _part(name: str, labels: Mapping[str, str], length: int) -> str:
    """The samples of one metric. A function of ranges leaves no name on what it gives, so another label tells it."""
    matchers = [f"{_label(key)}={_quoted(value)}" for key, value in {"__name__": name, **labels}.items()]
    counted = f"sum(count_over_time({{{','.join(matchers)}}}[{length}ms]))"
    # The replacement is a text in which `$` begins the number of a group.
    return f'label_replace({counted}, "{_LABEL}", {_quoted(name.replace("$", "$$"))}, "", "")'


def _label(name: str) -> str:
    """Quotes came with Prometheus 3: only names that need them have some."""
    return name if _PLAIN.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A string of PromQL, whose escapes are among JSON's."""
    return json.dumps(text, ensure_ascii=False)
