"""`/query_exemplars`: exemplars of the series that an expression reads (source: Prometheus' `web/api/v1/api.go`)."""

from collections.abc import Callable, Mapping
from typing import Any

from anyio import to_thread

from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.api.parameters import expression, window
from bridge.errors import BadInput
from bridge.native import Head
from bridge.promql import ParserOptions, format_float, matchers_of, parse_expr

__all__ = ["Exemplars"]

PLAIN = (1e-6, 1e21)
"""Numbers from the first up to the second are written without an exponent."""


class Exemplars:
    """What the endpoint does. `options` say which parts of the language may be used."""

    def __init__(self, head: Head, options: Callable[[], ParserOptions]) -> None:
        self._head = head
        self._options = options

    async def __call__(self, call: Call) -> Reply | None:
        """`query`, `start`, `end`: the exemplars of each series, series by their labels, the oldest first."""
        mint, maxt = window(call)
        if maxt < mint:
            raise BadInput("end timestamp must not be before start timestamp")
        text, options = expression(call), self._options()

        def read() -> Reply | None:
            selectors = matchers_of(parse_expr(text, options))
            found: dict[tuple[tuple[str, str], ...], Mapping[str, Any]] = {}
            for matchers in selectors:
                for labels, exemplars in self._head.exemplars(matchers, mint, maxt):
                    rows = [_row(own, value, t) for own, value, t in exemplars]
                    found[tuple(labels.items())] = {"seriesLabels": labels, "exemplars": rows}
            return Reply.of([found[labels] for labels in sorted(found)]) if selectors else None

        return await to_thread.run_sync(read)


def _row(labels: Mapping[str, str], value: float, t: int) -> Mapping[str, Any]:
    is_plain = value == 0 or PLAIN[0] <= abs(value) < PLAIN[1]
    return {"labels": labels, "value": format_float(value, exponents=not is_plain), "timestamp": t / 1000}
