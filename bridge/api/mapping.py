"""`/api/v1/mapping/preview`: the lines that stored samples would give at an InfluxDB."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.types import Receive, Scope, Send

from bridge.api.envelope import send_data, send_error
from bridge.buffer import View
from bridge.config import InfluxSink
from bridge.edge import send_text
from bridge.errors import BadInput, QueryTooLarge
from bridge.forward import SinkSettings, line_mapping, line_route, preview
from bridge.model import parse_selector, parse_time
from bridge.native import LineMapping, Route

__all__ = ["MappingPreview"]

_WAYS = ("histograms", "non_finite", "stale")
_MOST = 10_000


class MappingPreview:
    """ASGI endpoint."""

    def __init__(self, view: View, sinks: Callable[[], Sequence[SinkSettings]]) -> None:
        self._view = view
        self._sinks = sinks

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """GET with `mapping`, `match[]`, `start`, `end`, `limit`, and how a sink treats what has no number; or with
        `sink`, for all that is not given."""
        if scope["method"] != "GET":
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET")])
            return
        given = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        try:
            found = await anyio.to_thread.run_sync(self._find, given)
        except (BadInput, QueryTooLarge, ValueError) as error:
            await send_error(send, "bad_data", str(error))
            return
        await send_data(send, found)

    def _find(self, given: Mapping[str, str]) -> Mapping[str, Any]:
        limit = int(given.get("limit", "20"))
        if not 1 <= limit <= _MOST:
            raise ValueError(f"limit must be between 1 and {_MOST}, got {limit}")
        ways: dict[str, Any] = {way: given[way] for way in _WAYS if way in given}
        if "sentinel" in given:
            ways["sentinel"] = float(given["sentinel"])
        mint, maxt = (parse_time(given[key]) if key in given else None for key in ("start", "end"))
        matchers = parse_selector(given.get("match[]", "{}"))
        if "mapping" in given:
            ways["name"] = given["mapping"]
        if "sink" in given:
            sink = self._sink(given["sink"])
            mapping, route = line_mapping(sink, ways), line_route(sink)
        else:
            mapping, route = LineMapping(**ways), Route()
        found = preview(self._view, mapping, route, matchers, mint=mint, maxt=maxt, limit=limit)
        return {
            "lines": found.lines,
            "samples": found.samples,
            "total": found.total,
            "unrepresentable": found.unrepresentable,
        }

    def _sink(self, name: str) -> InfluxSink:
        for sink in self._sinks():
            if sink.name == name and isinstance(sink, InfluxSink):
                return sink
        raise BadInput(f'no InfluxDB sink is called "{name}"')
