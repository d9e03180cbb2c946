"""The way in for Influx clients: line protocol on `/write` and `/api/v2/write`, and what they ask before they write."""

from bridge.line_protocol.metrics import LineMetrics
from bridge.line_protocol.routes import line_routes
from bridge.line_protocol.write import LineLimits

__all__ = ["LineLimits", "LineMetrics", "line_routes"]
