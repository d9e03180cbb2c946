"""`/federate`: the newest sample of each series that is asked for, as an exposition (source: Prometheus'
`web/federate.go`).

It shows what a query at this moment would: series that have ended are left out, and values that are held come with the
time of the last tick. So a Prometheus that federates has them for as long as they stand here.
"""

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.types import Receive, Scope, Send

from bridge.buffer import Querier, QueryLimits, Selector
from bridge.clock import Clock
from bridge.config import Settings
from bridge.edge import header, negotiate, send_pieces, send_text
from bridge.errors import BadInput
from bridge.promql import parse_selector

__all__ = ["Federate"]

AT_A_TIME = 4
"""Each has the newest sample of all its series in memory, some 200 bytes a series."""


class Federate:
    """ASGI endpoint. `settings` are those in force."""

    def __init__(self, querier: Querier, settings: Callable[[], Settings], clock: Clock) -> None:
        self._querier = querier
        self._settings = settings
        self._clock = clock
        self._limiter = CapacityLimiter(AT_A_TIME)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET with `match[]`, repeatable; nothing is asked for without one. Raises BadInput,
        QueryTooLarge, Unreadable."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, OPTIONS")])
            return
        settings, now = self._settings(), self._clock.now_ms()
        oldest = now - settings.promql.lookback_delta
        selectors = [Selector(parse_selector(text).matchers, oldest, now, held=True) for text in _matches(scope)]
        external = external_labels(settings.global_.external_labels)
        exposition = negotiate((header(scope, b"accept") or b"").decode("latin-1"), openmetrics=False)
        read = partial(
            self._querier.federate,
            selectors,
            external,
            form=exposition.format,
            escaping=exposition.escaping,
            limits=QueryLimits(series=settings.promql.max_series),
        )
        pieces = await to_thread.run_sync(read, limiter=self._limiter)
        await send_pieces(scope, send, exposition.content_type.encode(), pieces, self._limiter)


def external_labels(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """What series get that lack it. An empty `instance` keeps the federating Prometheus from setting its own."""
    return sorted(({"instance": ""} | dict(labels)).items())


def _matches(scope: Scope) -> list[str]:
    try:
        form = parse_qs(scope["query_string"].decode(), keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except ValueError as error:
        raise BadInput(f"error parsing form values: {error}") from None
    return form.get("match[]", [])
