"""Which blocks go: pure functions over metas and sizes.

A block goes because another one has replaced it, because a compaction left nothing of it, because it is too old, or
because the store is too large. The newest block says what time it is, not the clock: a store that gets nothing more
forgets nothing more, and a clock that jumps deletes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from bridge.buffer.meta import BlockMeta
from bridge.buffer.ulid import Ulid
from bridge.config import Retention

__all__ = ["Cause", "Limits", "Sized", "expired", "kept_for", "replaced"]

Cause = Literal["empty", "time", "size"]


class Sized(NamedTuple):
    """A block and its bytes on disk."""

    meta: BlockMeta
    size: int


class Limits(NamedTuple):
    """What the store may keep, ms and bytes; 0 sets no limit. `percentage` is of the file system's size and overrides
    `size`."""

    time: int = 0
    size: int = 0
    percentage: float = 0.0

    @classmethod
    def of(cls, settings: Retention) -> "Limits":
        """As configured."""
        return cls(settings.time_limit, settings.size, settings.percentage)

    def bytes(self, disk: int) -> int:
        """The limit on bytes with a file system of `disk` bytes; 0 when it is unknown, then `size` holds."""
        if self.percentage > 0 and disk > 0:
            return int(disk * self.percentage / 100)
        return self.size


def replaced(loaded: Iterable[BlockMeta], others: Iterable[BlockMeta] = ()) -> set[Ulid]:
    """Names of blocks that a loaded block replaces, directly or through one it replaces: a crash before their deletion
    may have left them. `others` have a meta but cannot be loaded.

    Blocks that name each other as parents replace nothing: no compaction makes them, and each holds what the other
    would be deleted for.
    """
    loaded = list(loaded)
    parents = {meta.ulid: {parent.ulid for parent in meta.compaction.parents} for meta in (*others, *loaded)}
    claimed = {parent for meta in loaded for parent in parents[meta.ulid]}
    waiting = [meta.ulid for meta in loaded if meta.ulid not in claimed]
    found: set[Ulid] = set()
    while waiting:
        new = parents.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def expired(blocks: Sequence[Sized], limits: Limits, *, other_bytes: int = 0, disk: int = 0) -> dict[Ulid, Cause]:
    """Names of the blocks that have to go, none of which has been replaced, and why.

    `other_bytes` is what the log and the mapped chunks take: they count, but are not ours to delete. `disk` is the size
    of the file system, 0 if unknown. A block that crosses a limit goes, and with it all that is older.
    """
    newest_first = sorted(blocks, key=lambda block: block.meta.maxt, reverse=True)
    causes: dict[Ulid, Cause] = {}
    for block in _beyond_size(newest_first, limits.bytes(disk), other_bytes):
        causes[block.meta.ulid] = "size"
    for block in _beyond_time(newest_first, limits.time):
        causes[block.meta.ulid] = "time"
    for block in newest_first:
        if block.meta.compaction.deletable:
            causes[block.meta.ulid] = "empty"
    return causes


def kept_for(
    blocks: Sequence[Sized], limits: Limits, *, newest: int | None, other_bytes: int = 0, disk: int = 0
) -> int | None:
    """How old samples become before they go, ms, if the store goes on growing as it did; None for ever.

    `newest` is the time of the newest sample, ms; the others are as in `expired`.
    """
    ages = [limits.time] if limits.time > 0 else []
    size = limits.bytes(disk)
    if size > 0 and blocks and newest is not None:
        span = newest - min(block.meta.mint for block in blocks)
        total = other_bytes + sum(block.size for block in blocks)
        if span > 0 and total > 0:
            ages.append(int(size * span / total))
    return min(ages, default=None)


def _beyond_time(newest_first: Sequence[Sized], limit: int) -> Sequence[Sized]:
    if not newest_first or limit <= 0:
        return ()
    now = newest_first[0].meta.maxt
    return [block for block in newest_first[1:] if now - block.meta.maxt >= limit]


def _beyond_size(newest_first: Sequence[Sized], limit: int, other_bytes: int) -> Sequence[Sized]:
    if limit <= 0:
        return ()
    total = other_bytes
    for at, block in enumerate(newest_first):
        total += block.size
        if total > limit:
            return newest_first[at:]
    return ()
