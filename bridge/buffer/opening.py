"""Opening a data directory for writing: what has to be there before the first sample is taken, in the order in which
each needs the one before."""

from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from bridge.buffer.administration import Administration
from bridge.buffer.block_metrics import BlockMetrics
from bridge.buffer.blocks import Blocks
from bridge.buffer.compact import Compactor
from bridge.buffer.deletions import Deletions
from bridge.buffer.files import Files
from bridge.buffer.head_chunks import HeadChunks
from bridge.buffer.lock import DirLock
from bridge.buffer.log import Log
from bridge.buffer.log_upkeep import LogUpkeep
from bridge.buffer.maintenance import Maintenance
from bridge.buffer.memory import HeadMemory
from bridge.buffer.metrics import HeadMetrics, WalMetrics
from bridge.buffer.reader import LogReader
from bridge.buffer.replay import OnEvent, Progress, recover
from bridge.buffer.segments import LogDir
from bridge.buffer.view import reach
from bridge.buffer.wal import Wal
from bridge.clock import Clock
from bridge.config import Storage
from bridge.native import Block, BlockBuilder, Head

__all__ = ["Parts", "Surroundings", "open_parts"]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a store is made of."""

    lock: DirLock
    blocks: Blocks[Block]
    head: Head
    chunks: HeadChunks
    log: Log
    reader: LogReader
    log_upkeep: LogUpkeep
    upkeep: Maintenance[Block]
    admin: Administration[Block]
    metrics: HeadMetrics


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store is given. `tsdb` is the directory that it shares with Prometheus' tools."""

    tsdb: Path
    settings: Storage
    clock: Clock
    registry: CollectorRegistry
    files: Files
    progress: Progress | None = None


def open_parts(given: Surroundings, on_event: OnEvent | None) -> Parts:
    """All parts of a store, whose directory is locked then. Raises as `Store.open` does."""
    given.files.make_dir(given.tsdb / "wal")
    lock = DirLock.take(given.files, given.tsdb)
    try:
        return _open_locked(given, lock, on_event)
    except BaseException:
        lock.release()
        raise


def _open_locked(given: Surroundings, lock: DirLock, on_event: OnEvent | None) -> Parts:
    tsdb, settings, clock, files = given.tsdb, given.settings, given.clock, given.files
    block_metrics = BlockMetrics(given.registry)
    blocks = Blocks(files, tsdb, Block, block_metrics)
    blocks.sweep()
    blocks.reload()

    head = new_head(settings)
    if (end := reach(block.meta for block in blocks.loaded)) is not None:
        head.set_min_valid(end)
    chunks = HeadChunks(files, tsdb / "chunks_head", head)
    chunks.attach()
    directory = LogDir(files, tsdb / "wal")
    found = recover(directory, head, clock, on_event, clean=lock.clean_start, progress=given.progress)
    logger.info("store open", path=str(tsdb.parent), blocks=len(blocks.loaded), **found.summary())

    wal_metrics = WalMetrics(given.registry, directory, found)
    wal = Wal(directory, settings.wal, first=found.next_segment, ends=found.ends, clock=clock, metrics=wal_metrics)
    log = Log(head, wal, settings.wal, wal_metrics)
    reader = LogReader(directory, head, wal, log, wal_metrics)
    log_upkeep = LogUpkeep(directory, log, reader, settings, clock)
    memory = HeadMemory(head, log, chunks, log_upkeep)
    compactor = Compactor(blocks, BlockBuilder, files=files, clock=clock, metrics=block_metrics)
    upkeep = Maintenance(blocks, memory, compactor, settings, files=files, metrics=block_metrics)
    admin = Administration(
        blocks,
        memory,
        upkeep,
        Deletions(blocks, compactor, clock=clock, metrics=block_metrics),
        files=files,
        snapshots=tsdb / "snapshots",
        clock=clock,
    )
    return Parts(lock, blocks, head, chunks, log, reader, log_upkeep, upkeep, admin, HeadMetrics(given.registry, head))


def new_head(settings: Storage) -> Head:
    """An empty head that obeys the settings."""
    head = Head()
    head.set_compression(settings.wal.compression)
    head.set_exemplar_limits(settings.exemplars, settings.out_of_order_time_window)
    head.set_out_of_order_window(settings.out_of_order_time_window)
    return head
