"""What the blocks and their upkeep tell about themselves, in the spirit of Prometheus' `prometheus_tsdb_*`."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["BlockMetrics"]

_SECONDS = (0.1, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

COUNTERS = {
    "reloads": "Times that the blocks on disk were looked through.",
    "reloads_failures": "Times that this failed; the blocks of the time before stayed in use.",
    "block_deletions_failed": "Blocks whose removal failed; it is tried again.",
    "time_retentions": "Blocks deleted because they were too old.",
    "size_retentions": "Blocks deleted because the store was too large.",
    "compactions": "Blocks written, from memory or from other blocks, and attempts at it.",
    "compactions_failed": "Attempts that failed.",
    "vertical_compactions": "Compactions of blocks that overlapped.",
}


class BlockMetrics:
    """Counters of blocks. Touched once a block, never once a sample."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        made = {name: Counter(f"pushbridge_tsdb_{name}", text, registry=registry) for name, text in COUNTERS.items()}
        self.reloads = made["reloads"]
        self.reload_failures = made["reloads_failures"]
        self.deletion_failures = made["block_deletions_failed"]
        self.retentions = {"time": made["time_retentions"], "size": made["size_retentions"]}
        self.compactions = made["compactions"]
        self.compaction_failures = made["compactions_failed"]
        self.vertical_compactions = made["vertical_compactions"]
        self.compaction_seconds = self._histogram("compaction_duration_seconds", "Time to write one block.")
        self.cleanup_seconds = self._histogram(
            "tombstone_cleanup_seconds", "Time to rewrite all blocks with deletions."
        )
        self.phase_failures = Counter(
            "pushbridge_tsdb_maintenance_failures",
            "Times that a phase of the regular upkeep failed; it is tried again.",
            ["phase"],
            registry=registry,
        )
        self.populating = Gauge(
            "pushbridge_tsdb_compaction_populating_block", "1 while a block is being written.", registry=registry
        )

    def show(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when asked for."""
        Gauge(f"pushbridge_tsdb_{name}", text, registry=self._registry).set_function(value)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"pushbridge_tsdb_{name}", text, buckets=_SECONDS, registry=self._registry)
