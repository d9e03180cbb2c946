"""What the remote-write edge counts, once a request."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bridge.edge import Gate
from bridge.remote_write.outcome import Outcome
from bridge.remote_write.protocol import Version

__all__ = ["WriteMetrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class WriteMetrics:
    """Children are looked up once: a counter costs a quarter of a microsecond then, not one."""

    def __init__(self, registry: CollectorRegistry, gate: Gate) -> None:
        self.requests = Counter(
            "pushbridge_remote_write_requests",
            "Answers to remote-write requests.",
            ("version", "code"),
            registry=registry,
        )
        self._ok = {version: self.requests.labels(label(version), "204") for version in Version}
        received = Counter(
            "pushbridge_remote_write_received",
            "What was stored, or was there already, by kind: samples, histograms, exemplars.",
            ("kind",),
            registry=registry,
        )
        self._received = [received.labels(kind) for kind in ("samples", "histograms", "exemplars")]
        self.left_out = Counter(
            "pushbridge_remote_write_left_out",
            "Samples, histograms and exemplars that were not taken, by reason.",
            ("reason",),
            registry=registry,
        )
        self.refused = Counter(
            "pushbridge_remote_write_refused_requests",
            "Requests of which nothing was taken, by reason.",
            ("reason",),
            registry=registry,
        )
        self.bytes = Counter(
            "pushbridge_remote_write_received_bytes", "Bodies of requests, as sent.", registry=registry
        )
        self.seconds = Histogram(
            "pushbridge_remote_write_duration_seconds",
            "From the headers of a request to its answer, durability included.",
            buckets=SECONDS,
            registry=registry,
        )
        inflight = Gauge("pushbridge_remote_write_inflight_bytes", "Requests held in memory.", registry=registry)
        inflight.set_function(lambda: gate.used)

    def answered(self, version: Version, outcome: Outcome) -> None:
        """Count a request that was read."""
        if outcome.status == 204:
            self._ok[version].inc()
        else:
            self.requests.labels(label(version), str(outcome.status)).inc()
        for child, count in zip(self._received, (outcome.samples, outcome.histograms, outcome.exemplars), strict=True):
            if count:
                child.inc(count)
        for reason, count in outcome.left_out.items():
            self.left_out.labels(reason).inc(count)

    def turned_away(self, version: Version | None, status: int, reason: str) -> None:
        """Count a request of which nothing was taken."""
        self.requests.labels("unknown" if version is None else label(version), str(status)).inc()
        self.refused.labels(reason).inc()


def label(version: Version) -> str:
    """A version as metrics have it."""
    return f"{version}.0"
