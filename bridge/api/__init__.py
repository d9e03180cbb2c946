"""The bridge's own HTTP interface: Prometheus' API, health, life cycle, status."""

from bridge.api.browse import Browse
from bridge.api.cors import Cors
from bridge.api.engines import Engines
from bridge.api.exemplars import Exemplars
from bridge.api.expressions import Expressions
from bridge.api.facts import Facts, Reloads
from bridge.api.features import Features
from bridge.api.lifecycle import Lifecycle
from bridge.api.mapping import MappingPreview
from bridge.api.notes import Metadata
from bridge.api.query import Queries
from bridge.api.query_log import QueryLog
from bridge.api.replay import Entrance, WalReplay
from bridge.api.routes import Works, api_routes
from bridge.api.samples import samples_of
from bridge.api.status import SinkStatus
from bridge.api.tsdb import BlockStatus, HeadStatus, TsdbAdmin

__all__ = [
    "BlockStatus",
    "Browse",
    "Cors",
    "Engines",
    "Entrance",
    "Exemplars",
    "Expressions",
    "Facts",
    "Features",
    "HeadStatus",
    "Lifecycle",
    "MappingPreview",
    "Metadata",
    "Queries",
    "QueryLog",
    "Reloads",
    "SinkStatus",
    "TsdbAdmin",
    "WalReplay",
    "Works",
    "api_routes",
    "samples_of",
]
