"""The bridge's own HTTP interface: health, life cycle, status."""

from bridge.api.lifecycle import Lifecycle
from bridge.api.status import SinkStatus

__all__ = ["Lifecycle", "SinkStatus"]
