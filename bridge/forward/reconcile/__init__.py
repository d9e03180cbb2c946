"""Whether a sink has what it was sent: points counted on both sides, and what is missing sent again."""

from bridge.forward.reconcile.census import Census, SinkSilent
from bridge.forward.reconcile.opening import open_census
from bridge.forward.reconcile.points import Difference, Place, spans_of
from bridge.forward.reconcile.repair import Repair
from bridge.forward.reconcile.run import HOUR, Report, compare
from bridge.forward.reconcile.schedule import ReconcileMetrics, Reconciler

__all__ = [
    "HOUR",
    "Census",
    "Difference",
    "Place",
    "ReconcileMetrics",
    "Reconciler",
    "Repair",
    "Report",
    "SinkSilent",
    "compare",
    "open_census",
    "spans_of",
]
