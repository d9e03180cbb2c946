"""The one importer of the Rust core."""

from bridge._core import AppendRefused, Batch, Framer, Head, LogDamaged, LogSlice, Replayed, Series, Staged

__all__ = ["AppendRefused", "Batch", "Framer", "Head", "LogDamaged", "LogSlice", "Replayed", "Series", "Staged"]
