"""What the OTLP edge counts."""

from prometheus_client import CollectorRegistry, Counter

__all__ = ["OtlpMetrics"]


class OtlpMetrics:
    """Updated once a request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("pushbridge_otlp_requests", "Answers.", ("form", "code"), registry=registry)
        self.points = Counter("pushbridge_otlp_points", "Data points received.", registry=registry)
        self.refused = Counter(
            "pushbridge_otlp_refused_points", "Data points that could not be translated.", registry=registry
        )
        self.refused_samples = Counter(
            "pushbridge_otlp_refused_samples", "Samples that the store did not take.", registry=registry
        )
