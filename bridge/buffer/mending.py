"""Repair of a log: holes in place of damaged bytes, older checkpoints in place of damaged ones."""

from collections.abc import Sequence

import structlog

from bridge.buffer.segments import LogDir
from bridge.errors import ConfigError
from bridge.native import LogDamaged, check_log, log_hole

__all__ = ["HOPELESS", "choose", "fill_holes"]

logger = structlog.get_logger(__name__)

HOPELESS = (
    "the checkpoint is damaged and the segments that it was made of are gone. Restore it from a backup, or move it "
    "away to start without what it holds"
)


def fill_holes(log: LogDir, number: int, damaged: Sequence[tuple[int, int, str]]) -> None:
    """Put a hole in place of each damaged range (start, stop, why) of a segment, its bytes set aside first.

    A crash on the way leaves the range as it was, as a hole, or damaged in another way: the copy is durable by then.
    """
    for start, stop, _ in damaged:
        hole = log_hole(start, stop)
        copy = log.set_aside(number, start, stop)
        logger.warning("unreadable bytes set aside", segment=number, copy=str(copy))
        if hole is not None:
            log.overwrite(number, start, hole)


def choose(log: LogDir, *, change: bool = True) -> tuple[int, LogDir] | None:
    """The checkpoint to start from: the newest, or an older one and all segments that came after it.

    With `change` a damaged one is moved to `<checkpoint>.corrupt`. Raises ConfigError when there is no other way to
    what it stood for.
    """
    segments = set(log.segments())
    checkpoints = log.checkpoints()
    for place in range(len(checkpoints) - 1, -1, -1):
        last, directory = checkpoints[place]
        problem = _problem(directory)
        if problem is None:
            return last, directory
        before = checkpoints[place - 1][0] if place else -1
        if not segments.issuperset(range(before + 1, checkpoints[-1][0] + 1)):
            raise ConfigError([f"{problem}: {HOPELESS}"])
        logger.error("checkpoint damaged, what it was made of is read instead", problem=problem)
        if change:
            log.files.rename(directory.path, directory.path.with_name(directory.path.name + ".corrupt"))
            log.files.sync_dir(log.path)
    return None


def _problem(directory: LogDir) -> str | None:
    """What is wrong with a checkpoint, as far as checksums tell."""
    numbers = directory.segments()
    if numbers != list(range(len(numbers))) or not numbers:
        return f"{directory.path}: segments are missing"
    for number in numbers:
        try:
            check_log(directory.map(number))
        except LogDamaged as error:
            return f"{directory.segment(number)}: {error}"
    return None
