"""Checkpoints and truncation: segments that nobody needs any more are condensed to what is still wanted of them.

    checkpoint.00000012.tmp/   written, synced, then renamed: from that moment on it stands for segments 0 to 12
    checkpoint.00000012/00000000 …   segments of its own
    00000000 … 00000012        removed then, oldest first, and older checkpoints with them

A crash before the rename leaves a draft that is swept at the next open; one after it leaves segments and checkpoints
that the new one stands for, which are swept too. At no time is there a moment without one that is whole.
"""

import mmap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.buffer.files import File
from bridge.buffer.framing import new_framer
from bridge.buffer.position import Position
from bridge.buffer.segments import PAGE_SIZE, LogDir
from bridge.config import Wal as WalSettings
from bridge.native import Checkpoint, Head, LogDamaged

__all__ = ["Truncation", "plan_truncation", "sweep", "truncate"]

logger = structlog.get_logger(__name__)

_SHARE = (2, 3)  # of the closed segments; the rest is left for readers that are a little behind


@dataclass(frozen=True, slots=True)
class Truncation:
    """Segments `first` to `last` become a checkpoint. `passed`: some reader is not done with all of them."""

    first: int
    last: int
    passed: bool = False


def plan_truncation(
    sizes: Mapping[int, int], active: int, *, readers: Iterable[Position], owners: Iterable[Position], keep: int
) -> Truncation | None:
    """What to condense, if anything, of segments with these `sizes` (bytes), of which `active` is being written.

    As Prometheus: two thirds of the segments before the active one, and nothing less than two. `readers` (sinks) hold
    that up at the segment where they are, as long as the log is no longer than `keep` bytes; beyond it they are passed,
    as far as is needed. `owners` (whose state is in the log and nowhere else) are never passed.
    """
    closed = sorted(number for number in sizes if number < active)
    if not closed:
        return None
    first, newest = closed[0], closed[-1]
    aim = first + (newest - first) * _SHARE[0] // _SHARE[1]
    aim = min([aim, *(position.segment - 1 for position in owners)])
    held = min([aim, *(position.segment - 1 for position in readers)])
    last = max(held, min(aim, _needed(sizes, closed, keep)))
    return Truncation(first, last, passed=last > held) if last > first else None


def _needed(sizes: Mapping[int, int], closed: Sequence[int], keep: int) -> int:
    """The last segment that has to go for the log to be at most `keep` bytes; one before the first when none has."""
    excess = sum(sizes.values()) - keep
    last = closed[0] - 1
    for number in closed:
        if excess <= 0:
            break
        excess -= sizes[number]
        last = number
    return last


def truncate(
    log: LogDir, head: Head, plan: Truncation, *, mint: int, settings: WalSettings, events: Sequence[bytes] = ()
) -> Checkpoint:
    """Write the checkpoint that `plan` asks for and remove what it stands for. For a thread: it reads all of that.

    Blocks have every sample older than `mint` ms. `events` are given to whoever replays the log from here: the state
    of those who keep theirs in it. Raises OSError, and LogDamaged for an older checkpoint that cannot be read; then the
    log is as it was.
    """
    sweep(log)
    gathered = Checkpoint(mint, settings.compression)
    draft = _Draft(log, plan.last, settings)
    damaged: set[int] = set()
    try:
        for directory, number in _sources(log, plan):
            try:
                _condense(draft, gathered, head, directory.map(number))
            except LogDamaged as error:
                if directory is not log:
                    raise
                text = "log damaged, its checkpoint does without the rest of the segment"
                logger.error(text, segment=number, reason=str(error))  # noqa: TRY400 - it says all
                draft.add(gathered)
                damaged.add(number)
        gathered.finish(events)
        draft.add(gathered)
        draft.publish()
    except BaseException:
        draft.discard()
        raise
    sweep(log, keep_aside=damaged)
    return gathered


def sweep(log: LogDir, *, keep_aside: Iterable[int] = ()) -> None:
    """Remove drafts, and what the newest checkpoint stands for; damaged segments are given another name instead."""
    files, aside = log.files, set(keep_aside)
    *older, (last, _) = log.checkpoints() or [(-1, log)]
    for _, directory in older:  # one that is removed in part must not be taken for a whole one
        files.rename(directory.path, directory.path.with_name(directory.path.name + ".tmp"))
    if older:
        files.sync_dir(log.path)
    drafts = log.drafts()
    for draft in drafts:
        files.remove_tree(draft)
    gone = [number for number in log.segments() if number <= last]
    for number in gone:  # oldest first, so that a crash leaves no gap
        log.drop(number, aside=number in aside)
    if drafts or gone:
        files.sync_dir(log.path)


def _sources(log: LogDir, plan: Truncation) -> list[tuple[LogDir, int]]:
    before = log.checkpoint()
    sources = [] if before is None else [(before[1], number) for number in before[1].segments()]
    return sources + [(log, number) for number in log.segments() if number <= plan.last]


def _condense(draft: "_Draft", gathered: Checkpoint, head: Head, data: mmap.mmap | bytes) -> None:
    """Take from one segment what is to be kept."""
    at: int | None = 0
    while at is not None:
        at = gathered.feed(head, data, at)
        draft.add(gathered)


class _Draft:
    """A checkpoint under a name that no reader looks at."""

    def __init__(self, log: LogDir, last: int, settings: WalSettings) -> None:
        self._log = log
        self._files = log.files
        self._settings = settings
        self._final = log.checkpoint_path(last)
        self._dir = LogDir(log.files, self._final.with_name(self._final.name + ".tmp"))
        self._file: File | None = None
        self._number = -1
        self._offset = 0
        self._framer = new_framer(settings)
        if self._files.exists(self._dir.path):
            self._files.remove_tree(self._dir.path)
        self._files.make_dir(self._dir.path)

    def add(self, gathered: Checkpoint) -> None:
        """Write what has been gathered."""
        if self._file is None:
            self._file = self._cut()
        if not self._framer.add_checkpoint(gathered):
            self._file = self._cut()
            self._framer.add_checkpoint(gathered)  # an empty segment takes anything
        data = self._framer.take()
        self._files.write_at(self._file, data, self._offset)
        self._offset += len(data)

    def publish(self) -> None:
        """Make all of it durable, then give it its name."""
        self._finish()
        self._files.sync_dir(self._dir.path)
        self._files.rename(self._dir.path, self._final)
        self._files.sync_dir(self._log.path)

    def discard(self) -> None:
        """Leave nothing behind, as far as the disk lets us; the next open tries again."""
        try:
            self._close()
            if self._files.exists(self._dir.path):
                self._files.remove_tree(self._dir.path)
        except OSError as error:
            logger.warning("draft of a checkpoint left", path=str(self._dir.path), error=str(error))

    def _cut(self) -> File:
        self._finish()
        self._number, self._offset = self._number + 1, 0
        self._framer = new_framer(self._settings)
        return self._files.create(self._dir.segment(self._number))

    def _finish(self) -> None:
        if self._file is not None:
            self._files.resize(self._file, -(-self._offset // PAGE_SIZE) * PAGE_SIZE)
            self._files.sync(self._file)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            self._files.close(file)
