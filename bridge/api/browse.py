"""Which series there are: `/series`, `/labels` and `/label/<name>/values` (source: Prometheus' `web/api/v1/api.go`).

They see what queries see, values that are held included.
"""

from collections.abc import Callable
from functools import partial

from anyio import to_thread

from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.api.parameters import invalid, limit, window
from bridge.api.selectors import selectors
from bridge.buffer import Querier, QueryLimits, Selector
from bridge.config import PromQL
from bridge.errors import BadInput
from bridge.model import unescape_name

__all__ = ["Browse"]

TRUNCATED = ("results truncated due to limit",)


class Browse:
    """What the endpoints do, in threads. `settings` are those in force."""

    def __init__(self, querier: Querier, settings: Callable[[], PromQL]) -> None:
        self._querier = querier
        self._settings = settings

    async def series(self, call: Call) -> Reply:
        """The label sets of the series that any `match[]` selects."""
        if not call.form.get("match[]"):
            raise BadInput("no match[] parameter provided")
        most, (mint, maxt) = limit(call), window(call)
        try:
            wanted = [Selector(matchers, mint, maxt, held=True) for matchers in selectors(call.all("match[]"))]
        except BadInput as error:
            raise invalid("match[]", error) from None
        limits = QueryLimits(series=self._settings().max_series)
        data, is_cut = await to_thread.run_sync(partial(self._querier.listing, wanted, limit=most, limits=limits))
        return Reply(data, TRUNCATED if is_cut else ())

    async def labels(self, call: Call) -> Reply:
        """The names of labels."""
        return await self._list(call, self._querier.label_names)

    async def values(self, call: Call) -> Reply:
        """The values of one label, whose name may be escaped."""
        name = unescape_name(call.path["name"])
        if not name:
            raise BadInput(f'invalid label name: "{name}"')
        return await self._list(call, partial(self._querier.label_values, name))

    async def _list(self, call: Call, read: Callable[..., list[str]]) -> Reply:
        most, (mint, maxt) = limit(call), window(call)
        wanted = selectors(call.all("match[]")) or [()]

        def gather() -> Reply:
            # One more than asked for tells whether there are more.
            bound = most + 1 if most else 0
            found = [read(matchers, mint, maxt, limit=bound) for matchers in wanted]
            names = found[0] if len(found) == 1 else sorted(set().union(*found))
            is_cut = 0 < most < len(names)
            return Reply.of(names[:most] if is_cut else names, warnings=TRUNCATED if is_cut else ())

        return await to_thread.run_sync(gather)
