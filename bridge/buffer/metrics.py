"""What the store tells about itself."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bridge.buffer.replay import Recovery
from bridge.buffer.segments import LogDir
from bridge.native import Head

__all__ = ["HeadMetrics", "WalMetrics"]

_FSYNC_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_GROUP_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class WalMetrics:
    """Counters of the log. Updated once a group, never once a sample."""

    def __init__(self, registry: CollectorRegistry, directory: LogDir, found: Recovery) -> None:
        self.bytes = Counter("pushbridge_wal_bytes", "Framed bytes accepted by the log.", registry=registry)
        self.batches = Counter("pushbridge_wal_batches", "Batches accepted by the log.", registry=registry)
        self.failures = Counter("pushbridge_wal_failures", "Writes or syncs of the log that failed.", registry=registry)
        self.skipped_bytes = Counter(
            "pushbridge_wal_skipped_bytes", "Damaged bytes that a reader of the log left out.", registry=registry
        )
        self.fsync_seconds = Histogram(
            "pushbridge_wal_fsync_seconds", "Time of one sync.", buckets=_FSYNC_BUCKETS, registry=registry
        )
        self.group_size = Histogram(
            "pushbridge_wal_group_size", "Batches that shared one sync.", buckets=_GROUP_BUCKETS, registry=registry
        )
        Gauge("pushbridge_wal_segments", "Segment files present.", registry=registry).set_function(
            lambda: len(directory.segments())
        )
        at_start: list[tuple[str, str, float]] = [
            ("corruptions", "Damaged ranges of the log.", len(found.damages)),
            ("corrupt_bytes", "Bytes that no replay could read.", sum(damage.size for damage in found.damages)),
            ("unknown_refs", "Samples skipped because their series record is lost.", found.unknown_refs),
            ("missing_segments", "Segments that the numbering skips.", found.missing),
            ("replay_seconds", "Time to read the log.", found.seconds),
        ]
        for name, text, value in at_start:
            Gauge(f"pushbridge_wal_{name}", f"{text} As of the last start.", registry=registry).set(value)


class HeadMetrics:
    """What is in memory, read when asked for, and what was refused before it got there."""

    def __init__(self, registry: CollectorRegistry, head: Head) -> None:
        self.refused = Counter(
            "pushbridge_head_refused_batches",
            "Batches that the head refused, by reason.",
            ["reason"],
            registry=registry,
        )
        gauges: list[tuple[str, str, Callable[[], float]]] = [
            ("series", "Series in memory.", lambda: head.series),
            ("chunks", "Chunks in memory.", lambda: head.chunks),
            ("bytes", "Memory of series and chunks.", lambda: head.bytes),
            ("samples_accepted", "Samples accepted over the life of the store.", lambda: head.seq),
        ]
        for name, text, value in gauges:
            Gauge(f"pushbridge_head_{name}", text, registry=registry).set_function(value)
