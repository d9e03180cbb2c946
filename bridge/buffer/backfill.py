"""Samples of any age into blocks of a store, beside a running bridge or without one.

    <data>/import/               locked by the import that runs; a later one removes what it finds
      <ULID>.tmp-for-creation/   a block on its way, see block_writer.py
      <ULID>/                    a finished one
    rename to <data>/tsdb/<ULID> all of them, when the whole text has been read

So nothing of a text that turns out to be bad is ever in the store. The drafts do not lie in `tsdb/`, because a bridge
that starts meanwhile sweeps that directory. A running bridge finds the blocks at its next reload, once a minute.

The blocks are marked as made of out-of-order samples. Otherwise Prometheus, and we, would take from a block that
reaches into the time of the log that the log need not be read that far, and lose what only the log holds.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from bridge.buffer.block_writer import BlockWriter
from bridge.buffer.files import Files
from bridge.buffer.lock import DirLock
from bridge.buffer.meta import BlockMeta, Stats
from bridge.buffer.ulid import Entropy, Ulid, new_ulid
from bridge.clock import Clock
from bridge.native import Backfill, BlockStats

__all__ = ["Drafts", "Imported", "TextImport"]

BUDGET = 64 << 20
"""Bytes of compressed samples and labels beyond which blocks are written before the text has ended."""

PIECE = 4 << 20
"""Bytes of chunks that come out of the engine at once."""


class Imported(NamedTuple):
    """What an import has done. Samples `repeated` came more than once; `contradicting` ones were left out, because an
    earlier one has another value at the same time."""

    blocks: tuple[Path, ...]
    samples: int
    repeated: int
    contradicting: int


class Source(Protocol):
    """What a block is made of; see `compact.Building`."""

    def step(self, max_bytes: int) -> list[tuple[int, bytes]] | None:
        """The next pieces, each with the number of its chunk file, or 0 for the index. None at the end."""

    @property
    def held(self) -> bytes | None:
        """The file `held`, at the end."""

    @property
    def stats(self) -> BlockStats:
        """What is in it, at the end."""


class Drafts:
    """Blocks that are not in the store yet. Made by `begin`; ends with `publish` or `close`."""

    def __init__(self, files: Files, data: Path, lock: DirLock, clock: Clock, entropy: Entropy) -> None:
        self._files = files
        self._directory = data / "import"
        self._store = data / "tsdb"
        self._lock: DirLock | None = lock
        self._clock = clock
        self._entropy = entropy
        self._finished: list[Path] = []
        self.samples = 0

    @classmethod
    def begin(cls, files: Files, data: Path, clock: Clock, entropy: Entropy = os.urandom) -> Self:
        """Claim `data`'s directory of drafts. Raises ConfigError while another import runs, and OSError."""
        directory = data / "import"
        files.make_dir(directory)
        lock = DirLock.take(files, directory)
        for name in files.list(directory):
            if name != "lock":
                files.remove_tree(directory / name)
        return cls(files, data, lock, clock, entropy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, source: Source, advance: Callable[[int], None] | None = None) -> None:
        """Write a block; one without samples is none. `advance` is told of bytes.

        Raises OSError, ValueError; then there is no such block.
        """
        ulid = new_ulid(self._clock.now_ms(), self._entropy)
        writer = BlockWriter(self._files, self._directory, ulid)
        try:
            writer.begin()
            while (pieces := source.step(PIECE)) is not None:
                for number, data in pieces:
                    if number:
                        writer.chunks(number, data)
                    else:
                        writer.index(data)
                    if advance is not None:
                        advance(len(data))
            meta = _meta(ulid, source.stats)
            if meta is None:
                writer.abandon()
            else:
                self.samples += meta.stats.samples
                self._finished.append(writer.finish(meta, held=source.held or b""))
        except BaseException:
            with contextlib.suppress(OSError):
                writer.abandon()
            raise

    def publish(self) -> tuple[Path, ...]:
        """Move all blocks into the store, durably; where they are. Raises OSError: then some may be there already."""
        self._files.make_dir(self._store)
        published = []
        for path in self._finished:
            target = self._store / path.name
            self._files.rename(path, target)
            published.append(target)
        self._files.sync_dir(self._store)
        self._files.sync_dir(self._directory)
        self._finished.clear()
        return tuple(published)

    def close(self) -> None:
        """Remove what has not been published, and let go of the directory."""
        if self._lock is None:
            return
        for path in self._finished:
            self._files.remove_tree(path)
        self._lock.release()
        self._lock = None


class TextImport:
    """A text on its way into blocks; memory stays near `budget`, whatever its length."""

    def __init__(self, text: Backfill, drafts: Drafts, *, budget: int = BUDGET) -> None:
        self._text = text
        self._drafts = drafts
        self._budget = budget
        self._repeated = 0
        self._contradicting = 0

    def feed(self, data: bytes | memoryview) -> None:
        """Read on. Raises BadText that names the line, and OSError."""
        self._text.feed(data)
        if self._text.bytes > self._budget:
            self._relieve()

    def finish(self) -> Imported:
        """The text has ended: everything goes into the store. Raises BadText, OSError."""
        self._text.finish()
        self._write(self._text.windows())
        return Imported(self._drafts.publish(), self._drafts.samples, self._repeated, self._contradicting)

    def _relieve(self) -> None:
        """Write blocks early: those of old times when that is enough, for the newest one is still growing in a text
        that goes by time; else all, which frees the labels as well. A window that gets more samples becomes several
        blocks, which compaction will make one."""
        *old, newest = self._text.windows()
        self._write(old)
        if self._text.bytes > self._budget // 2:
            self._write([newest])

    def _write(self, windows: list[tuple[int, int]]) -> None:
        for start, _ in windows:
            window = self._text.take(start)
            self._drafts.write(window)
            self._repeated += window.repeated
            self._contradicting += window.contradicting
        self._text.forget_series()


def _meta(ulid: Ulid, stats: BlockStats) -> BlockMeta | None:
    if stats.min_time is None or stats.max_time is None:
        return None
    counts = Stats(stats.samples, stats.float_samples, stats.histogram_samples, stats.series, stats.chunks)
    return replace(BlockMeta.cut(ulid, stats.min_time, stats.max_time + 1, out_of_order=True), stats=counts)
