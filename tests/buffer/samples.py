"""Batches whose content tells which batch it was, and stores to put them in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from bridge.buffer import Store, View
from bridge.clock import SystemClock
from bridge.config import Storage, Wal
from bridge.native import Batch

__all__ = ["SMALL", "batch", "batches_in", "dump", "open_store", "size_of"]

SMALL = Wal(segment_size="64KiB")

_LINE = re.compile(r"^\{(?P<labels>.*)\} (?P<value>\S+) (?P<time>-?\d+)$")


def size_of(number: int) -> int:
    """How many samples the batch of that number has."""
    return 1 + number % 5


def batch(number: int, *, padding: int = 0, event: bool = False) -> Batch:
    """Batch `number`: its samples have that value; one of its series is its own, the others all batches share.

    `padding` bytes of a label that no compression makes smaller lengthen its records.
    """
    noise = "".join(f"{hash((number, i)) & 0xFFFFFFFFFFFFFFFF:016x}" for i in range(padding // 16))
    rows: list[tuple[dict[str, str], int | None, float]] = [
        ({"__name__": "own", "batch": str(number), "noise": noise}, 1_000 + number, float(number))
    ]
    rows += [({"__name__": "shared", "n": str(n)}, 1_000 + number, float(number)) for n in range(size_of(number) - 1)]
    return Batch.from_rows(rows, 1_000 + number, event=f"event {number}".encode() if event else None)


def dump(view: View, **options: Any) -> str:
    """All lines of a store."""
    return b"".join(view.dump(**options)).decode()


def batches_in(view: View) -> set[int]:
    """Numbers of the batches that a store holds. Fails when it holds a part of one."""
    counts: Counter[int] = Counter()
    own: dict[int, int] = defaultdict(int)
    for line in dump(view).splitlines():
        match = _LINE.match(line)
        assert match is not None, line
        number = int(float(match["value"]))
        assert int(match["time"]) == 1_000 + number, line
        counts[number] += 1
        own[number] += 'batch="' in match["labels"]
    assert counts == {number: size_of(number) for number in counts}, "a batch is there in part"
    assert all(count == 1 for count in own.values())
    return set(counts)


def open_store(path: Path, **options: Any) -> Store:
    """A store with small segments and a registry of its own; `settings` may be those of its log alone."""
    options = {"settings": SMALL, "clock": SystemClock(), "registry": CollectorRegistry(), **options}
    if isinstance(options["settings"], Wal):
        options["settings"] = Storage(wal=options["settings"])
    return Store.open(path, **options)
