"""Out of the log into InfluxDB: at least once, in order of the log, with every sample accounted for."""

from bridge.forward.account import Account
from bridge.forward.letters import DeadLetters, Letter, LetterCounts
from bridge.forward.metrics import ForwardMetrics, SinkStatus
from bridge.forward.pace import Pace
from bridge.forward.ranges import Ranges
from bridge.forward.sink import Sink
from bridge.forward.sinks import Sinks

__all__ = [
    "Account",
    "DeadLetters",
    "ForwardMetrics",
    "Letter",
    "LetterCounts",
    "Pace",
    "Ranges",
    "Sink",
    "SinkStatus",
    "Sinks",
]
