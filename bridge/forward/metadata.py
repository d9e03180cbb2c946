"""Type, unit and help of every metric, now and then, for remote write 1.0: 2.0 has them beside each series."""

import anyio.to_thread
import structlog

from bridge.clock import Clock, sleep
from bridge.config import MetadataConfig
from bridge.forward.answer import Verdict
from bridge.forward.bisect import Search
from bridge.forward.remote_write import Dialect, RemoteWrite
from bridge.native import Head, metadata_messages

__all__ = ["MetadataFeed"]


class MetadataFeed:
    """One sink's metadata. What a receiver does not take is sent the next time, as all of it is."""

    def __init__(
        self, settings: MetadataConfig, transport: RemoteWrite, dialect: Dialect, name: str, clock: Clock
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._dialect = dialect
        self._clock = clock
        self._logger = structlog.get_logger(__name__).bind(sink=name)

    async def run(self, head: Head, search: Search) -> None:  # noqa: ARG002 - these messages are no samples
        """Send what `head` was told, until cancelled."""
        while self._settings.send:
            if self._dialect.version == 1:
                await self._send(head)
            await sleep(self._clock, self._settings.send_interval.seconds)

    async def _send(self, head: Head) -> None:
        most = self._settings.max_samples_per_send
        for body in await anyio.to_thread.run_sync(metadata_messages, head, most):
            ruling = await self._transport.post_metadata(body)
            if ruling.verdict is not Verdict.OK:
                answer = ruling.answer
                self._logger.warning("metadata refused", status=answer.status, answer=answer.text[:500])
                return
