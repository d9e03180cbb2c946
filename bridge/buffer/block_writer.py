"""How a block comes into being: the only place that writes one, and in what order.

    <ULID>.tmp-for-creation/          a crash up to the rename leaves this; the next start removes it
      chunks/000001, 000002, ...      as they come, synced every few MiB
      index                           synced
      tombstones                      synced; always there, without a stone
      held                            synced; only when the block has held samples
      meta.json                       written beside, synced, renamed
      sync of chunks/, sync of the directory itself
    rename to <ULID>/                 from here on it is a block
    sync of the parent directory      from here on it stays one

Nothing that a block was made from may be given up before `finish` has returned.
"""

from pathlib import Path

from bridge.buffer.files import File, Files
from bridge.buffer.meta import BlockMeta
from bridge.buffer.ulid import Ulid

__all__ = ["CREATION", "EMPTY_TOMBSTONES", "BlockWriter", "write_file"]

CREATION = ".tmp-for-creation"

EMPTY_TOMBSTONES = bytes.fromhex("0130ba30 01 00000000")
"""Magic, version, no stones, and the checksum of nothing."""

SYNC_STEP = 16 << 20
"""Bytes after which a file is synced: or else one sync of half a gigabyte would hold up those of the log."""


class BlockWriter:
    """One block on its way: `begin`, all chunks, the index, `finish`; or `abandon` at any point."""

    def __init__(self, files: Files, directory: Path, ulid: Ulid) -> None:
        self._files = files
        self._draft = directory / (ulid + CREATION)
        self._final = directory / ulid
        self._open: _Growing | None = None

    def begin(self) -> None:
        """Make the draft's directory. Raises OSError."""
        self._files.make_dir(self._draft / "chunks")

    def chunks(self, number: int, data: bytes) -> None:
        """More bytes of chunk file `number`, from 1; a file is complete when the next one begins. Raises OSError."""
        self._append(self._draft / "chunks" / f"{number:06d}", data)

    def index(self, data: bytes) -> None:
        """More bytes of the index, after all chunks. Raises OSError."""
        self._append(self._draft / "index", data)

    def finish(self, meta: BlockMeta, *, held: bytes = b"") -> Path:
        """Make it a block, durably, and say where. Raises OSError; then it may be one already, but none to rely on."""
        self._close()
        write_file(self._files, self._draft / "tombstones", EMPTY_TOMBSTONES)
        if held:
            write_file(self._files, self._draft / "held", held)
        self._files.write_whole(self._draft / "meta.json", meta.encode())
        self._files.sync_dir(self._draft / "chunks")
        self._files.sync_dir(self._draft)
        self._files.rename(self._draft, self._final)
        self._files.sync_dir(self._final.parent)
        return self._final

    def abandon(self) -> None:
        """Leave nothing behind, also after a `finish` that failed. Raises OSError; the next start removes a draft."""
        if self._open is not None:
            self._files.close(self._open.file)
            self._open = None
        if self._files.exists(self._final):
            self._files.rename(self._final, self._draft)  # half removed, it would still look like a block
        if self._files.exists(self._draft):
            self._files.remove_tree(self._draft)

    def _append(self, path: Path, data: bytes) -> None:
        if self._open is None or self._open.file.path != path:
            self._close()
            self._open = _Growing(self._files, self._files.create(path))
        self._open.append(data)

    def _close(self) -> None:
        if self._open is not None:
            self._open.sync()
            self._files.close(self._open.file)
            self._open = None


class _Growing:
    """A file that is written from its beginning to its end."""

    def __init__(self, files: Files, file: File) -> None:
        self._files = files
        self.file = file
        self._size = 0
        self._synced = 0

    def append(self, data: bytes) -> None:
        self._files.write_at(self.file, data, self._size)
        self._size += len(data)
        if self._size - self._synced >= SYNC_STEP:
            self.sync()

    def sync(self) -> None:
        self._files.sync(self.file)
        self._synced = self._size


def write_file(files: Files, path: Path, data: bytes) -> None:
    """Write a new file and sync its bytes, not its name."""
    file = files.create(path)
    try:
        files.write_at(file, data, 0)
        files.sync(file)
    finally:
        files.close(file)
