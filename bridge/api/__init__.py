"""The bridge's own HTTP interface: health, life cycle, status."""

from bridge.api.lifecycle import Lifecycle
from bridge.api.status import SinkStatus
from bridge.api.tsdb import BlockStatus, HeadStatus, TsdbAdmin

__all__ = ["BlockStatus", "HeadStatus", "Lifecycle", "SinkStatus", "TsdbAdmin"]
