"""What the push edge counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bridge.edge import Gate
from bridge.native import PushTable

__all__ = ["PushMetrics"]

SIZES = (256, 1024, 4096, 16384, 65536, 262144, 1 << 20, 4 << 20, 16 << 20, 64 << 20)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class PushMetrics:
    """Children are looked up once: a counter costs a quarter of a microsecond then, not one."""

    def __init__(self, registry: CollectorRegistry, table: PushTable, gate: Gate) -> None:
        requests = Counter(
            "pushbridge_push_requests", "Answers of the push edge.", ("method", "code"), registry=registry
        )
        self.ok = {method: requests.labels(method, "200") for method in ("PUT", "POST")}
        self.requests = requests
        self.refused = Counter(
            "pushbridge_push_refused", "Pushes that were not taken, by reason.", ("reason",), registry=registry
        )
        self.size = Histogram(
            "pushbridge_push_size_bytes", "Bodies of pushes, decompressed.", buckets=SIZES, registry=registry
        )
        self.seconds = Histogram(
            "pushbridge_push_duration_seconds",
            "From the first byte of a push to its answer, durability included.",
            buckets=SECONDS,
            registry=registry,
        )
        self.expired = Counter(
            "pushbridge_push_groups_expired", "Groups ended because their time to live was over.", registry=registry
        )
        groups = Gauge("pushbridge_push_groups", "Push groups.", registry=registry)
        groups.set_function(lambda: table.groups)
        series = Gauge("pushbridge_push_series", "Series of all push groups.", registry=registry)
        series.set_function(lambda: table.series)
        inflight = Gauge("pushbridge_push_inflight_bytes", "Request bodies held in memory.", registry=registry)
        inflight.set_function(lambda: gate.used)
