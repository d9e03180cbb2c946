"""What happens to groups while nobody pushes: values are held, lives end, the projection follows the log."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.buffer import Position
from bridge.clock import Clock, sleep
from bridge.config import Push
from bridge.errors import BridgeError
from bridge.pushgw.groups import Groups
from bridge.pushgw.metrics import PushMetrics
from bridge.pushgw.projection import Projection

__all__ = ["Keeper"]

logger = structlog.get_logger(__name__)

LATE = 2  # ms; the loop's timers fire up to one early, and a tick before its time would be followed by a second one
EXPIRY_INTERVAL = 1.0  # seconds
PROJECTION_INTERVAL = 30.0  # seconds; a restart rolls forward what the log has since then, a microsecond a push


class Keeper:
    """The push groups' chores, each in a loop of its own until cancelled; a failed round is logged and tried again."""

    def __init__(
        self,
        groups: Groups,
        projection: Projection,
        settings: Push,
        *,
        durable: Callable[[], Position],
        clock: Clock,
        metrics: PushMetrics,
    ) -> None:
        self._groups = groups
        self._projection = projection
        self._durable = durable
        self._hold_interval = settings.hold_interval
        self._clock = clock
        self._metrics = metrics
        self._unsaved: dict[bytes, bytes | None] = {}

    def configure(self, settings: Push) -> None:
        """Take a new interval; it counts from the next round."""
        self._hold_interval = settings.hold_interval

    async def run(self) -> None:
        """Run all chores until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(self._until_next_hold, self._groups.hold))
            tasks.create_task(self._every(lambda: EXPIRY_INTERVAL, self._expire))
            tasks.create_task(self._every(lambda: PROJECTION_INTERVAL, self.save))

    async def save(self) -> None:
        """Bring the projection up to what is durable now."""
        # The table and the log's end are read in one turn of the loop: every change before the position is in the rows.
        position = self._durable()
        self._unsaved.update(self._groups.table.take_dirty())
        if self._unsaved:
            rows, self._unsaved = self._unsaved, {}
            try:
                await self._projection.save(position, rows.items())
            except BaseException:
                self._unsaved = rows | self._unsaved
                raise
        else:
            self._projection.advance(position)

    async def finish(self) -> None:
        """A last save. On a full disk it may fail: the next start reads more of the log then."""
        try:
            await self.save()
        except (BridgeError, OSError) as error:
            logger.warning("the push groups' projection was not saved, the log has them", error=str(error))

    async def _expire(self) -> None:
        if expired := await self._groups.expire():
            self._metrics.expired.inc(expired)
            logger.info("push groups ended: time to live is over", groups=expired)

    def _until_next_hold(self) -> float:
        """Seconds until the next multiple of the interval, so that held samples of all groups lie on one grid."""
        return (self._hold_interval - self._clock.now_ms() % self._hold_interval + LATE) / 1000

    async def _every(self, pause: Callable[[], float], chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await sleep(self._clock, pause())
            try:
                await chore()
            except (BridgeError, OSError) as error:
                logger.warning("a chore of the push groups failed, trying again", error=str(error))
            except Exception:  # a fault of ours in one chore must not end the others
                logger.exception("a chore of the push groups failed, trying again")
