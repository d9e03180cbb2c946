"""Whether a sink has what it was sent: points counted on both sides, and what is missing sent again."""

from bridge.forward.reconcile.census import Census, SinkSilent
from bridge.forward.reconcile.points import Difference, Place, spans_of
from bridge.forward.reconcile.run import HOUR, Report, compare

__all__ = ["HOUR", "Census", "Difference", "Place", "Report", "SinkSilent", "compare", "spans_of"]
