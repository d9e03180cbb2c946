"""The store: what is appended is durable in the log, visible in memory, later in blocks, and read again by sinks.

The write path in one breath: `stage` checks a batch and encodes its records (Rust, changes nothing that a reader sees),
the log makes it durable together with whatever else waits, then it is committed and its caller told.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from bridge.buffer.checkpoint import Truncation
from bridge.buffer.files import Files
from bridge.buffer.gaps import GapBook, note_gaps
from bridge.buffer.log_upkeep import Owner
from bridge.buffer.opening import Parts, Surroundings, open_parts
from bridge.buffer.position import Position
from bridge.buffer.replay import OnEvent, Progress
from bridge.buffer.view import View
from bridge.clock import Clock
from bridge.config import Storage
from bridge.native import AppendRefused, Batch, LogSlice, Refusals

__all__ = ["AppendResult", "Store"]


class AppendResult(NamedTuple):
    """What became of a batch: the time its rows without one were given (ms), how many samples, its place in the order
    of all samples ever accepted (those before it), and the log position behind it; of a partial batch, how many rows
    were refused, and why the first of them was; how many series were new, and all that was left out."""

    time: int
    samples: int
    seq: int
    position: Position
    refused: int = 0
    refusal: str | None = None
    series_created: int = 0
    refusals: Refusals | None = None


class Store(View):
    """A data directory opened for writing. Made by `open`; all methods belong to one event loop."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.head, parts.blocks)
        self.blocks = parts.blocks
        self._log = parts.log
        self._reader = parts.reader
        self._lock = parts.lock
        self._metrics = parts.metrics
        self._upkeep = parts.upkeep
        self._log_upkeep = parts.log_upkeep
        self._chunks = parts.chunks
        self.admin = parts.admin

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        settings: Storage,
        clock: Clock,
        registry: CollectorRegistry,
        files: Files | None = None,
        on_event: OnEvent | None = None,
        progress: Progress | None = None,
    ) -> "Store":
        """Lock `path`/tsdb, open its blocks, replay its log, repair what a crash left, and be ready to append.

        `on_event` is given the event of each batch in the log, in order, with the position behind that batch;
        `progress` is told which segment is replayed. Raises
        ConfigError when another process has the directory or blocks of it are damaged, OSError when it cannot be read.
        """
        given = Surroundings(path / "tsdb", settings, clock, registry, files or Files(), progress)
        return cls(open_parts(given, on_event))

    async def append(
        self, batch: Batch, *, max_series: int | None = None, max_new_series: int | None = None
    ) -> AppendResult:
        """Return once the batch is durable and visible.

        Samples of new series are left out when there would be more than `max_series`, or more than `max_new_series` new
        ones.

        Raises AppendRefused when it breaks a rule of the head, and Unavailable when it could not be made durable: then
        nothing of it is stored. A caller that is cancelled no longer learns which; the batch goes its way.
        """
        self._log.check_open()
        try:
            staged = self._head.stage(batch, max_series=max_series, max_new_series=max_new_series)
        except AppendRefused as refused:
            self._metrics.refused.labels(refused.reason).inc()
            raise
        position = await self._log.append(staged, batch)
        return AppendResult(
            staged.time,
            staged.samples,
            staged.seq,
            position,
            staged.refused,
            staged.refusal,
            staged.series_created,
            staged.refusals,
        )

    async def tick(self, t: int) -> None:
        """Record durably that at `t` ms the last value of each held series is sampled again, for `held` readers."""
        self._log.check_open()
        await self._log.tick(t)

    def on_commit(self, callback: Callable[[Batch], None]) -> None:
        """Call `callback` with each batch when it has become visible, in log order, before its caller is told."""
        self._log.on_commit.append(callback)

    def on_rollback(self, callback: Callable[[], None]) -> None:
        """Call `callback` when all that was not yet visible has been rolled back, before anything new is staged."""
        self._log.on_rollback.append(callback)

    def set_bounds(self, min_valid: int | None, max_valid: int | None) -> None:
        """Refuse samples outside [min_valid, max_valid] ms from now on."""
        self._head.set_bounds(min_valid, max_valid)

    def durable(self) -> Position:
        """Up to where the log can be read."""
        return self._log.durable

    def oldest(self) -> Position:
        """From where the log can be read."""
        return self._reader.oldest()

    async def wait_beyond(self, position: Position) -> None:
        """Return when there is something to read beyond `position`."""
        await self._log.wait_beyond(position)

    def read(self, position: Position, max_samples: int, *, least: int = 1, seq: int = 0) -> tuple[LogSlice, Position]:
        """Whole batches from `position` on of `max_samples` at most, and the position behind them; more only until
        there are `least`.

        Empty when there is nothing more; the position may have moved to a later segment even so. `seq` is what the
        cursor remembers: a log that a Prometheus wrote does not say it. May be called in any thread. Raises Truncated
        when the log does not reach back to `position`.
        """
        return self._reader.read(position, max_samples, seq, least)

    def add_owner(self, owner: Owner) -> None:
        """Never let go of events of the log that `owner` could not tell again."""
        self._log_upkeep.add_owner(owner)

    def add_readers(self, book: GapBook) -> None:
        """Keep the log for readers, within the bounds of `storage.wal_keep`; what those beyond it miss is noted."""
        self._log_upkeep.add_readers(book)

    async def note_gaps(self, book: GapBook, oldest: Position) -> list[str]:
        """Note durably what each reader in `book` misses once the log begins at `oldest`, the start of a segment.

        To be called before anything of it goes. Returns the readers concerned. Raises OSError and Unavailable: then
        the log must stay as it is.
        """
        return await note_gaps(self._reader.read, book, oldest)

    async def truncate_log(
        self,
        mint: int,
        *,
        readers: Iterable[Position],
        owners: Iterable[Position],
        keep: int,
        events: Sequence[bytes] = (),
        before: Callable[[Position], Awaitable[object]] | None = None,
    ) -> Truncation | None:
        """Cut the log now, as `LogUpkeep.condense` does."""
        return await self._log_upkeep.condense(
            mint, readers=readers, owners=owners, keep=keep, events=events, before=before
        )

    async def run(self) -> None:
        """Upkeep once a minute, until cancelled: chunks to files, ranges to blocks, blocks to larger ones, old ones
        away, the log cut."""
        await self._upkeep.run()

    async def maintain(self) -> None:
        """One round of it now."""
        await self._upkeep.tick()

    def configure(self, settings: Storage) -> None:
        """Take new limits on what is kept."""
        self._upkeep.configure(settings)

    def kept_for(self) -> int | None:
        """How old samples become before retention deletes them, ms, if the store goes on as it did; None for ever."""
        return self._upkeep.kept_for(self._head.max_time)

    def metas(self) -> list[Mapping[str, Any]]:
        """What the meta.json of each block in use says, oldest first."""
        return [block.meta.document() for block in self.blocks.loaded]

    def problem(self) -> str | None:
        """Why the last batches were refused; None when all is well. It mends itself: every batch is a new try."""
        return self._log.problem

    def fatal(self) -> str | None:
        """Why nothing is taken any more before a restart; None when there is no such reason."""
        return self._log.fatal

    async def close(self) -> None:
        """Finish what waits, finish the segment, give the directory back."""
        try:
            self._upkeep.close()
            await self._log.close()
            self._chunks.close()
        finally:
            self._lock.release()
