"""Opening a log: read all of it back into the head, set aside what cannot be read, say what that was.

A segment is read up to its first damage. What follows in that segment is copied to `<segment>.corrupt` and cut off, so
no byte is ever deleted and no other tool stumbles over it; then the next segment is read. (Prometheus deletes all
segments behind a damage. We need not: a batch names the records that belong to it, so no half of one can appear, and
samples whose series record is in the lost part are recognised and counted.) Damage at the end of the last segment is
what a crash leaves of a group that nobody was told about.
"""

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import structlog

from bridge.buffer.position import Position
from bridge.buffer.segments import LogDir
from bridge.clock import Clock
from bridge.native import Head, Replayed

__all__ = ["Damage", "OnEvent", "Recovery", "recover", "replay"]

logger = structlog.get_logger(__name__)

OnEvent = Callable[[Position, bytes], None]

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


def recover(log: LogDir, head: Head, clock: Clock, on_event: OnEvent | None = None) -> Recovery:
    """Replay the log and repair it. For whoever holds the lock and is going to write.

    Afterwards all that was read is durable, and segments end with their last whole batch.
    """
    found = Recovery()
    checkpoint = log.checkpoint()
    if checkpoint is not None:
        found.next_segment = checkpoint[0] + 1
    last = max(log.segments(), default=None)
    for directory, number in _order(log, found, clock):
        data = directory.map(number)
        result = _apply(number, data, head, found)
        for offset, event in result.events:
            if on_event is not None:
                on_event(Position(number, offset), event)
        used = _used(data, result.end)
        del data  # unmapped, for nobody may cut a file under a map
        if result.damage is not None:
            damage = Damage(Position(number, result.end), used - result.end, result.damage[1])
            found.damages.append(damage)
            logger.error("log damaged", position=str(damage.position), bytes=damage.size, reason=damage.reason)
        try:
            if directory.marked_end(number) is not None:
                directory.cut(number, result.end)
                directory.unmark_end(number)
            elif result.damage is not None or (directory is log and number == last):
                _tidy(directory, number, result.end, used)
        except OSError as error:  # no room for the copy: leave all as it is, and don't read it
            found.ends[number] = result.end
            logger.warning("log not repaired, to be tried again at the next start", segment=number, error=str(error))
        if directory is log:
            found.next_segment = number if result.end == 0 and number not in found.ends else number + 1
    head.end_replay()
    return found


def replay(log: LogDir, head: Head, clock: Clock) -> Recovery:
    """Replay the log as it is, changing nothing. May run beside a writer, whose unfinished group is left out."""
    found = Recovery()
    for directory, number in _order(log, found, clock):
        try:
            data = directory.load(number)
        except FileNotFoundError:
            continue  # the writer has no more use for it
        result = _apply(number, data, head, found)
        if result.damage is not None:
            size = _used(data, result.end) - result.end
            found.damages.append(Damage(Position(number, result.end), size, result.damage[1]))
    head.end_replay()
    return found


def _order(log: LogDir, found: Recovery, clock: Clock) -> Iterator[tuple[LogDir, int]]:
    """What to read: the newest checkpoint, then the segments behind it. Says how far it is and what is missing."""
    started = spoke = clock.monotonic()
    todo: list[tuple[LogDir, int]] = []
    numbers = log.segments()
    checkpoint = log.checkpoint()
    if checkpoint is not None:
        last, condensed = checkpoint
        todo += [(condensed, number) for number in condensed.segments()]
        numbers = [number for number in numbers if number > last]
    for before, number in pairwise(numbers):
        if number != before + 1:
            found.missing += number - before - 1
            logger.error("log segments missing", after=before, before=number)
    todo += [(log, number) for number in numbers]
    for directory, number in todo:
        yield directory, number
        found.segments += 1
        if clock.monotonic() - spoke >= _PROGRESS_SECONDS:
            spoke = clock.monotonic()
            logger.info("replaying", segment=number, done=found.segments, of=len(todo), samples=found.samples)
    found.seconds = clock.monotonic() - started


def _apply(number: int, data: mmap.mmap | bytes, head: Head, found: Recovery) -> Replayed:
    result = head.replay(data)
    found.samples += result.samples
    found.unknown_refs += result.unknown_refs
    if result.unknown_refs:
        logger.error("samples skipped: their series record is lost", segment=number, samples=result.unknown_refs)
    return result


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
