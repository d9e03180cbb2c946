"""Out of the log to the sinks, or out of history where the log has gone: at least once, every sample accounted for."""

from bridge.forward.account import Account
from bridge.forward.history import Columns, History, TooManySamples
from bridge.forward.letters import DeadLetters, Letter, LetterCounts
from bridge.forward.lines import line_mapping, line_route
from bridge.forward.mapping import MAPPINGS, Preview, preview
from bridge.forward.metrics import ForwardMetrics, SinkStatus
from bridge.forward.outlet import SinkSettings, open_outlet
from bridge.forward.pace import Pace
from bridge.forward.ranges import Ranges
from bridge.forward.replay import Replay, ReplayState
from bridge.forward.sink import Sink
from bridge.forward.sinks import Sinks
from bridge.forward.stored import StoredHistory

__all__ = [
    "MAPPINGS",
    "Account",
    "Columns",
    "DeadLetters",
    "ForwardMetrics",
    "History",
    "Letter",
    "LetterCounts",
    "Pace",
    "Preview",
    "Ranges",
    "Replay",
    "ReplayState",
    "Sink",
    "SinkSettings",
    "SinkStatus",
    "Sinks",
    "StoredHistory",
    "TooManySamples",
    "line_mapping",
    "line_route",
    "open_outlet",
    "preview",
]
