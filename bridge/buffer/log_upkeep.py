"""What of the log can go: which part blocks have, and who still reads it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

import anyio.to_thread
import structlog

from bridge.buffer.checkpoint import Truncation, plan_truncation, truncate
from bridge.buffer.gaps import GapBook, note_gaps
from bridge.buffer.log import Log
from bridge.buffer.position import Position
from bridge.buffer.reader import LogReader
from bridge.buffer.segments import LogDir
from bridge.clock import Clock
from bridge.config import Storage
from bridge.native import Checkpoint

__all__ = ["LogUpkeep", "Owner"]

logger = structlog.get_logger(__name__)


class Owner(Protocol):
    """Whose state is made of the events of the log."""

    @property
    def reached(self) -> Position | None:
        """`events` tells what came of all events up to there; None: of none yet."""

    def events(self) -> list[bytes]:
        """The state, as events for whoever replays the log from there. May block."""


class LogUpkeep:
    """Cuts one log. Belongs to the event loop."""

    def __init__(self, directory: LogDir, log: Log, reader: LogReader, settings: Storage, clock: Clock) -> None:
        self._dir = directory
        self._log = log
        self._reader = reader
        self._settings = settings
        self._clock = clock
        self._mint: int | None = None
        self._owners: list[Owner] = []
        self._books: list[GapBook] = []

    def add_owner(self, owner: Owner) -> None:
        """Never drop what lies behind `reached`; of what lies before a checkpoint keep the state."""
        self._owners.append(owner)

    def add_readers(self, book: GapBook) -> None:
        """Keep the log for readers within the bounds of `storage.wal_keep`, and note what those beyond it miss."""
        self._books.append(book)

    def blocks_reach(self, maxt: int) -> None:
        """Blocks have every sample before `maxt` ms: so much less has to be in the log. It is cut in the next round."""
        self._mint = maxt
        self._log.begin_segment()

    def total_bytes(self) -> int:
        """What segments and checkpoints take."""
        return self._dir.total_bytes()

    async def truncate(self) -> None:
        """Condense what is no longer needed when a block has been cut. Raises OSError: then the log is as it was."""
        owners = [owner.reached for owner in self._owners]
        if self._mint is None or None in owners:
            return
        await self.condense(
            self._mint,
            readers=self._readers(),
            owners=[position for position in owners if position is not None],
            keep=self._settings.wal_keep.size or (1 << 62),
            before=self._note_gaps,
        )
        self._mint = None

    async def condense(
        self,
        mint: int,
        *,
        readers: Iterable[Position],
        owners: Iterable[Position],
        keep: int,
        events: Sequence[bytes] = (),
        before: Callable[[Position], Awaitable[object]] | None = None,
    ) -> Truncation | None:
        """Condense old segments to a checkpoint when it is time to, and remove them; what was done, None when nothing.

        Blocks must have all samples older than `mint` ms. See `plan_truncation` for `readers`, `owners` and `keep`
        (bytes) and `truncate` for `events` and what is raised. `before` is given the position at which the log is going
        to begin, and may prevent it by raising.
        """
        plan = plan_truncation(self._dir.sizes(), self._log.segment, readers=readers, owners=owners, keep=keep)
        if plan is None:
            return None
        if before is not None:
            await before(Position(plan.last + 1, 0))
        gathered = await anyio.to_thread.run_sync(partial(self._condense, plan, mint, events))
        logger.info(
            "log truncated",
            first=plan.first,
            last=plan.last,
            passed=plan.passed,
            series=gathered.series,
            samples=gathered.samples,
            dropped=gathered.samples_dropped,
        )
        self._log.head.forget_retired(plan.last + 1)
        return plan

    def _condense(self, plan: Truncation, mint: int, events: Sequence[bytes]) -> Checkpoint:
        told = [*events, *(event for owner in self._owners for event in owner.events())]
        return truncate(self._dir, self._log.head, plan, mint=mint, settings=self._settings.wal, events=told)

    async def _note_gaps(self, oldest: Position) -> None:
        for book in self._books:
            await note_gaps(self._reader.read, book, oldest)

    def _readers(self) -> list[Position]:
        """Where readers are that have not been waited for too long."""
        places = [book.reached(name) for book in self._books for name in book.names()]
        limit = self._settings.wal_keep.time.seconds
        oldest = self._clock.now_ms() / 1000 - limit if limit else 0.0
        return [place[0] for place in places if place and self._dir.modified(place[0].segment) >= oldest]
