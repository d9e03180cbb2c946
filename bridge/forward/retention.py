"""How far back a sink keeps samples: what is older is not sent, for it would be refused or thrown away."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.clock import Clock
from bridge.forward.influx_admin import AdminFailed

__all__ = ["Retention"]

logger = structlog.get_logger(__name__)

_AGAIN = 600.0  # seconds; who shortens a retention has lost the samples by then anyway
_FIRST = 5.0


class Retention:
    """What is known of it. As long as nothing is, everything is sent."""

    def __init__(self, ask: Callable[[], Awaitable[int | None]], clock: Clock, sink: str) -> None:
        """`ask` tells ms, None for ever; it raises AdminFailed."""
        self._ask = ask
        self._clock = clock
        self._log = logger.bind(sink=sink)
        self.keeps: int | None = None
        """How long samples are kept, ms; None when for ever, or unknown."""

    def oldest(self) -> int | None:
        """Samples before this time, ms, are not kept by the sink."""
        return None if self.keeps is None else self._clock.now_ms() - self.keeps

    async def learn(self) -> None:
        """Ask now, but not for long. What was known before stays known when there is no answer."""
        try:
            async with asyncio.timeout(_FIRST):
                keeps = await self._ask()
        except (AdminFailed, TimeoutError) as error:
            self._log.debug("the sink does not tell how long it keeps samples", error=str(error))
            return
        if keeps != self.keeps:
            self._log.info("the sink keeps samples for a time", seconds=None if keeps is None else keeps / 1000)
        self.keeps = keeps

    async def watch(self) -> None:
        """Ask again now and then, until cancelled."""
        while True:
            await asyncio.sleep(_AGAIN)
            await self.learn()
