"""The directory of blocks: which are there, which are in use, and how one goes.

A directory whose name is a ULID is a block; whatever else lies beside it is somebody else's and left alone. Blocks are
mapped read-only and never change, but for their tombstones and their meta, which are replaced whole.

How a block goes: it leaves the set that new readers get, its directory is renamed to `<ULID>.tmp-for-deletion`, and
when its last reader has gone, the rename is synced together with that of any block which replaces it (they have the
same parent) and the files are removed. A crash between leaves the block, or a leftover that the next start removes.

All methods belong to the one thread that looks after blocks, except for `loaded` and `reading`, which may be called
anywhere.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.block_writer import CREATION
from bridge.buffer.files import Files
from bridge.buffer.inspect import Bytes, map_block
from bridge.buffer.meta import BadMeta, BlockMeta
from bridge.buffer.retention import Sized, replaced
from bridge.buffer.ulid import Ulid, is_ulid
from bridge.errors import ConfigError

__all__ = ["Blocks", "DamagedBlocks", "OpenBlock", "OpenReader"]

logger = structlog.get_logger(__name__)

DELETION = ".tmp-for-deletion"
LEFTOVERS = (CREATION, DELETION, ".tmp")  # the last one is what Prometheus wrote before 2.21

R = TypeVar("R")

OpenReader = Callable[[Bytes, list[Bytes], Bytes | None, Bytes | None], R]
"""Makes a reader of index, chunk files, tombstones and held samples. Raises ValueError that names file and offset."""


class DamagedBlocks(ConfigError):
    """Blocks that cannot be opened and that no other block replaces; `problems` names each with what is wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenBlock(Generic[R]):
    """A block in use. `size` is what its files take, in bytes."""

    meta: BlockMeta
    path: Path
    size: int
    reader: R


