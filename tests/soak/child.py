"""A store in a process of its own, told what to do line by line: made to be killed.

python -m tests.soak.child DATA: one JSON object a line on standard input, one answer a line on standard output.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import sys
from pathlib import Path
from typing import Any

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from bridge.buffer import Store
from bridge.config import Storage
from bridge.errors import BridgeError
from bridge.native import AppendRefused, Batch
from tests.buffer.told_clock import ToldClock

__all__ = ["SETTINGS"]

SETTINGS = {
    "retention": {"time": "3d"},
    "out_of_order_time_window": "30m",
    "wal": {"segment_size": "256KiB"},
}

COUNTED = {
    "blocks written": "compactions_total",
    "overlaps merged": "vertical_compactions_total",
    "expired": "time_retentions_total",
}


class Child:
    """The commands."""

    def __init__(self, data: Path, clock: ToldClock) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        self._store = Store.open(data, settings=Storage.model_validate(SETTINGS), clock=clock, registry=self._registry)

    async def append(self, rows: list[tuple[int, int, float]]) -> Any:
        """Samples accepted, or why they are not."""
        labelled = [({"__name__": f"m{s % 7}", "series": str(s)}, t, v) for s, t, v in rows]
        try:
            result = await self._store.append(Batch.from_rows(labelled, self._clock.now))
        except (AppendRefused, BridgeError) as refused:
            return {"refused": str(refused)}
        return {"samples": result.samples}

    async def maintain(self) -> Any:
        """What happens once a minute."""
        await self._store.maintain()
        return {"blocks": len(self._store.blocks.loaded), "log": self._store.oldest().segment, **self._counts()}

    def _counts(self) -> dict[str, float]:
        """What upkeep has done in this process."""
        counted = {
            name: self._registry.get_sample_value(f"pushbridge_tsdb_{metric}") for name, metric in COUNTED.items()
        }
        return {name: value or 0 for name, value in counted.items()}

    async def select(self, pattern: str, mint: int, maxt: int) -> Any:
        """Samples by the number of their series."""
        found = self._store.select([("series", "=~", pattern)], mint, maxt)
        return {series.labels["series"]: list(zip(series.timestamps, series.values, strict=True)) for series in found}

    async def delete(self, pattern: str, mint: int, maxt: int) -> Any:
        """Deletion of series in a range."""
        await self._store.admin.delete_series([("series", "=~", pattern)], mint, maxt)
        return {}

    async def clean(self) -> Any:
        """Rewriting of blocks with deletions."""
        await self._store.admin.clean_tombstones()
        return {}

    async def close(self) -> Any:
        """A graceful end."""
        await self._store.close()
        return {}


async def main(data: Path) -> None:
    """Answer until the input ends."""
    faulthandler.enable()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    clock = ToldClock()
    child: Child | None = None
    reader = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        clock.now = command["now"]
        if child is None:
            child = Child(data, clock)
        answer = await getattr(child, command["do"])(*command["with"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
