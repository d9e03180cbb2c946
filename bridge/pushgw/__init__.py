"""The push edge: Pushgateway's HTTP contract, with groups that are durable, expire, and cannot hurt each other."""

from bridge.pushgw.api import PushApi
from bridge.pushgw.groups import Groups
from bridge.pushgw.keeper import Keeper
from bridge.pushgw.metrics import PushMetrics
from bridge.pushgw.page import MetricsPage
from bridge.pushgw.projection import SCHEMA, Projection
from bridge.pushgw.push import PushRoute

__all__ = ["SCHEMA", "Groups", "Keeper", "MetricsPage", "Projection", "PushApi", "PushMetrics", "PushRoute"]
