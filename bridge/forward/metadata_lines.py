"""Type, unit and help of every metric as lines, now and then, for InfluxDB sinks that want them."""

import asyncio

import anyio.to_thread
import structlog

from bridge.clock import Clock
from bridge.config import InfluxSink
from bridge.forward.answer import Verdict
from bridge.forward.lines import line_route
from bridge.forward.transport import Transport
from bridge.native import Head, metadata_lines

__all__ = ["MetadataLines"]

_RETRY = 60.0  # seconds
_MAX_BYTES = 1 << 20  # of lines in a request: helps may be long


class MetadataLines:
    """One sink's metadata. What the sink does not take is sent a minute later, as all of it is."""

    def __init__(self, settings: InfluxSink, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._route = line_route(settings)
        self._transport = transport
        self._clock = clock
        self._logger = structlog.get_logger(__name__).bind(sink=settings.name)

    async def run(self, head: Head) -> None:
        """Send what `head` was told, until cancelled."""
        while self._settings.send_metadata:
            pause = self._settings.metadata_interval.seconds
            if not await self._send(head):
                pause = min(pause, _RETRY)
            await asyncio.sleep(pause)

    async def _send(self, head: Head) -> bool:
        # Lines of one interval have one time: sent again after a restart, they overwrite themselves.
        now = self._clock.now_ms()
        lines = await anyio.to_thread.run_sync(
            metadata_lines, head, self._route, now - now % self._settings.metadata_interval
        )
        start = 0
        while count := lines.fit(start, self._settings.batch_samples, _MAX_BYTES):
            part = lines.slice(start, start + count)
            ruling = await self._transport.post(await self._transport.pack(part))
            if ruling.verdict is not Verdict.OK:
                answer = ruling.answer
                self._logger.warning("metadata refused", status=answer.status, answer=answer.text[:500])
                return False
            start += count
        return True
