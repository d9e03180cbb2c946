"""The store: log, head, cursors, and the small state beside them."""

from bridge.buffer.cursors import CURSORS, Cursor, Cursors
from bridge.buffer.files import Files
from bridge.buffer.gaps import Gap, GapBook, Spans
from bridge.buffer.matchers import Matchers
from bridge.buffer.position import Position
from bridge.buffer.reader import Truncated
from bridge.buffer.replay import OnEvent
from bridge.buffer.state import Schema, State
from bridge.buffer.store import AppendResult, Store, View, open_read_only

__all__ = [
    "CURSORS",
    "AppendResult",
    "Cursor",
    "Cursors",
    "Files",
    "Gap",
    "GapBook",
    "Matchers",
    "OnEvent",
    "Position",
    "Schema",
    "Spans",
    "State",
    "Store",
    "Truncated",
    "View",
    "open_read_only",
]
