"""The bridge's own HTTP interface: Prometheus' API, health, life cycle, status."""

from bridge.api.browse import Browse
from bridge.api.cors import Cors
from bridge.api.facts import Facts, Reloads
from bridge.api.lifecycle import Lifecycle
from bridge.api.mapping import MappingPreview
from bridge.api.notes import Metadata
from bridge.api.replay import Entrance, WalReplay
from bridge.api.routes import api_routes
from bridge.api.status import SinkStatus
from bridge.api.tsdb import BlockStatus, HeadStatus, TsdbAdmin

__all__ = [
    "BlockStatus",
    "Browse",
    "Cors",
    "Entrance",
    "Facts",
    "HeadStatus",
    "Lifecycle",
    "MappingPreview",
    "Metadata",
    "Reloads",
    "SinkStatus",
    "TsdbAdmin",
    "WalReplay",
    "api_routes",
]
