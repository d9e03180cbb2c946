"""Prometheus' remote protocols: remote write and remote read."""

from bridge.remote_write.metrics import WriteMetrics
from bridge.remote_write.read import ReadLimits, ReadMetrics, ReadRoute
from bridge.remote_write.replicas import REPLICAS, ReplicaMetrics, Replicas
from bridge.remote_write.write import WriteRoute

__all__ = [
    "REPLICAS",
    "ReadLimits",
    "ReadMetrics",
    "ReadRoute",
    "ReplicaMetrics",
    "Replicas",
    "WriteMetrics",
    "WriteRoute",
]
