"""All sinks compared with the store from time to time, and what they lack sent again if that is wanted."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.buffer import Files
from bridge.clock import Clock
from bridge.config import Reconcile
from bridge.errors import BridgeError
from bridge.forward.history import History
from bridge.forward.letters import DeadLetters
from bridge.forward.outlet import SinkSettings, open_outlet
from bridge.forward.reconcile.opening import open_census
from bridge.forward.reconcile.repair import Repair
from bridge.forward.reconcile.run import Report, compare

__all__ = ["ReconcileMetrics", "Reconciler"]

logger = structlog.get_logger(__name__)


class ReconcileMetrics:
    """What the last comparison of each sink came to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.points = Gauge(
            "pushbridge_reconcile_points",
            "Points of the last comparison: stored for the sink, found there, missing there, more there than stored,"
            " and those that it need not have as they are unchanged.",
            ["sink", "kind"],
            registry=registry,
        )
        self.time = Gauge(
            "pushbridge_reconcile_last_success_timestamp_seconds",
            "When the sink was last compared with the store.",
            ["sink"],
            registry=registry,
        )
        self.failures = Counter(
            "pushbridge_reconcile_failures", "Comparisons that failed.", ["sink"], registry=registry
        )
        self.repaired = Counter(
            "pushbridge_reconcile_resent",
            "Samples sent again because points were missing.",
            ["sink"],
            registry=registry,
        )

    def note(self, sink: str, reports: Sequence[Report], now_ms: int) -> None:
        """Show a comparison."""
        for kind in ("stored", "found", "missing", "surplus", "unchanged"):
            self.points.labels(sink, kind).set(sum(getattr(report, kind) for report in reports))
        self.time.labels(sink).set(now_ms / 1000)


class Reconciler:
    """Compares every sink each `interval`. Belongs to one event loop."""

    def __init__(
        self,
        history: History,
        *,
        sinks: Callable[[], Sequence[SinkSettings]],
        rejected: Path,
        clock: Clock,
        metrics: ReconcileMetrics,
    ) -> None:
        """`sinks` are those configured at the time; `rejected` is the folder of all sinks' dead letters."""
        self._history = history
        self._sinks = sinks
        self._rejected = rejected
        self._clock = clock
        self._metrics = metrics
        self._settings = Reconcile()
        self._changed = asyncio.Event()

    def configure(self, settings: Reconcile) -> None:
        """Take new settings; the interval begins anew."""
        self._settings = settings
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled: nothing while there is no interval, and the first comparison after a whole one."""
        while True:
            self._changed.clear()
            interval = self._settings.interval.seconds
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval or None):
                    await self._changed.wait()
                    continue
            await self.look()

    async def look(self) -> None:
        """Compare all sinks now. What fails is logged and counted."""
        for sink in self._sinks():
            try:
                await self._look_at(sink)
            except (BridgeError, OSError) as error:
                self._metrics.failures.labels(sink.name).inc()
                logger.warning("sink cannot be compared with the store", sink=sink.name, reason=str(error))

    async def _look_at(self, sink: SinkSettings) -> None:
        settings = self._settings
        until = self._clock.now_ms() - int(settings.delay)
        span = (until - int(settings.window), until)
        reports = await self._compare(sink, span)
        if settings.repair and any(report.missing for report in reports):
            repair = Repair(sink, self._history, reports, self._clock)
            await repair.run()
            self._metrics.repaired.labels(sink.name).inc(repair.state.sent)
            reports = await self._compare(sink, span)
        self._metrics.note(sink.name, reports, self._clock.now_ms())
        missing = sum(report.missing for report in reports)
        tell = logger.warning if missing else logger.info
        tell(
            "sink lacks points: pushbridge reconcile shows which" if missing else "sink has what is stored for it",
            sink=sink.name,
            stored=sum(report.stored for report in reports),
            missing=missing,
        )

    async def _compare(self, sink: SinkSettings, span: tuple[int, int]) -> list[Report]:
        outlet = open_outlet(sink, self._clock)
        letters = DeadLetters(Files(), self._rejected / sink.name)
        try:
            async with open_census(sink, self._settings.query_urls.get(sink.name)) as census:
                return [report async for report in compare(outlet, census, self._history, letters, span)]
        finally:
            await outlet.transport.close()
