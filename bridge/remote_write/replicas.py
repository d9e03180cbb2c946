"""Elections among senders that come in pairs: of each cluster the replica that is elected is heard, the others are
answered as if they were, and dropped. When the elected one has been silent for too long, the next that speaks takes its
place.

After a restart the elections stand, and each elected replica has the whole time to speak up again.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.buffer import Schema
from bridge.clock import Clock
from bridge.config import HaPairs
from bridge.errors import BadInput, Unavailable

__all__ = ["REPLICAS", "Replica", "ReplicaMetrics", "Replicas"]

logger = structlog.get_logger(__name__)

T = TypeVar("T")

Replica = tuple[str, str]
"""Cluster and replica."""

REPLICAS = Schema(
    "remote_write_replicas",
    ("CREATE TABLE remote_write_replicas (cluster TEXT PRIMARY KEY, replica TEXT NOT NULL) WITHOUT ROWID",),
)
"""The table of who is elected, for `State.open`."""


class Durable(Protocol):
    """Where elections are kept: `bridge.buffer.State`."""

    async def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run `work` in a transaction. Raises Unavailable."""

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` for reading."""


class ReplicaMetrics:
    """What elections count."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.elections = Counter(
            "pushbridge_remote_write_elections", "Times that a replica was elected.", ("cluster",), registry=registry
        )
        self.deduplicated = Counter(
            "pushbridge_remote_write_deduplicated",
            "Samples, histograms and exemplars of replicas that are not heard.",
            ("cluster",),
            registry=registry,
        )
        self.clusters = Gauge("pushbridge_remote_write_clusters", "Clusters of senders.", registry=registry)


@dataclass(slots=True)
class _Elected:
    replica: str
    heard: float  # monotonic seconds


class Replicas:
    """Who is elected in which cluster. All methods belong to the event loop."""

    def __init__(self, state: Durable, clock: Clock, metrics: ReplicaMetrics) -> None:
        self._state = state
        self._clock = clock
        self.metrics = metrics
        now = clock.monotonic()
        rows = state.read(lambda db: db.execute("SELECT cluster, replica FROM remote_write_replicas").fetchall())
        self._elected = {cluster: _Elected(replica, now) for cluster, replica in rows}
        metrics.clusters.set(len(self._elected))

    async def unheard(self, senders: Sequence[Replica], settings: HaPairs) -> list[Replica]:
        """Those of `senders` that are not heard now; others may have been elected. Raises BadInput when there would be
        more clusters than allowed."""
        now = self._clock.monotonic()
        dropped: list[Replica] = []
        changed: list[Replica] = []
        for cluster, replica in senders:
            elected = self._elected.get(cluster)
            if elected is None and len(self._elected) >= settings.max_clusters:
                raise BadInput(
                    f"{settings.cluster_label}={cluster!r} is a new cluster, "
                    f"and there are {settings.max_clusters} already: raise ha.max_clusters"
                )
            if elected is None or (
                elected.replica != replica and now - elected.heard > settings.failover_timeout.seconds
            ):
                self._elected[cluster] = _Elected(replica, now)
                changed.append((cluster, replica))
                self.metrics.elections.labels(cluster).inc()
                before = None if elected is None else elected.replica
                logger.info("remote-write replica elected", cluster=cluster, replica=replica, before=before)
            elif elected.replica == replica:
                elected.heard = now
            else:
                dropped.append((cluster, replica))
        if changed:
            self.metrics.clusters.set(len(self._elected))
            await self._save(changed)
        return dropped

    def deduplicated(self, dropped: Sequence[Replica], count: int) -> None:
        """So much was left out because these are not heard. One request is of one cluster, nearly always; of several
        the first is named."""
        self.metrics.deduplicated.labels(dropped[0][0]).inc(count)

    async def _save(self, changed: Sequence[Replica]) -> None:
        """Remember who is elected. Where that fails another one may be heard after a restart, which is no loss."""

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO remote_write_replicas VALUES (?, ?)", changed)

        try:
            await self._state.write(write, durable=False)
        except Unavailable as error:
            logger.warning("the election of a replica was not saved", error=str(error))
