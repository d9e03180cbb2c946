"""What the bridge tells about itself: log lines, and the registry that its own metrics live in."""

from bridge.telemetry.logs import configure_logging
from bridge.telemetry.registry import new_registry
from bridge.telemetry.throttle import Throttle, ThrottledLog

__all__ = ["Throttle", "ThrottledLog", "configure_logging", "new_registry"]
