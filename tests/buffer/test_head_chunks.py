"""Files of head chunks: what is in them needs no memory and no replay, and without them nothing is missing."""

import errno
from pathlib import Path

import pytest

from bridge.buffer.files import File, Files
from bridge.buffer.head_chunks import HeadChunks
from bridge.buffer.querier import Querier
from bridge.native import HEAD_CHUNKS_HEADER, Batch, Framer, Head

EVER = (-(1 << 63), (1 << 63) - 1)
HOUR = 3_600_000
START = 1_700_000_000_000 // HOUR * HOUR
STEP = 60_000
SERIES = 20


class Store:
    """A head, its log, and its files of chunks."""

    def __init__(self, path: Path, files: Files | None = None, max_file_size: int = 128 << 20) -> None:
        self.path, self.files, self.max_file_size = path, files or Files(), max_file_size
        self.head = Head()
        self.framer = Framer(0, 1 << 30)
        self.log = b""
        self.chunks = self._open()
        self.chunks.attach()

    def _open(self) -> HeadChunks:
        return HeadChunks(self.files, self.path, self.head, max_file_size=self.max_file_size)

    def append(self, first: int, rounds: int) -> None:
        """A sample a minute for each series."""
        for n in range(first, first + rounds):
            rows = [({"__name__": "m", "i": f"{i:03}"}, START + n * STEP, float(n * i)) for i in range(SERIES)]
            staged = self.head.stage(Batch.from_rows(rows, 0))
            assert self.framer.add(staged)
            staged.commit()
        self.log += self.framer.take()

    def restart(self, *, min_valid: int | None = None) -> int:
        """Everything from disk; how many chunks were attached."""
        self.head = Head()
        if min_valid is not None:
            self.head.set_min_valid(min_valid)
        self.chunks = self._open()
        attached = self.chunks.attach()
        assert self.head.replay(self.log).damage is None
        self.head.end_replay()
        return attached

    def dump(self) -> bytes:
        return b"".join(Querier(self.head).dump())

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "chunks_head", max_file_size=4_000)
    store.append(0, 600)
    return store


def test_chunks_leave_memory_and_come_back_without_the_log(store: Store) -> None:
    before, bytes_before, chunks = store.dump(), store.head.bytes, store.head.chunks
    written = store.chunks.write()
    assert written == chunks - SERIES, "the open chunk of each series stays"
    assert store.head.bytes < bytes_before
    assert store.dump() == before
    assert store.chunks.write() == 0
    store.chunks.close()
    assert store.restart() == written
    assert store.dump() == before
    assert store.head.chunks == chunks
    store.append(600, 300)
    grown = store.dump()
    assert store.chunks.write() > 0
    assert store.dump() == grown
    store.restart()
    assert store.dump() == grown


def test_files_are_cut_and_numbered_without_a_gap(store: Store) -> None:
    store.chunks.write()
    store.append(600, 600)
    store.chunks.write()
    names = store.names()
    assert len(names) >= 2
    assert names == [f"{n:06}" for n in range(1, len(names) + 1)]
    assert all((store.path / name).read_bytes().startswith(HEAD_CHUNKS_HEADER) for name in names)
    assert store.chunks.size() == sum((store.path / name).stat().st_size for name in names)
    last = (store.path / names[-1]).read_bytes()
    store.restart()
    store.append(1200, 300)
    assert store.chunks.write() > 0
    assert store.names()[len(names)] == f"{len(names) + 1:06}"
    assert (store.path / names[-1]).read_bytes() == last, "a file of an earlier run is not written to"


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "missing"])
def test_a_damaged_file_costs_those_behind_it_and_no_sample(store: Store, damage: str) -> None:
    for n in range(600, 1800, 300):
        store.chunks.write()
        store.append(n, 300)
    store.chunks.write()
    before = store.dump()
    names = store.names()
    assert len(names) >= 3
    bad = store.path / names[1]
    data = bad.read_bytes()
    match damage:
        case "flip":
            bad.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
        case "cut":
            bad.write_bytes(data[:-3])
        case "empty":
            bad.write_bytes(b"")
        case _:
            bad.unlink()
    store.restart()
    assert store.dump() == before
    assert store.names() == names[:1]
    store.chunks.write()
    assert store.names()[:2] == names[:2], "numbers go on without a gap"
    store.restart()
    assert store.dump() == before


def test_old_files_go_when_the_head_needs_nothing_of_them(store: Store) -> None:
    for n in range(600, 1800, 300):
        store.chunks.write()
        store.append(n, 300)
    store.chunks.write()
    names = store.names()
    assert store.chunks.truncate() == 0
    store.head.truncate(START + 1500 * STEP, 0)
    while store.head.truncate_step(3):
        pass
    removed = store.chunks.truncate()
    assert removed > 0
    assert store.names() == names[removed:]
    kept = b"".join(Querier(store.head).dump((), START + 1500 * STEP))
    assert store.restart(min_valid=START + 1500 * STEP) > 0
    assert b"".join(Querier(store.head).dump((), START + 1500 * STEP)) == kept


class Full(Files):
    """A disk that is full after so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write_at(self, file: File, data: bytes, offset: int) -> None:
        written = data[: self.room]
        self.room -= len(written)
        super().write_at(file, written, offset)
        if len(written) < len(data):
            raise OSError(errno.ENOSPC, "no space left")


def test_a_full_disk_leaves_chunks_in_memory(tmp_path: Path) -> None:
    files = Full(1_000)
    store = Store(tmp_path / "chunks_head", files)
    store.append(0, 600)
    before = store.dump()
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            store.chunks.write()
        assert store.dump() == before
    files.room = 1 << 30
    assert store.chunks.write() > 0
    assert store.dump() == before
    assert store.restart() > 0
    assert store.dump() == before
