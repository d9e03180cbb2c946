"""Metas in one line each, for tables."""

from __future__ import annotations

from bridge.buffer.meta import BlockMeta, Compaction, Stats
from bridge.buffer.ulid import Ulid, new_ulid

__all__ = ["meta", "ulid"]


def ulid(number: int) -> Ulid:
    """The ULID of millisecond `number`, without entropy."""
    return new_ulid(number, bytes)


def meta(
    number: int,
    mint: int,
    maxt: int,
    *,
    series: int = 0,
    tombstones: int = 0,
    parents: tuple[BlockMeta, ...] = (),
    hints: tuple[str, ...] = (),
    failed: bool = False,
    deletable: bool = False,
) -> BlockMeta:
    """Block `number` over [mint, maxt)."""
    origin = Compaction(
        sources=(ulid(number),),
        parents=tuple(parent.parent() for parent in parents),
        hints=hints,
        failed=failed,
        deletable=deletable,
    )
    return BlockMeta(ulid(number), mint, maxt, Stats(series=series, tombstones=tombstones), origin)
