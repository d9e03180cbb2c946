"""The store: log, head, cursors, and the small state beside them."""

from bridge.buffer.backfill import Drafts, Imported, TextImport
from bridge.buffer.checkpoint import Truncation
from bridge.buffer.cursors import CURSORS, Cursor, Cursors
from bridge.buffer.directory import Directory
from bridge.buffer.files import Files
from bridge.buffer.gaps import Gap, GapBook, MissedExemplars, Spans
from bridge.buffer.inspect import FoundBlock, FoundBlocks, find_blocks, map_block, open_block
from bridge.buffer.matchers import Matchers
from bridge.buffer.plan import BLOCK_RANGE, block_ranges
from bridge.buffer.position import Position
from bridge.buffer.querier import MAX_TIME, MIN_TIME, Querier, QueryLimits, ReadAnswer, Selection, Selector
from bridge.buffer.reader import Truncated
from bridge.buffer.replay import OnEvent, Progress
from bridge.buffer.state import Schema, State
from bridge.buffer.store import AppendResult, Store
from bridge.buffer.verify import DamagedRange, Verifier
from bridge.buffer.view import View

__all__ = [
    "BLOCK_RANGE",
    "CURSORS",
    "MAX_TIME",
    "MIN_TIME",
    "AppendResult",
    "Cursor",
    "Cursors",
    "DamagedRange",
    "Directory",
    "Drafts",
    "Files",
    "FoundBlock",
    "FoundBlocks",
    "Gap",
    "GapBook",
    "Imported",
    "Matchers",
    "MissedExemplars",
    "OnEvent",
    "Position",
    "Progress",
    "Querier",
    "QueryLimits",
    "ReadAnswer",
    "Schema",
    "Selection",
    "Selector",
    "Spans",
    "State",
    "Store",
    "TextImport",
    "Truncated",
    "Truncation",
    "Verifier",
    "View",
    "block_ranges",
    "find_blocks",
    "map_block",
    "open_block",
]
