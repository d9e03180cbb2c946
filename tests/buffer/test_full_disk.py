"""A disk that really is full: pushes are refused, nothing is lost, and space that comes back is enough."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bridge.buffer import Store
from bridge.config import Storage
from bridge.errors import Unavailable
from bridge.native import Batch
from tests.buffer.samples import batch, batches_in, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs takes root")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)  # maps may still hold it busy


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def fill(store: Store, first: int, padding: int = 20_000) -> int:
    """Append until it is refused; the number of the batch that was."""
    for number in range(first, first + 1000):
        try:
            await store.append(batch(number, padding=padding))
        except Unavailable:
            return number
    pytest.fail("the disk is never full")


async def test_a_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    store = open_store(small_disk / "data")
    refused = await fill(store, 0)
    assert refused > 5
    assert batches_in(store) == set(range(refused))
    with pytest.raises(Unavailable, match="disk full"):
        await store.append(batch(refused, padding=200_000))
    assert store.seq == sum(1 + number % 5 for number in range(refused))

    ballast.unlink()  # no restart
    second = await fill(store, refused)
    assert second > refused
    position, samples = store.oldest(), 0
    while position < store.durable():
        piece, position = store.read(position, 100)
        samples += piece.samples
    assert samples == store.seq
    await store.close()

    store = open_store(small_disk / "data")  # opens on the full disk, and still takes nothing
    assert batches_in(store) == set(range(second))
    with pytest.raises(Unavailable, match="disk full"):
        await store.append(batch(second, padding=400_000))
    await store.close()


@pytest.mark.parametrize("room", range(0, 120_000, 12_000))
async def test_upkeep_on_a_disk_that_fills_up(small_disk: Path, room: int) -> None:
    """Whichever of chunk files, blocks, larger blocks and checkpoint it is that finds no room."""
    settings = Storage.model_validate({"max_block_duration": "6h", "wal": {"segment_size": "64KiB"}})
    data, ballast = small_disk / "data", small_disk / "ballast"
    store, hour, taken = open_store(data, settings=settings), 3_600_000, 0

    async def ingest(hours: int) -> None:
        nonlocal taken
        for number in range(taken, taken + hours * 4):
            rows = [({"__name__": "a", "n": str(n)}, number * hour // 4, number + n / 8) for n in range(8)]
            await store.append(Batch.from_rows(rows, 0))
            taken = number + 1

    def there() -> list[list[float]]:
        return [series.values for series in store.select([("__name__", "=", "a")])]

    await ingest(11)
    with ballast.open("wb") as file:
        free = os.statvfs(small_disk)
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room))
    for _ in range(3):
        await store.maintain()
        with suppress(Unavailable):
            await ingest(3)
        assert there() == [[number + n / 8 for number in range(taken)] for n in range(8)]
    ballast.unlink()
    await ingest(3)
    await store.maintain()
    blocks = len(store.blocks.loaded)
    for _ in range(2):
        assert there() == [[number + n / 8 for number in range(taken)] for n in range(8)]
        assert blocks >= 2
        await store.close()
        store = open_store(data, settings=settings)
    await store.close()


async def test_a_limit_on_files(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(batch(0))
    with file_size_limit(40_000):
        refused = await fill(store, 1, padding=60_000)
        assert refused == 1
        with pytest.raises(Unavailable, match=os.strerror(27)):
            await store.append(batch(1, padding=60_000))
        await store.append(batch(1))  # a smaller one fits
    await store.append(batch(2, padding=60_000))
    assert batches_in(store) == {0, 1, 2}
    await store.close()
    store = open_store(tmp_path)
    assert batches_in(store) == {0, 1, 2}
    await store.close()
