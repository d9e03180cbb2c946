"""Prometheus' remote protocols: remote read."""

from bridge.remote_write.read import ReadLimits, ReadMetrics, ReadRoute

__all__ = ["ReadLimits", "ReadMetrics", "ReadRoute"]
