"""All sinks of a bridge: each in a task of its own, started and stopped as the configuration says."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.forward.metrics import ForwardMetrics
from bridge.forward.outlet import SinkSettings
from bridge.forward.sink import Sink

__all__ = ["Sinks"]


class Sinks:
    """The running sinks by name. Two of one name never run at a time: they would move one cursor."""

    def __init__(self, make: Callable[[SinkSettings], Sink], metrics: ForwardMetrics) -> None:
        self._make = make
        self._metrics = metrics
        self._running: dict[str, tuple[SinkSettings, Sink, asyncio.Task[None]]] = {}
        self._configuring = asyncio.Lock()

    async def configure(self, wanted: Sequence[SinkSettings]) -> None:
        """Run exactly these: stop what is gone or has changed, then start what is new. What has not changed runs on."""
        async with self._configuring:
            by_name = {settings.name: settings for settings in wanted}
            await self._stop(
                [name for name, (settings, _, _) in self._running.items() if by_name.get(name) != settings]
            )
            for name, settings in by_name.items():
                if name not in self._running:
                    sink = self._make(settings)
                    self._running[name] = (settings, sink, asyncio.create_task(sink.run(), name=f"sink {name}"))

    def settings(self) -> list[SinkSettings]:
        """Of those that run."""
        return [settings for settings, _, _ in self._running.values()]

    async def stop(self) -> None:
        """Stop all: answers that are under way are awaited, cursors saved."""
        await self.configure([])

    async def _stop(self, names: Sequence[str]) -> None:
        stopped = [self._running.pop(name) for name in names]
        for _, sink, _ in stopped:
            sink.stop()
        await asyncio.gather(*(task for _, _, task in stopped))
        for _, sink, _ in stopped:
            self._metrics.remove(sink)

    def rows(self) -> list[Mapping[str, Any]]:
        """The status of each sink as JSON has it."""
        return [_row(sink) for _, sink, _ in self._running.values()]


def _row(sink: Sink) -> Mapping[str, Any]:
    status = sink.status()
    account = status.account
    return {
        "name": status.name,
        "target": status.target,
        "state": status.state,
        "problem": status.problem,
        "accepted": status.accepted,
        "sent": account.sent,
        "unrepresentable": sum(account.unrepresentable.values()),
        "unrepresentable_by_reason": dict(account.unrepresentable),
        "expired": account.expired,
        "resent": account.resent,
        "exemplars_lost": account.exemplars_lost,
        "dead_lettered": account.dead_lettered,
        "pending": status.pending,
        "identity_holds": status.identity_holds,
        "lag_seconds": status.lag_seconds,
        "samples_per_second": status.forecast.rate,
        "eta_seconds": status.forecast.eta_seconds,
        "retention_outruns_seconds": status.forecast.outrun_seconds,
        "last_error": status.last_error,
        "last_error_time_ms": status.last_error_time,
        "concurrency": status.concurrency,
        "batch_samples": status.batch_samples,
        "batch_bytes": status.batch_bytes,
        "position": str(account.position),
    }
