"""Type, unit and help of every metric, now and then, for remote write 1.0: 2.0 has them beside each series."""

import anyio.to_thread
import structlog

from bridge.clock import Clock, sleep
from bridge.config import MetadataConfig
from bridge.forward.answer import Verdict
from bridge.forward.bisect import Search
from bridge.forward.delivery import Delivery, Stopped
from bridge.forward.remote_write import Dialect
from bridge.native import Head, OutboundMetadata

__all__ = ["MetadataFeed"]


class MetadataFeed:
    """One sink's metadata, sent as its samples are: repeated, held and divided, and behind them when there is trouble.

    What is refused for good is no dead letter: the next interval brings it again.
    """

    def __init__(self, settings: MetadataConfig, dialect: Dialect, name: str, clock: Clock) -> None:
        self._settings = settings
        self._dialect = dialect
        self._clock = clock
        self._logger = structlog.get_logger(__name__).bind(sink=name)

    async def run(self, head: Head, delivery: Delivery, search: Search) -> None:  # noqa: ARG002 - that is for samples
        """Send what `head` was told, until cancelled or the bridge stops."""
        while self._settings.send:
            try:
                if self._dialect.version == 1:
                    await self._send(head, delivery)
            except Stopped:
                return
            await sleep(self._clock, self._settings.send_interval.seconds)

    async def _send(self, head: Head, delivery: Delivery) -> None:
        metadata = await anyio.to_thread.run_sync(OutboundMetadata, head)
        start, most, refused = 0, self._settings.max_samples_per_send, None
        while start < len(metadata):
            part = metadata.part(start, most, delivery.throttle.max_bytes)
            ruling = await delivery.offer(part)
            if ruling.verdict is Verdict.SPLIT and len(part) > 1:
                most = len(part) // 2
                await delivery.wait(ruling)
                continue
            start += len(part)
            if ruling.verdict is not Verdict.OK:
                refused = ruling.answer
            if ruling.verdict in {Verdict.RETRY, Verdict.HOLD}:
                break
        if refused is not None:
            self._logger.warning("metadata refused", status=refused.status, answer=refused.text[:500])
