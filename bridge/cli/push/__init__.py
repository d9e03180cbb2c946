"""`pushbridge push`: the client for shell jobs. Standard library and tenacity only, and little of that until needed."""

from bridge.cli.push.command import push

__all__ = ["push"]
