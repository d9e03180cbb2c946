"""All paths of this edge, for whoever mounts them."""

from starlette.types import ASGIApp

from bridge.clock import Clock
from bridge.edge import Gate
from bridge.line_protocol.dialect import V1, V2, Dialect
from bridge.line_protocol.greetings import Query, health, ping
from bridge.line_protocol.metrics import LineMetrics
from bridge.line_protocol.write import Append, LineLimits, WriteRoute

__all__ = ["line_routes"]


def line_routes(
    append: Append, *, gate: Gate, clock: Clock, metrics: LineMetrics, limits: LineLimits | None = None
) -> dict[str, ASGIApp]:
    """By path. `append` stores a partial batch: `bridge.buffer.Store.append`."""

    def write(dialect: Dialect) -> WriteRoute:
        return WriteRoute(dialect, append, gate=gate, limits=limits or LineLimits(), clock=clock, metrics=metrics)

    return {"/write": write(V1), "/api/v2/write": write(V2), "/ping": ping, "/health": health, "/query": Query(gate)}
