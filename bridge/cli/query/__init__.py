"""`pushbridge query`."""

from bridge.cli.query.group import query

__all__ = ["query"]
