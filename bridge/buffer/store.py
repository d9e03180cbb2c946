"""The store: what is appended is durable in the log, visible in the head, and can be read again by sinks.

The write path in one breath: `stage` checks a batch and encodes its records (Rust, changes nothing that a reader sees),
the log makes it durable together with whatever else waits, then it is committed and its caller told.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio
import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer.checkpoint import Truncation, plan_truncation, truncate
from bridge.buffer.files import Files
from bridge.buffer.gaps import GapBook, note_gaps
from bridge.buffer.lock import DirLock
from bridge.buffer.log import Log
from bridge.buffer.matchers import Matchers
from bridge.buffer.metrics import HeadMetrics, WalMetrics
from bridge.buffer.position import Position
from bridge.buffer.querier import MAX_TIME, MIN_TIME, Querier
from bridge.buffer.reader import LogReader
from bridge.buffer.replay import OnEvent, Progress, recover, replay
from bridge.buffer.segments import LogDir
from bridge.buffer.wal import Wal
from bridge.clock import Clock
from bridge.config import Wal as WalSettings
from bridge.native import AppendRefused, Batch, Head, LogSlice, Series

__all__ = ["AppendResult", "Store", "View", "open_read_only"]

logger = structlog.get_logger(__name__)


class AppendResult(NamedTuple):
    """What became of a batch: the time its rows without one were given (ms), how many samples, its place in the order
    of all samples ever accepted (those before it), and the log position behind it; of a partial batch, how many rows
    were refused, and why the first of them was."""

    time: int
    samples: int
    seq: int
    position: Position
    refused: int = 0
    refusal: str | None = None


class View:
    """Samples as they are in memory."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self.querier = Querier(head)

    @property
    def head(self) -> Head:
        """Whose series the references in the log name: for whoever encodes what `read` gives."""
        return self._head

    @property
    def seq(self) -> int:
        """Samples accepted over the life of the store."""
        return self._head.seq

    def select(
        self, matchers: Matchers, mint: int = MIN_TIME, maxt: int = MAX_TIME, *, held: bool = False, limit: int = 0
    ) -> list[Series]:
        """Series with samples in [mint, maxt] ms; `held` adds pushed values as held by ticks. 0: no limit."""
        return self._head.select(matchers, mint, maxt, held=held, limit=limit)

    def dump(
        self, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME, *, held: bool = False
    ) -> Iterator[bytes]:
        """Lines as `promtool tsdb dump` prints them, in bounded pieces, series sorted by their labels."""
        return self.querier.dump(matchers, mint, maxt, held=held)


class Store(View):
    """A data directory opened for writing. Made by `open`; all methods belong to one event loop."""

    def __init__(
        self,
        *,
        head: Head,
        log: Log,
        reader: LogReader,
        lock: DirLock,
        metrics: HeadMetrics,
        directory: LogDir,
        settings: WalSettings,
    ) -> None:
        super().__init__(head)
        self._dir = directory
        self._settings = settings
        self._log = log
        self._reader = reader
        self._lock = lock
        self._metrics = metrics

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        settings: WalSettings,
        clock: Clock,
        registry: CollectorRegistry,
        files: Files | None = None,
        on_event: OnEvent | None = None,
        exemplars: int = 100_000,
        out_of_order_window: int = 0,
        progress: Progress | None = None,
    ) -> "Store":
        """Lock `path`/tsdb, replay its log, repair what a crash left, and be ready to append.

        `on_event` is given the event of each batch in the log, in order, with the position behind that batch; at most
        `exemplars` are kept, of all series together. Samples out of order are taken when they are at most
        `out_of_order_window` ms older than the newest one. Raises ConfigError when another process has the directory,
        OSError when it cannot be read.
        """
        files = files or Files()
        directory = LogDir(files, path / "tsdb" / "wal")
        files.make_dir(directory.path)
        lock = DirLock.take(files, directory.path.parent)
        try:
            head = Head()
            head.set_compression(settings.compression)
            head.set_exemplar_limits(exemplars, 0)
            head.set_out_of_order_window(out_of_order_window)
            found = recover(directory, head, clock, on_event, clean=lock.clean_start, progress=progress)
            wal_metrics = WalMetrics(registry, directory, found)
            wal = Wal(directory, settings, first=found.next_segment, ends=found.ends, clock=clock, metrics=wal_metrics)
            log = Log(head, wal, settings, wal_metrics)
            reader = LogReader(directory, head, wal, log, wal_metrics)
        except BaseException:
            lock.release()
            raise
        logger.info("store open", path=str(path), **found.summary())
        return cls(
            head=head,
            log=log,
            reader=reader,
            lock=lock,
            metrics=HeadMetrics(registry, head),
            directory=directory,
            settings=settings,
        )

    async def append(self, batch: Batch) -> AppendResult:
        """Return once the batch is durable and visible.

        Raises AppendRefused when it breaks a rule of the head, and Unavailable when it could not be made durable: then
        nothing of it is stored. A caller that is cancelled no longer learns which; the batch goes its way.
        """
        self._log.check_open()
        try:
            staged = self._head.stage(batch)
        except AppendRefused as refused:
            self._metrics.refused.labels(refused.reason).inc()
            raise
        position = await self._log.append(staged, batch)
        return AppendResult(staged.time, staged.samples, staged.seq, position, staged.refused, staged.refusal)

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

    def read(self, position: Position, max_samples: int, *, seq: int = 0) -> tuple[LogSlice, Position]:
        """Whole batches from `position` on until there are `max_samples`, and the position behind them.

        Empty when there is nothing more; the position may have moved to a later segment even so. `seq` is what the
        cursor remembers: a log that a Prometheus wrote does not say it. May be called in any thread. Raises Truncated
        when the log does not reach back to `position`.
        """
        return self._reader.read(position, max_samples, seq)

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
        """Condense old segments to a checkpoint when it is time to, and remove them; what was done, None when nothing.

        Blocks must have all samples older than `mint` ms. See `plan_truncation` for `readers`, `owners` and `keep`
        (bytes) and `truncate` for `events` and what is raised. `before` is given the position at which the log is going
        to begin, and may prevent it by raising.
        """
        active = self._log.durable.segment
        plan = plan_truncation(self._dir.sizes(), active, readers=readers, owners=owners, keep=keep)
        if plan is not None:
            if before is not None:
                await before(Position(plan.last + 1, 0))
            condense = partial(truncate, self._dir, self._head, plan, mint=mint, settings=self._settings, events=events)
            gathered = await anyio.to_thread.run_sync(condense)
            logger.info(
                "log truncated",
                first=plan.first,
                last=plan.last,
                passed=plan.passed,
                series=gathered.series,
                samples=gathered.samples,
                dropped=gathered.samples_dropped,
            )
        return plan

    def problem(self) -> str | None:
        """Why the last batches were refused; None when all is well. It mends itself: every batch is a new try."""
        return self._log.problem

    def fatal(self) -> str | None:
        """Why nothing is taken any more before a restart; None when there is no such reason."""
        return self._log.fatal

    async def close(self) -> None:
        """Finish what waits, finish the segment, give the directory back."""
        try:
            await self._log.close()
        finally:
            self._lock.release()


def open_read_only(path: Path, clock: Clock) -> View:
    """What the store at `path` holds, also while another process runs on it. Takes no lock and changes nothing."""
    log = LogDir(Files(), path / "tsdb" / "wal")
    while True:
        before = log.checkpoint_number()
        head = Head()
        found = replay(log, head, clock)
        if log.checkpoint_number() == before:  # else segments went away while they were read
            break
    logger.debug("store read", path=str(path), **found.summary())
    return View(head)
