"""Which blocks to make one of next: pure functions over their metas, by the rules of Prometheus' leveled compactor.

Blocks are cut two hours long. Three neighbours become one of six hours, three of those one of eighteen, and so on,
always within ranges aligned to multiples of their length, so that no two of the results ever overlap. The newest block
is left alone for a while: it can still be copied away piece by piece. What overlaps comes first, whatever its length.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from bridge.buffer.meta import OUT_OF_ORDER, PARTIAL, BlockMeta

__all__ = ["BLOCK_RANGE", "Plan", "Reason", "block_ranges", "head_is_compactable", "next_boundary", "plan"]

HOUR = 3_600_000
BLOCK_RANGE = 2 * HOUR
"""Length of a block that is cut from memory, ms; all others are multiples of it."""

LONGEST = 31 * 24 * HOUR
LEVELS = 10
STEP = 3
TOMBSTONE_RATIO = 0.05

Reason = Literal["overlap", "range", "tombstones"]


class Plan(NamedTuple):
    """Blocks to replace with one, oldest first, and why."""

    reason: Reason
    blocks: tuple[BlockMeta, ...]


def block_ranges(retention: int, longest: int | None = None) -> tuple[int, ...]:
    """Lengths that blocks grow through, ms: 2h, 6h, 18h... up to `longest`, by default a tenth of `retention` (ms, 0
    for no limit) and at most 31 days. The first is always there."""
    if longest is None:
        longest = min(LONGEST, retention // 10) if retention else LONGEST
    ranges = (BLOCK_RANGE * STEP**level for level in range(LEVELS))
    return tuple(length for length in ranges if length <= max(longest, BLOCK_RANGE))


def next_boundary(t: int, length: int = BLOCK_RANGE) -> int:
    """Where a block that begins at `t` ends: the next multiple of `length` after it."""
    return (t // length + 1) * length


def head_is_compactable(mint: int, maxt: int) -> bool:
    """True when memory holds a whole block and half of the next: the part that late samples may still reach."""
    return maxt - mint > BLOCK_RANGE // 2 * 3


def plan(metas: Iterable[BlockMeta], ranges: Sequence[int]) -> Plan | None:
    """What to do first; None when there is nothing. `ranges` ascend, one at least.

    Blocks of some series only (`PARTIAL`) are never mixed with others: the result would claim that its range is whole,
    and the log would not be read for it. Neither are blocks of late samples that end after all whole ones, for the
    samples in order beside them are in memory still. Whole ones come first, so that the others cannot starve them.
    """
    given = sorted(metas, key=lambda meta: meta.mint)
    reach = max((meta.maxt for meta in given if meta.whole), default=None)
    by_class: dict[str, list[BlockMeta]] = {name: [] for name in ("", *PARTIAL, OUT_OF_ORDER)}
    for meta in given:
        name = next((hint for hint in PARTIAL if hint in meta.compaction.hints), "")
        ahead = not meta.whole and (reach is None or meta.maxt > reach)
        by_class[name or (OUT_OF_ORDER if ahead else "")].append(meta)
    plans = (_plan_class(blocks, ranges) for blocks in by_class.values())
    return next(filter(None, plans), None)


def _plan_class(blocks: list[BlockMeta], ranges: Sequence[int]) -> Plan | None:
    if overlapping := _first_overlap(blocks):
        return Plan("overlap", tuple(overlapping))
    settled = blocks[:-1]
    if group := _first_group(settled, ranges):
        return Plan("range", tuple(group))
    if block := _riddled(settled, ranges):
        return Plan("tombstones", (block,))
    return None


def _first_overlap(blocks: list[BlockMeta]) -> list[BlockMeta]:
    """The first run of blocks of which each begins before all earlier ones have ended."""
    run: list[BlockMeta] = []
    end = blocks[0].maxt if blocks else 0
    for before, block in pairwise(blocks):
        if block.mint < end:
            run += [block] if run else [before, block]
        elif run:
            break
        end = max(end, block.maxt)
    return run


def _first_group(blocks: list[BlockMeta], ranges: Sequence[int]) -> list[BlockMeta]:
    """The first neighbours that fill a range, or that nothing can join any more because time has moved on."""
    if not blocks:
        return []
    newest = blocks[-1].mint
    for length in ranges[1:]:
        for group in _within_ranges(blocks, length):
            if len(group) < 2 or any(block.compaction.failed for block in group):
                continue
            mint, maxt = group[0].mint, group[-1].maxt
            if maxt - mint == length or maxt <= newest:
                return group
    return []


def _within_ranges(blocks: list[BlockMeta], length: int) -> Iterator[list[BlockMeta]]:
    """Blocks, ordered by their beginning, by the aligned range that holds them; those that no range holds are left
    out."""
    group: list[BlockMeta] = []
    stop: int | None = None
    for block in blocks:
        if stop is None or block.maxt > stop:
            if group:
                yield group
            group = []
            stop = next_boundary(block.mint, length)
        if block.maxt <= stop:
            group.append(block)
        else:
            stop = None
    if group:
        yield group


def _riddled(blocks: list[BlockMeta], ranges: Sequence[int]) -> BlockMeta | None:
    """The newest block worth rewriting for what was deleted from it.

    Only long ones are, for a short one will soon be compacted anyway; unless all its series may be gone.
    """
    middle = ranges[len(ranges) // 2]
    for block in reversed(blocks):
        tombstones, series = block.stats.tombstones, block.stats.series
        if block.maxt - block.mint < middle:
            return block if 0 < tombstones >= series else None
        if tombstones / (series + 1) > TOMBSTONE_RATIO:
            return block
    return None
