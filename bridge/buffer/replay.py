"""Opening a log: read all of it back into the head, set aside what cannot be read, say what that was.

Behind damage reading goes on at the next batch that is whole: a batch names the records that belong to it, so no half
of one can appear, and samples whose series record is in the lost part are recognised and counted. The unreadable bytes
are copied to `<segment>.corrupt`, so that none is ever deleted, and a hole that every reader passes over is put in
their place: no other tool stumbles, and what follows keeps its position. (Prometheus deletes all that follows, segments
too.)

Not so at the end of the last segment after a crash: it has what was written of a group that nobody was told about, in
any order. There the first damage is the end.

A checkpoint is read before the segments behind it. A damaged one is no start at all, unless all that it was made of is
still there.
"""

import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import structlog

from bridge.buffer.checkpoint import sweep
from bridge.buffer.mending import HOPELESS, choose, fill_holes
from bridge.buffer.position import Position
from bridge.buffer.segments import LogDir
from bridge.clock import Clock
from bridge.errors import ConfigError
from bridge.native import Head, Replayed

__all__ = ["Damage", "OnEvent", "Progress", "Recovery", "recover", "replay"]

logger = structlog.get_logger(__name__)

Hole = tuple[int, int, str]
"""(start, stop, what is wrong) of bytes of a segment that were passed over."""

OnEvent = Callable[[Position, bytes], None]

Progress = Callable[[int, int, int], None]
"""Told before each segment: the first, the last, and the one that is read now."""

_PROGRESS_SECONDS = 5.0
_BLOCK = 64 << 10


@dataclass(frozen=True, slots=True)
class Damage:
    """A range of a segment that was not read: `size` bytes from `position`, trailing zeros left out."""

    position: Position
    size: int
    reason: str


@dataclass(slots=True)
class Recovery:
    """What a replay found."""

    next_segment: int = 0  # where to go on: behind the last segment, or at it if nothing is in it
    segments: int = 0
    samples: int = 0
    unknown_refs: int = 0
    missing: int = 0  # segments that the numbering skips
    seconds: float = 0.0
    damages: list[Damage] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)  # of segments that could not be cut where they end

    def summary(self) -> dict[str, object]:
        """For a log line."""
        return {
            "segments": self.segments,
            "samples": self.samples,
            "unreadable_bytes": sum(damage.size for damage in self.damages),
            "unknown_refs": self.unknown_refs,
            "missing_segments": self.missing,
            "seconds": round(self.seconds, 3),
        }


def recover(
    log: LogDir,
    head: Head,
    clock: Clock,
    on_event: OnEvent | None = None,
    *,
    clean: bool = True,
    progress: Progress | None = None,
) -> Recovery:
    """Replay the log and repair it. For whoever holds the lock and is going to write.

    `clean` tells that the last writer finished its segment, so that its end is no crash's. Afterwards all that was read
    is durable, and segments end with their last whole batch. Raises ConfigError for a checkpoint that cannot be read.
    """
    found = Recovery()
    checkpoint = choose(log)
    sweep(log)
    if checkpoint is not None:
        found.next_segment = checkpoint[0] + 1
    last = max(log.segments(), default=None)
    for directory, number in _order(log, checkpoint, found, clock, progress):
        data = directory.map(number)
        if directory is not log:
            pieces: list[Replayed] = []
            result, _ = _apply(number, data, head, found, pieces.append, past_damage=False)
            if result.damage is not None:
                raise ConfigError([f"{directory.segment(number)}: {result.damage[1]}: {HOPELESS}"])
            for piece in pieces:
                _tell(on_event, found.next_segment, piece, at=0)  # they stand before all that is left
            continue
        crashed = number == last and not clean
        result, skipped = _apply(number, data, head, found, partial(_tell, on_event, number), past_damage=not crashed)
        used = _used(data, result.end)
        del data  # unmapped, for nobody may cut a file under a map
        _note_damage(number, result, skipped, used, found)
        try:
            fill_holes(log, number, skipped)
            if log.marked_end(number) is not None:
                log.cut(number, result.end)
                log.unmark_end(number)
            elif result.damage is not None or number == last:
                _tidy(log, number, result.end, used)
        except OSError as error:  # no room for the copy: leave all as it is, and don't read it
            found.ends[number] = result.end
            logger.warning("log not repaired, to be tried again at the next start", segment=number, error=str(error))
        found.next_segment = number if result.end == 0 and number not in found.ends else number + 1
    head.end_replay()
    return found


