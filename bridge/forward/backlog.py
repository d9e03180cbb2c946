"""The log as a sink reads it: from its cursor on, in slices of bounded size, encoded for sending.

The log is the queue: nothing is kept here but what is being read, however long the backlog. Where the log has gone
before it was read, history takes its place.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import anyio.to_thread
from structlog.typing import FilteringBoundLogger
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from bridge.buffer import MAX_TIME, Gap, Position, Truncated
from bridge.forward.account import Account
from bridge.forward.catchup import Catcher
from bridge.forward.history import History
from bridge.forward.parcel import CatchUp, Parcel
from bridge.forward.payload import Encoder
from bridge.forward.ranges import Ranges
from bridge.native import Head, LogSlice

__all__ = ["Backlog", "Log"]

_UNDER_WAY = 3  # parcels at most
_FULL = 0.75  # of a parcel, at least: smaller requests tell nothing of how a sink takes full ones


class Log(Protocol):
    """What is read from: implemented by `bridge.buffer.Store`."""

    @property
    def head(self) -> Head:
        """Whose series the references in the log name."""

    @property
    def seq(self) -> int:
        """Samples accepted over the store's life."""

    def durable(self) -> Position:
        """Up to where the log can be read."""

    def oldest(self) -> Position:
        """From where the log can be read."""

    async def wait_beyond(self, position: Position) -> None:
        """Return when there is something to read beyond `position`."""

    def read(self, position: Position, max_samples: int, *, least: int = 1, seq: int = 0) -> tuple[LogSlice, Position]:
        """Whole batches from `position` on of `max_samples` at most, and the position behind them; more only until
        there are `least`. Raises Truncated when the log begins behind `position`."""


class Backlog:
    """Reads on from an account; whoever sends the parcels moves the account and keeps the cursor."""

    def __init__(
        self,
        log: Log,
        account: Account,
        *,
        gap: Callable[[Position], Gap | None],
        history: History,
        max_samples: int,
        encoder: Encoder,
        logger: FilteringBoundLogger,
        ordered: bool = False,
        exemplars: bool = False,
    ) -> None:
        """`gap` tells what is missed by who is at a position that the log does not reach back to; `ordered`: the sink
        refuses samples of a series that are older than what it has; `exemplars`: it is sent them."""
        self._log = log
        self._position = account.position
        self._seq = account.seq
        self._gap = gap
        self._max_samples = max_samples
        self._launched = account.launched
        self._until = account.until
        self._encoder = encoder
        encoder.begin(account.newest)
        self._ordered = ordered
        self._exemplars = exemplars
        self._logger = logger
        self._new_catcher = partial(Catcher, history=history, max_samples=max_samples, encoder=encoder)
        self._catcher: Catcher | None = None
        if account.catching_up is not None:
            self._catch_up(account.catching_up, account.until)
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(OSError), wait=wait_exponential(max=60.0), before_sleep=self._log_fault
        )

    @property
    def unread(self) -> int:
        """Samples that wait to be read, so far as is known; of history there is always enough."""
        return self._log.seq - self._seq if self._catcher is None else max(self._log.seq, self._max_samples)

    async def next(self) -> Parcel:
        """Wait for samples, read and encode them. Faults of the disk are waited out."""
        while True:
            if self._catcher is None:
                await self._log.wait_beyond(self._position)
            parcel: Parcel | None = await self._retrying(self._read_in_thread)
            if parcel is not None:
                return parcel

    async def _read_in_thread(self) -> Parcel | None:
        return await anyio.to_thread.run_sync(self._read)

    def _read(self) -> Parcel | None:
        """One parcel; None when there was something else than samples."""
        if self._catcher is not None:
            parcel = self._catcher.next()
            if parcel.catching_up is None:
                self._catcher = self._until = None
            self._seq = parcel.seq
            return parcel
        try:
            # What may have been sent before a crash comes in one piece: so it can be told what of it was.
            doubtful = max(self._launched - self._seq, 0)
            least = max(int(self._max_samples * _FULL), doubtful)
            piece, self._position = self._log.read(self._position, self._max_samples, least=least, seq=self._seq)
        except Truncated as truncated:
            self._leap(truncated.oldest)
            return None
        payload = self._encoder.encode_slice(self._log.head, piece)
        if piece.samples == 0 and not len(payload):  # exemplars may come alone
            return None
        self._seq = piece.seq
        return Parcel(
            payload,
            payload.unrepresentable,
            self._position,
            self._seq,
            doubtful=doubtful > 0,
            abridged=self._encoder.abridged(self._log.head, piece),
        )

    def _leap(self, oldest: Position) -> None:
        """Go to where the log is still there, by way of history when it is known what is missed."""
        gap = self._gap(self._position)
        if gap is None or gap.end > self._log.durable():
            self._logger.error("log gone before it was read, reading on behind it", position=str(self._position))
            self._position = oldest
            return
        self._logger.info("log gone before it was read, sending from history", samples=gap.seq - self._seq)
        missed = gap.exemplars if self._exemplars else None
        if missed is not None:
            self._logger.warning(
                "exemplars are not sent: they have left the log before they were read, and history has none",
                exemplars=missed.total,
                first_ms=missed.mint,
                last_ms=missed.maxt,
                advice="if they matter, let the log wait longer for sinks: storage.wal_keep",
            )
        self._position = gap.end
        spans = Ranges((first, min(last + self._encoder.reach, MAX_TIME)) for first, last in gap.spans)
        lost = missed.total if missed is not None else 0
        self._catch_up(CatchUp(gap.seq, tuple(spans.runs()), exemplars=lost), self._until)

    def _catch_up(self, state: CatchUp, until: int | None) -> None:
        # Of what was read some may be under way, or have been before a crash.
        doubtful = max(self._launched - self._seq, 0) + state.counted + _UNDER_WAY * self._max_samples
        self._catcher = self._new_catcher(
            state, position=self._position, seq=self._seq, doubtful=doubtful if self._ordered else 0, until=until
        )

    def _log_fault(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._logger.error("log cannot be read, trying again", error=str(error), attempt=state.attempt_number)
