"""What the line-protocol edge counts."""

from prometheus_client import CollectorRegistry, Counter

__all__ = ["LineMetrics"]


class LineMetrics:
    """Updated once a request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "pushbridge_line_protocol_requests", "Answers to writes.", ("dialect", "code"), registry=registry
        )
        self.samples = Counter(
            "pushbridge_line_protocol_samples", "Number and boolean fields received.", registry=registry
        )
        self.refused = Counter(
            "pushbridge_line_protocol_refused_samples", "Samples that the store did not take.", registry=registry
        )
        self.skipped = Counter(
            "pushbridge_line_protocol_skipped_fields", "Text fields, which are no samples.", registry=registry
        )
