"""The one importer of the Rust core."""

from bridge._core import (
    AppendRefused,
    Batch,
    Framer,
    Head,
    LabelsTooLong,
    LineError,
    Lines,
    LogDamaged,
    LogSlice,
    Replayed,
    Series,
    Staged,
    encode_lines,
    parse_lines,
)

__all__ = [
    "AppendRefused",
    "Batch",
    "Framer",
    "Head",
    "LabelsTooLong",
    "LineError",
    "Lines",
    "LogDamaged",
    "LogSlice",
    "Replayed",
    "Series",
    "Staged",
    "encode_lines",
    "parse_lines",
]
