"""`pushbridge tsdb`: looks into the store, checks it, fills it, exports from it, also while a bridge runs on it."""

from bridge.cli.tsdb.group import tsdb

__all__ = ["tsdb"]
