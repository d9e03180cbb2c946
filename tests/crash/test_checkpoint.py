"""Power cuts around checkpoints: what no block has is there, whatever was written, renamed or removed just then."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from bridge.native import Batch
from tests.buffer.samples import SMALL, open_store
from tests.crash.recording import Acknowledged, Disk, Operation, RecordingFiles, remains

pytestmark = pytest.mark.anyio

NOISE = "".join(f"{hash((2, i)) & 0xFFFFFFFFFFFFFFFF:016x}" for i in range(1_400))
EVERYTHING = [("__name__", "=~", ".+")]
SIZE = 3


def batch(number: int) -> Batch:
    """Sample `number` of two series that last, and of one of its own whose record is long."""
    rows: list[tuple[dict[str, str], int | None, float]] = [
        ({"__name__": "lasting", "n": str(n)}, number, float(number)) for n in range(SIZE - 1)
    ]
    return Batch.from_rows([*rows, ({"__name__": "own", "n": str(number), "noise": NOISE[:22_000]}, number, 0.0)], 0)


async def record_life(root: Path, batches: int) -> list[Operation]:
    """Append, and truncate the log every ten batches: samples older than the last eight are "in blocks" then."""
    root.mkdir()
    files = RecordingFiles(root)
    store = open_store(root / "data", files=files, settings=SMALL)
    truncated = 0
    for number in range(batches):
        await store.append(batch(number))
        files.acknowledge(number)
        if number % 10 == 9:
            truncated += await store.truncate_log(number - 8, readers=[], owners=[], keep=1 << 40) is not None
    await store.close()
    assert truncated >= 2
    return files.record


async def check(data: Path, disk: Disk) -> None:
    """All acknowledged samples that no block has are there, in whole batches, and the store goes on."""
    newest = max(disk.acknowledged, default=-1)
    store = open_store(data, settings=SMALL)
    lasting = store.select([("__name__", "=", "lasting")])
    found = lasting[0].timestamps if lasting else []
    assert all(series.timestamps == found for series in lasting)
    last = found[-1] if found else -1
    assert last >= newest
    begin = max(0, (newest + 1) // 10 * 10 - 9)  # what the newest checkpoint may have left out
    assert found[-(last + 1 - begin) :] == list(range(begin, last + 1))
    assert found == list(range(found[0] if found else 0, last + 1))
    own = {int(series.labels["n"]): series.timestamps for series in store.select([("__name__", "=", "own")])}
    assert own == {number: [number] for number in found}
    assert store.seq == SIZE * (last + 1)
    assert not [path for path in (data / "tsdb" / "wal").glob("checkpoint.*") if path.suffix == ".tmp"]
    position, samples = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 1000)
        samples += piece.samples
    assert samples <= store.seq
    await store.append(batch(last + 1))
    await store.close()
    view = Directory(Files(), data / "tsdb", SystemClock())
    assert view.seq == SIZE * (last + 2)
    assert view.select([("__name__", "=", "lasting")])[0].timestamps == [*found, last + 1]


async def sweep(tmp_path: Path, *, batches: int, seed: int, every: int) -> None:
    record = await record_life(tmp_path / "life", batches)
    assert any(isinstance(operation, Acknowledged) for operation in record)
    for disk, _, data in remains(record, seed, tmp_path / "remains", every):
        await check(data, disk)


async def test_a_crash_anywhere_loses_nothing_that_no_block_has(tmp_path: Path) -> None:
    await sweep(tmp_path, batches=32, seed=1, every=3)


@pytest.mark.crash
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(4))
async def test_many_crashes(tmp_path: Path, seed: int) -> None:
    await sweep(tmp_path, batches=60, seed=seed, every=1)
