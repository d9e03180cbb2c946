"""The log as a sink reads it: from its cursor on, in slices of bounded size, encoded for sending.

The log is the queue: nothing is kept here but the slice that is being read, however long the backlog.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import anyio.to_thread
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from bridge.buffer import Position
from bridge.native import Lines, LogSlice

__all__ = ["Backlog", "Log", "Parcel"]

logger = structlog.get_logger(__name__)


class Log(Protocol):
    """What is read from: implemented by `bridge.buffer.Store`."""

    @property
    def seq(self) -> int:
        """Samples accepted over the store's life."""

    def durable(self) -> Position:
        """Up to where the log can be read."""

    def oldest(self) -> Position:
        """From where the log can be read."""

    async def wait_beyond(self, position: Position) -> None:
        """Return when there is something to read beyond `position`."""

    def read(self, position: Position, max_samples: int, *, seq: int = 0) -> tuple[LogSlice, Position]:
        """Whole batches from `position` on until there are `max_samples`, and the position behind them."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A slice of the log, ready to be sent.

    Attributes:
        lines: its samples, as far as lines can carry them.
        unrepresentable: the others, by reason.
        position: where it ends.
        seq: samples accepted by the store up to there.
    """

    lines: Lines
    unrepresentable: Mapping[str, int]
    position: Position
    seq: int


class Backlog:
    """Reads on from where it is; whoever sends the parcels keeps the cursor."""

    def __init__(
        self, log: Log, *, position: Position, seq: int, max_samples: int, encode: Callable[[LogSlice], Lines]
    ) -> None:
        self._log = log
        self._position = position
        self._seq = seq
        self._max_samples = max_samples
        self._encode = encode
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(OSError), wait=wait_exponential(max=60.0), before_sleep=_log_fault
        )

    @property
    def unread(self) -> int:
        """Samples accepted beyond the last parcel."""
        return self._log.seq - self._seq

    async def next(self) -> Parcel:
        """Wait for samples, read and encode them. Faults of the disk are waited out."""
        while True:
            await self._log.wait_beyond(self._position)
            parcel: Parcel | None = await self._retrying(self._read_in_thread)
            if parcel is not None:
                return parcel

    async def _read_in_thread(self) -> Parcel | None:
        return await anyio.to_thread.run_sync(self._read)

    def _read(self) -> Parcel | None:
        """One slice; None when there was something else than samples in the log."""
        piece, self._position = self._log.read(self._position, self._max_samples, seq=self._seq)
        if piece.samples == 0:
            return None
        self._seq = piece.seq
        lines = self._encode(piece)
        return Parcel(lines, lines.unrepresentable, self._position, self._seq)


def _log_fault(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    logger.error("log cannot be read, trying again", error=str(error), attempt=state.attempt_number)