def replay(log: LogDir, head: Head, clock: Clock) -> Recovery:
    """Replay the log as it is, changing nothing. May run beside a writer, whose unfinished group is left out."""
    found = Recovery()
    last = max(log.segments(), default=None)
    for directory, number in _order(log, choose(log, change=False), found, clock, None):
        try:
            data = directory.load(number)
        except FileNotFoundError:
            continue  # the writer has no more use for it
        result, skipped = _apply(number, data, head, found, past_damage=number != last)
        if result.damage is not None or skipped:
            _note_damage(number, result, skipped, _used(data, result.end), found)
    head.end_replay()
    return found


def _order(
    log: LogDir, checkpoint: tuple[int, LogDir] | None, found: Recovery, clock: Clock, progress: Progress | None
) -> Iterator[tuple[LogDir, int]]:
    """What to read: the checkpoint, then the segments behind it. Says how far it is and what is missing."""
    started = spoke = clock.monotonic()
    todo: list[tuple[LogDir, int]] = []
    numbers = log.segments()
    behind: list[int] = []  # what the first segment should come after
    if checkpoint is not None:
        last, condensed = checkpoint
        todo += [(condensed, number) for number in condensed.segments()]
        numbers = [number for number in numbers if number > last]
        behind = [last]
    for before, number in pairwise(behind + numbers):
        if number != before + 1:
            found.missing += number - before - 1
            logger.error("log segments missing", after=before, before=number)
    todo += [(log, number) for number in numbers]
    for directory, number in todo:
        if progress is not None and directory is log:
            progress(numbers[0], numbers[-1], number)
        yield directory, number
        found.segments += 1
        if clock.monotonic() - spoke >= _PROGRESS_SECONDS:
            spoke = clock.monotonic()
            logger.info("replaying", segment=number, done=found.segments, of=len(todo), samples=found.samples)
    found.seconds = clock.monotonic() - started


def _tell(on_event: OnEvent | None, segment: int, result: Replayed, *, at: int | None = None) -> None:
    if on_event is not None:
        for offset, event in result.events:
            on_event(Position(segment, offset if at is None else at), event)


def _note_damage(number: int, result: Replayed, skipped: Sequence[Hole], used: int, found: Recovery) -> None:
    ranges = list(skipped)
    if result.damage is not None:
        ranges.append((result.end, used, result.damage[1]))
    for start, stop, reason in ranges:
        damage = Damage(Position(number, start), stop - start, reason)
        found.damages.append(damage)
        logger.error("log damaged", position=str(damage.position), bytes=damage.size, reason=damage.reason)


def _apply(
    number: int,
    data: mmap.mmap | bytes,
    head: Head,
    found: Recovery,
    tell: Callable[[Replayed], None] = lambda _: None,
    *,
    past_damage: bool,
) -> tuple[Replayed, Sequence[Hole]]:
    """Replay a segment; what its end held, and what was skipped in all of it. `tell` is given it in pieces, of some MiB
    of events each: the pushes of a segment have several times as many as the segment has bytes."""
    skipped: list[Hole] = []
    start = unknown_refs = 0
    while True:
        result = head.replay(data, start, past_damage=past_damage)
        found.samples += result.samples
        unknown_refs += result.unknown_refs
        skipped += result.skipped
        tell(result)
        if not result.more:
            break
        start = result.end
    found.unknown_refs += unknown_refs
    if unknown_refs:
        logger.error("samples skipped: their series record is lost", segment=number, samples=unknown_refs)
    return result, skipped


def _tidy(directory: LogDir, number: int, end: int, used: int) -> None:
    """Leave nothing behind a segment's last whole batch, durably; what is there and is not zeros is set aside first."""
    if used > end:
        copy = directory.set_aside(number, end, used)
        logger.warning("unreadable bytes set aside", segment=number, copy=str(copy))
    directory.cut(number, end)


def _used(data: mmap.mmap | bytes, end: int) -> int:
    """Where the trailing zeros begin, `end` at the earliest."""
    stop = len(data)
    while stop > end:
        start = max(end, stop - _BLOCK)
        block = data[start:stop].rstrip(b"\0")
        if block:
            return start + len(block)
        stop = start
    return end
