"""Federation: the newest samples for another Prometheus to scrape."""

from bridge.federation.serve import Federate

__all__ = ["Federate"]
