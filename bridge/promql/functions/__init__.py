"""The functions of PromQL: a table from names to what they do, with their oddities as data."""

from bridge.promql.functions.table import FUNCTIONS

__all__ = ["FUNCTIONS"]
