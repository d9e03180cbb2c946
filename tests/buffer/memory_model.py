"""Memory and its log as the simplest thing that has their behaviour: sets of (series, time)."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from bridge.buffer.maintenance import Memory, Span
from bridge.buffer.matchers import Matchers
from tests.buffer.block_model import Building, Sample

__all__ = ["LENGTH", "MemoryModel"]

LENGTH = 20
"""Of a block that is cut from it."""


class MemoryModel(Memory):
    """`broken` names methods that fail as a full disk does."""

    def __init__(self, *samples: Sample) -> None:
        self.samples: set[Sample] = set(samples)
        self.late: set[Sample] = set()
        self.mapped = 0
        self.log_cuts = 0
        self.bytes = 0
        self.broken: set[str] = set()

    def _pass(self, method: str) -> None:
        if method in self.broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def map_chunks(self) -> None:
        self._pass("map_chunks")
        self.mapped += 1

    def next_block(self) -> Span | None:
        self._pass("next_block")
        times = [t for _, t in self.samples]
        if not times or max(times) - min(times) <= LENGTH * 3 // 2:
            return None
        mint = min(times)
        return Span(mint, (mint // LENGTH + 1) * LENGTH)

    async def building(self, span: Span) -> Building:
        self._pass("building")
        return Building({(name, t) for name, t in self.samples if span.mint <= t < span.maxt})

    async def truncate(self, maxt: int) -> None:
        self._pass("truncate")
        self.samples = {(name, t) for name, t in self.samples if t >= maxt}

    def late_blocks(self) -> Iterable[Span]:
        return [Span(start, start + LENGTH) for start in sorted({t // LENGTH * LENGTH for _, t in self.late})]

    async def late_building(self, span: Span) -> Building:
        self._pass("late_building")
        return Building({(name, t) for name, t in self.late if span.mint <= t < span.maxt})

    async def truncate_late(self) -> None:
        self._pass("truncate_late")
        self.late = set()

    async def truncate_log(self) -> None:
        self._pass("truncate_log")
        self.log_cuts += 1

    def disk_bytes(self) -> int:
        return self.bytes

    def everything(self) -> Span | None:
        times = [t for _, t in self.samples]
        return Span(min(times), max(times) + 1) if times else None

    async def delete(self, matchers: Matchers, mint: int, maxt: int) -> None:
        self._pass("delete")
        ((_, _, name),) = matchers
        self.samples = {(n, t) for n, t in self.samples if n != name or not mint <= t <= maxt}