class Blocks(Generic[R]):
    """The blocks below one directory, by time. Empty before the first `reload`."""

    def __init__(self, files: Files, directory: Path, open_reader: OpenReader[R], metrics: BlockMetrics) -> None:
        self._files = files
        self.directory = directory
        self._open_reader = open_reader
        self._metrics = metrics
        self._lock = threading.Lock()  # guards the next two, which readers touch from their own threads
        self._loaded: tuple[OpenBlock[R], ...] = ()
        self._pins: Counter[Ulid] = Counter()
        self._graves: dict[Path, Ulid] = {}
        self._skipped: dict[Path, str] = {}
        metrics.show("blocks_loaded", "Blocks in use.", lambda: len(self._loaded))
        metrics.show("storage_blocks_bytes", "Bytes of the blocks in use.", self.total_bytes)

    @property
    def loaded(self) -> tuple[OpenBlock[R], ...]:
        """The blocks in use, by their beginning. To read from them take `reading`."""
        return self._loaded

    def total_bytes(self) -> int:
        """What the files of the blocks in use take."""
        return sum(block.size for block in self._loaded)

    def sized(self) -> list[Sized]:
        """The blocks in use as retention wants to know them."""
        return [Sized(block.meta, block.size) for block in self._loaded]

    @contextmanager
    def reading(self) -> Iterator[tuple[OpenBlock[R], ...]]:
        """The blocks in use, none of whose files is removed before the end of the `with`."""
        with self._lock:
            blocks = self._loaded
            self._pins.update(block.meta.ulid for block in blocks)
        try:
            yield blocks
        finally:
            with self._lock:
                self._pins.subtract(block.meta.ulid for block in blocks)
                self._pins += Counter()  # forgets those at zero

    # -- what is on disk ----------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Remove what a crash has left half made or half deleted. Only at start, before anything is written."""
        paths = [self.directory / name for name in self._files.list(self.directory)]
        leftovers = [path for path in paths if path.suffix in LEFTOVERS and is_ulid(path.stem)]
        if leftovers:
            self._files.sync_dir(self.directory)  # a block that replaces a half deleted one may not be durable yet
        for path in leftovers:
            logger.info("remove the leftover of a block", path=str(path))
            self._files.remove_tree(path)

    def reload(self) -> None:
        """Use the blocks that are on disk now, and delete those that another one replaces.

        Raises DamagedBlocks and OSError; then the same blocks as before are in use.
        """
        self._metrics.reloads.inc()
        try:
            gone = self.look()
        except (DamagedBlocks, OSError):
            self._metrics.reload_failures.inc()
            raise
        self.drop(gone)

    def look(self) -> set[Ulid]:
        """Use the blocks that are on disk now; the names of those that another one replaces, which stay. Raises as
        `reload` does."""
        in_use = {block.meta.ulid: block for block in self._loaded}
        found: list[OpenBlock[R]] = []
        damaged: dict[Ulid, tuple[BlockMeta, str]] = {}
        for path, meta in self._metas():
            block = in_use.get(meta.ulid)
            try:
                found.append(block or self._open(path, meta))
            except (ValueError, OSError) as error:
                damaged[meta.ulid] = (meta, f"{path}: {error}")
        gone = replaced([block.meta for block in found], [meta for meta, _ in damaged.values()])
        problems = [problem for ulid, (_, problem) in damaged.items() if ulid not in gone]
        if problems:
            raise DamagedBlocks(problems)
        for _, problem in damaged.values():
            logger.warning("a damaged block goes, another one replaces it", problem=problem)
        self._use(block for block in found if block.meta.ulid not in gone)
        return gone

    def _metas(self) -> Iterator[tuple[Path, BlockMeta]]:
        """Each block's directory and its meta; those without a readable one are told once and left alone."""
        skipped: dict[Path, str] = {}
        for name in self._files.list(self.directory):
            path = self.directory / name
            if not is_ulid(name) or not self._files.is_dir(path):
                continue
            try:
                meta = self._meta(path)
            except (BadMeta, OSError) as error:
                skipped[path] = str(error)
            else:
                yield path, meta
        for path, reason in skipped.items():
            if self._skipped.get(path) != reason:
                logger.error("a block without a readable meta.json is left out", path=str(path), reason=reason)
        self._skipped = skipped

    def _meta(self, path: Path) -> BlockMeta:
        meta = BlockMeta.parse(self._files.read_whole(path / "meta.json"))
        if meta.ulid != path.name:
            raise BadMeta(f"it is that of block {meta.ulid}")
        return meta

    def _open(self, path: Path, meta: BlockMeta) -> OpenBlock[R]:
        """Map the files of a block. Raises ValueError and OSError."""
        index, chunks, tombstones, held = map_block(self._files, path)
        size = len(meta.encode()) + sum(len(data) for data in (index, *chunks, tombstones or b"", held or b""))
        return OpenBlock(meta, path, size, self._open_reader(index, chunks, tombstones, held))

    def _use(self, blocks: Iterator[OpenBlock[R]]) -> None:
        by_time = tuple(sorted(blocks, key=lambda block: (block.meta.mint, block.meta.maxt, block.meta.ulid)))
        with self._lock:
            self._loaded = by_time

    # -- what changes of a block --------------------------------------------------------------------------------------

    def rewrite_meta(self, meta: BlockMeta) -> None:
        """Replace the meta of a block in use, durably. Raises OSError."""
        block = self._block(meta.ulid)
        self._files.write_whole(block.path / "meta.json", meta.encode())
        self._replace(OpenBlock(meta, block.path, block.size, block.reader))

    def rewrite_tombstones(self, ulid: Ulid, tombstones: bytes, intervals: int) -> None:
        """Replace the tombstones of a block in use and count them in its meta, durably. Raises OSError, ValueError.

        A crash between the two leaves a meta that counts too few: they are in force all the same.
        """
        block = self._block(ulid)
        meta = block.meta.with_tombstones(intervals)
        self._files.write_whole(block.path / "tombstones", tombstones)
        self._files.write_whole(block.path / "meta.json", meta.encode())
        self._replace(self._open(block.path, meta))

    def _block(self, ulid: Ulid) -> OpenBlock[R]:
        return next(block for block in self._loaded if block.meta.ulid == ulid)

    def _replace(self, new: OpenBlock[R]) -> None:
        self._use(new if block.meta.ulid == new.meta.ulid else block for block in self._loaded)

    # -- how blocks go ------------------------------------------------------------------------------------------------

    def drop(self, gone: Collection[Ulid]) -> None:
        """Let blocks go, in use or not. What cannot be renamed or removed now is logged, counted, and tried again by
        the next `reload` or `bury`."""
        self._use(block for block in self._loaded if block.meta.ulid not in gone)
        for ulid in sorted(gone):
            path = self.directory / ulid
            if not self._files.exists(path):
                continue
            grave = path.with_name(path.name + DELETION)
            try:
                self._files.rename(path, grave)
            except OSError as error:
                self._deletion_failed(path, error)
            else:
                self._graves[grave] = ulid
        self.bury()

    def bury(self) -> None:
        """Remove the blocks that have gone and that nobody reads any more."""
        with self._lock:
            free = [path for path, ulid in self._graves.items() if ulid not in self._pins]
        for path in free:
            try:
                self._files.sync_dir(self.directory)  # before it is gone, what replaces it has to be there for good
                self._files.remove_tree(path)
            except OSError as error:
                self._deletion_failed(path, error)
            else:
                del self._graves[path]
                logger.info("block deleted", path=str(path))

    def _deletion_failed(self, path: Path, error: OSError) -> None:
        self._metrics.deletion_failures.inc()
        logger.error("a block could not be deleted, it will be tried again", path=str(path), reason=str(error))
