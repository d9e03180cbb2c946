"""How many bytes the log takes of what a fleet of hosts sends, and that every compression is read again."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import pytest

from bridge.buffer.framing import new_framer
from bridge.config import Wal
from bridge.native import Batch, Framer, Head
from tests.buffer.samples import batch, batches_in, open_store

pytestmark = pytest.mark.anyio

Compression = Literal["snappy", "zstd", "none"]

ROUNDS = 20
SERIES = 2_000


def fleet() -> list[Batch]:
    """Requests of 2,000 samples: seconds with two decimals, integer counters, gauges in pages, things that stand
    still."""
    chance = random.Random(1)
    values = [chance.uniform(0, 1e6) for _ in range(SERIES)]
    rates = [chance.uniform(0, 8) if chance.random() > 0.2 else 0.0 for _ in range(SERIES)]
    labels = [
        {"__name__": f"node_metric_{i // 50 % 8}_total", "job": "node", "cluster": "prod-a", "region": "eu-west-1"}
        | {"instance": f"10.24.{i // 400}.{i // 50 % 8}:9100", "cpu": str(i % 50)}
        for i in range(SERIES)
    ]
    batches = []
    for round_ in range(ROUNDS):
        for i in range(SERIES):
            values[i] += rates[i] * chance.uniform(0.7, 1.3)
        shown = [
            round(v, 2) if i % 3 == 0 else float(int(v)) * (4096 if i % 3 == 1 else 1) for i, v in enumerate(values)
        ]
        rows = [(labels[i], 1_700_000_000_000 + round_ * 15_000, shown[i]) for i in range(SERIES)]
        batches.append(Batch.from_rows(rows, 0))
    return batches


def bytes_per_sample(compression: Compression, batches: list[Batch]) -> float:
    head, framer = Head(), new_framer(Wal(compression=compression))
    head.set_compression(compression)
    size = 0
    for each in batches:
        staged = head.stage(each)
        assert framer.add(staged)
        staged.commit()
        size += len(framer.take())
    return size / (ROUNDS * SERIES)


def test_zstd_is_smaller_than_snappy_and_snappy_than_nothing() -> None:
    batches = fleet()
    snappy, zstd, none = (bytes_per_sample(c, batches) for c in ("snappy", "zstd", "none"))
    assert snappy < 0.75 * none
    assert zstd < 0.8 * snappy


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
async def test_every_compression_is_read_again(tmp_path: Path, compression: Compression) -> None:
    settings = Wal(segment_size="64KiB", compression=compression)
    store = open_store(tmp_path, settings=settings)
    for number in range(40):
        await store.append(batch(number, padding=3_000, event=number % 2 == 0))
    await store.tick(5_000)
    await store.close()
    store = open_store(tmp_path, settings=settings)
    assert batches_in(store) == set(range(40))
    await store.close()


def test_zstd_needs_an_encoder_and_nothing_else_takes_one() -> None:
    with pytest.raises(ValueError, match="encoder"):
        Framer(0, 1 << 20, "zstd")
    with pytest.raises(ValueError, match="encoder"):
        Framer(0, 1 << 20, "snappy", zstd=bytes)
    with pytest.raises(ValueError, match="no such compression"):
        Framer(0, 1 << 20, "lz4")
