"""Every file operation of the store, and what each of them promises about a crash.

Three things can be lost independently when the power goes: bytes written to a file, a file's length, and the entry that
names a file in its directory. `sync` makes the first two durable for one file, `sync_dir` the third for one directory;
nothing else does. So a new file is safe after `create`, `write_at`, `sync` *and* `sync_dir` of its parent.

A crash test swaps in a subclass that records each call and replays every prefix of them with whatever was not yet
synced dropped, torn or reordered.
"""

import errno
import fcntl
import mmap
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

__all__ = ["File", "Files", "is_full"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: OSError) -> bool:
    """True when an operation failed for want of space, which somebody can give back."""
    return error.errno in _FULL


@dataclass(slots=True, frozen=True)
class File:
    """An open file; only `Files` looks inside."""

    path: Path
    fd: int


class Files:
    """The real file system. Every method raises OSError and leaves it to the caller what that means."""

    # -- opening ------------------------------------------------------------------------------------------------------

    def create(self, path: Path) -> File:
        """Open for writing, emptying what was there. A new file's name is durable after `sync_dir` of its parent."""
        return File(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666))

    def edit(self, path: Path, *, or_create: bool = False) -> File:
        """Open an existing file for writing, as it is."""
        return File(path, os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if or_create else 0), 0o666))

    def open(self, path: Path) -> File:
        """Open an existing file for reading."""
        return File(path, os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    def close(self, file: File) -> None:
        """Give the descriptor back. Promises nothing about a crash."""
        os.close(file.fd)

    # -- bytes of one file --------------------------------------------------------------------------------------------

    def write_at(self, file: File, data: bytes, offset: int) -> None:
        """Write all of `data`. Until `sync`, a crash may keep any part of it, in any order, or none.

        On an error an unknown part of it has been written.
        """
        written = os.pwrite(file.fd, data, offset)
        rest = memoryview(data)
        while written < len(rest):  # a short write is how a nearly full disk answers first
            rest = rest[written:]
            offset += written
            written = os.pwrite(file.fd, rest, offset)

    def sync(self, file: File) -> None:
        """Make bytes and length durable. After an error the page cache may pretend: never retry, write elsewhere."""
        os.fdatasync(file.fd)

    def resize(self, file: File, size: int) -> None:
        """Cut the file, or lengthen it with zeros; durable after `sync`."""
        os.ftruncate(file.fd, size)

    def allocate(self, file: File, offset: int, length: int) -> None:
        """Reserve blocks that read as zeros, so that later writes don't change the length and `sync` is cheaper."""
        os.posix_fallocate(file.fd, offset, length)

    def read_at(self, file: File, size: int, offset: int) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""
        data = os.pread(file.fd, size, offset)
        while len(data) < size and (more := os.pread(file.fd, size - len(data), offset + len(data))):
            data += more
        return data

    def size(self, file: File) -> int:
        """Length in bytes."""
        return os.fstat(file.fd).st_size

    def map(self, file: File) -> mmap.mmap | bytes:
        """The whole file as read-only memory. Nobody may cut it while the map is in use."""
        if self.size(file) == 0:
            return b""  # an empty file cannot be mapped
        return mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ)

    def size_at(self, path: Path) -> int:
        """Size of a file in bytes."""
        return path.stat().st_size

    def modified(self, path: Path) -> float:
        """When a file was last written, seconds since 1970."""
        return path.stat().st_mtime

    def lock(self, file: File) -> bool:
        """Take the file's advisory lock; False when another process has it. Ends with `close` or the process."""
        try:
            fcntl.flock(file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def still_named(self, file: File) -> bool:
        """True while the file's path still leads to this very file."""
        try:
            named = file.path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(file.fd))

    # -- names --------------------------------------------------------------------------------------------------------

    def make_dir(self, path: Path) -> None:
        """Create a directory and its parents where they are missing. Durable at once."""
        if not path.is_dir():
            self.make_dir(path.parent)
            path.mkdir(exist_ok=True)
            self.sync_dir(path.parent)

    def list(self, path: Path) -> list[str]:
        """Names in a directory, sorted; none when it does not exist."""
        try:
            return sorted(entry.name for entry in path.iterdir())
        except FileNotFoundError:
            return []

    def exists(self, path: Path) -> bool:
        """True for a file or a directory."""
        return path.exists()

    def is_dir(self, path: Path) -> bool:
        """True for a directory."""
        return path.is_dir()

    def disk_size(self, path: Path) -> int:
        """Bytes that the file system of `path` has in all."""
        found = os.statvfs(path)
        return found.f_frsize * found.f_blocks

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or a directory another name, replacing a file that had it: after a crash the old or the new one,
        never neither. Durable after `sync_dir`.
        """
        old.replace(new)

    def link(self, old: Path, new: Path) -> None:
        """Give a file a second name, which shares its bytes; durable after `sync_dir`."""
        new.hardlink_to(old)

    def remove(self, path: Path) -> None:
        """Remove a file's name; durable after `sync_dir`."""
        path.unlink()

    def remove_tree(self, path: Path) -> None:
        """Remove a directory and all in it; a crash may leave any part of it."""
        shutil.rmtree(path)

    def sync_dir(self, path: Path) -> None:
        """Make the names in a directory durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    # -- whole files --------------------------------------------------------------------------------------------------

    def write_whole(self, path: Path, data: bytes) -> None:
        """Replace a file's content durably: after a crash it is the old one or the new one."""
        draft = path.with_name(path.name + ".tmp")
        file = self.create(draft)
        try:
            self.write_at(file, data, 0)
            self.sync(file)
        finally:
            self.close(file)
        self.rename(draft, path)
        self.sync_dir(path.parent)

    def read_whole(self, path: Path) -> bytes:
        """All bytes of a file."""
        file = self.open(path)
        try:
            return self.read_at(file, self.size(file), 0)
        finally:
            self.close(file)
