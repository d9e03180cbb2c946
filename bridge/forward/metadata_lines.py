"""Type, unit and help of every metric as lines, now and then, for InfluxDB sinks that want them."""

import anyio.to_thread
import structlog

from bridge.clock import Clock, sleep
from bridge.config import InfluxSink
from bridge.forward.bisect import Search
from bridge.forward.delivery import Delivery, Stopped
from bridge.forward.lines import line_route
from bridge.native import Head, metadata_lines

__all__ = ["MetadataLines"]


class MetadataLines:
    """One sink's metadata, sent as its samples are: repeated, held, divided and searched.

    A line that is refused for good is no dead letter: the next interval brings it again.
    """

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        self._settings = settings
        self._route = line_route(settings)
        self._clock = clock
        self._logger = structlog.get_logger(__name__).bind(sink=settings.name)

    async def run(self, head: Head, delivery: Delivery, search: Search) -> None:  # noqa: ARG002 - the search has it
        """Send what `head` was told, until cancelled or the bridge stops."""
        while self._settings.send_metadata:
            try:
                await self._send(head, search)
            except Stopped:
                return
            await sleep(self._clock, self._settings.metadata_interval.seconds)

    async def _send(self, head: Head, search: Search) -> None:
        # Lines of one interval have one time: sent again after a restart, they overwrite themselves.
        now = self._clock.now_ms()
        begin = now - now % self._settings.metadata_interval
        lines = await anyio.to_thread.run_sync(metadata_lines, head, self._route, begin)
        if not len(lines):
            return
        outcome = await search.deliver(lines)
        if outcome.rejected:
            first = outcome.rejected[0]
            self._logger.warning(
                "metadata refused", lines=len(outcome.rejected), status=first.code, reason=first.reason[:500]
            )
