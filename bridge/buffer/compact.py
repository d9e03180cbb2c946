"""Making blocks out of memory, out of other blocks, and out of blocks with deletions.

Everything here runs in the one thread that looks after blocks. The core does the work in steps of some MiB, without the
interpreter's lock; between them the thread asks whether to go on.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.block_writer import BlockWriter
from bridge.buffer.blocks import Blocks, DamagedBlocks, OpenBlock
from bridge.buffer.files import Files, is_full
from bridge.buffer.meta import BlockMeta, Stats
from bridge.buffer.plan import Plan, plan
from bridge.buffer.ulid import Entropy, new_ulid
from bridge.clock import Clock
from bridge.errors import Unavailable

__all__ = ["Building", "Built", "Compactor", "Merge", "Stopped"]

logger = structlog.get_logger(__name__)

STEP_BYTES = 4 << 20

R = TypeVar("R")


class Stopped(Unavailable):
    """What was being written is given up, and begun again another time."""


class Built(Protocol):
    """What a finished block holds."""

    @property
    def series(self) -> int:
        """Series."""

    @property
    def chunks(self) -> int:
        """Chunks."""

    @property
    def float_samples(self) -> int:
        """Samples of chunks of floats."""

    @property
    def histogram_samples(self) -> int:
        """Samples of chunks of native histograms."""


class Building(Protocol):
    """A block that the core builds: chunk files first, then the index, then the rest."""

    def step(self, max_bytes: int) -> list[tuple[int, bytes]] | None:
        """The next pieces, about `max_bytes` in all, each with the number of its chunk file, or 0 for the index. None
        at the end. Raises ValueError when what it is made from is damaged."""

    @property
    def held(self) -> bytes | None:
        """The file `held`, at the end; None when no series is held."""

    @property
    def stats(self) -> Built:
        """What is in it, at the end."""


Merge = Callable[[Sequence[R], int, int], Building]
"""Begins to build a block of [mint, maxt) out of others."""


class Compactor(Generic[R]):
    """Writes blocks and puts them in the place of what they were made from."""

    def __init__(
        self,
        blocks: Blocks[R],
        merge: Merge[R],
        *,
        files: Files,
        clock: Clock,
        metrics: BlockMetrics,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._blocks = blocks
        self._merge = merge
        self._files = files
        self._clock = clock
        self._metrics = metrics
        self._stop = threading.Event()
        self._entropy = entropy

    @property
    def stopped(self) -> bool:
        """True when the store is closing."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Give up what is being written, at the next step. From any thread."""
        self._stop.set()

    def cut(self, building: Building, mint: int, maxt: int, *, out_of_order: bool = False) -> BlockMeta | None:
        """Write a block of [mint, maxt) out of memory and take it in use; None when it would be empty.

        Memory may forget what is in it when this has returned. Raises OSError, ValueError, DamagedBlocks, Stopped; then
        there is no such block.
        """
        ulid = new_ulid(self._clock.now_ms(), self._entropy)
        meta = BlockMeta.cut(ulid, mint, maxt, out_of_order=out_of_order)
        written = self._write(meta, building, self._blocks.directory)
        if written is not None:
            self._take(written)
        return written

    def copy(self, building: Building, mint: int, maxt: int, directory: Path) -> BlockMeta | None:
        """Write such a block below another directory. Raises OSError, ValueError, Stopped."""
        ulid = new_ulid(self._clock.now_ms(), self._entropy)
        return self._write(BlockMeta.cut(ulid, mint, maxt), building, directory)

    def compact(self, ranges: Sequence[int]) -> bool:
        """Do what the planner wants most; False when it wants nothing.

        Raises as `cut` does. The blocks of a failed attempt are marked, so that it is not made again and again, unless
        it failed for want of space.
        """
        found = plan((block.meta for block in self._blocks.loaded), ranges)
        if found is not None:
            self._replace(found)
        return found is not None

    def clean(self, block: OpenBlock[R]) -> BlockMeta | None:
        """Rewrite a block without what has been deleted from it; None when nothing is left. Raises as `cut` does."""
        meta = BlockMeta.cleaned(new_ulid(self._clock.now_ms(), self._entropy), block.meta)
        written = self._write(meta, self._merge([block.reader], meta.mint, meta.maxt), self._blocks.directory)
        self._settle([block], written)
        return written

    def _write(self, meta: BlockMeta, building: Building, directory: Path) -> BlockMeta | None:
        """What has been written, with its figures; None, and no block, when that is nothing.

        Raises OSError, ValueError, Stopped; then there is no block either.
        """
        began = self._clock.monotonic()
        self._metrics.compactions.inc()
        self._metrics.populating.set(1)
        writer = BlockWriter(self._files, directory, meta.ulid)
        try:
            writer.begin()
            written = self._drain(writer, meta, building)
        except BaseException as error:
            if not isinstance(error, Stopped):
                self._metrics.compaction_failures.inc()
            with contextlib.suppress(OSError):
                writer.abandon()
            raise
        finally:
            self._metrics.populating.set(0)
        seconds = self._clock.monotonic() - began
        self._metrics.compaction_seconds.observe(seconds)
        self._tell(meta, written, seconds)
        return written

    def _drain(self, writer: BlockWriter, meta: BlockMeta, building: Building) -> BlockMeta | None:
        while (pieces := building.step(STEP_BYTES)) is not None:
            for number, data in pieces:
                if number:
                    writer.chunks(number, data)
                else:
                    writer.index(data)
            if self.stopped:
                raise Stopped("the store is closing")
        built = building.stats
        samples = built.float_samples + built.histogram_samples
        if not samples:
            writer.abandon()
            return None
        stats = Stats(samples, built.float_samples, built.histogram_samples, built.series, built.chunks)
        written = replace(meta, stats=stats)
        writer.finish(written, held=building.held or b"")
        return written

    def _replace(self, found: Plan) -> None:
        wanted = {meta.ulid for meta in found.blocks}
        with self._blocks.reading() as loaded:
            inputs = [block for block in loaded if block.meta.ulid in wanted]
            meta = BlockMeta.merged(new_ulid(self._clock.now_ms(), self._entropy), [block.meta for block in inputs])
            try:
                building = self._merge([block.reader for block in inputs], meta.mint, meta.maxt)
                written = self._write(meta, building, self._blocks.directory)
            except (ValueError, OSError) as error:
                if not (isinstance(error, OSError) and is_full(error)):
                    self._mark_failed(inputs)
                raise
        if found.reason == "overlap":
            self._metrics.vertical_compactions.inc()
        self._settle(inputs, written)

    def _settle(self, inputs: Sequence[OpenBlock[R]], written: BlockMeta | None) -> None:
        """Put what was written in the place of what it was made from."""
        if written is not None:
            self._take(written)
            return
        for block in inputs:
            self._blocks.rewrite_meta(block.meta.as_deletable())
        self._blocks.drop({block.meta.ulid for block in inputs})

    def _take(self, written: BlockMeta) -> None:
        try:
            self._blocks.reload()
        except (DamagedBlocks, OSError):
            self._blocks.drop({written.ulid})  # nobody uses it, and the next attempt will write it again
            raise

    def _mark_failed(self, inputs: Sequence[OpenBlock[R]]) -> None:
        for block in inputs:
            try:
                self._blocks.rewrite_meta(block.meta.with_failure())
            except OSError as error:
                logger.warning("a block could not be marked", block=block.meta.ulid, reason=str(error))

    def _tell(self, meta: BlockMeta, written: BlockMeta | None, seconds: float) -> None:
        origin = [parent.ulid for parent in meta.compaction.parents]
        logger.info(
            "block written" if written else "nothing left to write a block of",
            block=meta.ulid,
            mint=meta.mint,
            maxt=meta.maxt,
            level=meta.compaction.level,
            hints=list(meta.compaction.hints),
            parents=origin,
            samples=written.stats.samples if written else 0,
            seconds=round(seconds, 3),
        )
