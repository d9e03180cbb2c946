"""A file system that remembers what was done to it, and what of that a power cut may leave.

`RecordingFiles` works on real files and records every operation that changes something. `Disk` replays a prefix of the
record into a model that tells written from durable, and lays the remains of a crash at that point into a directory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from bridge.buffer.files import File, Files

__all__ = ["CRASHES", "Acknowledged", "Crash", "Disk", "Operation", "RecordingFiles"]

Crash = Literal["kept", "dropped", "torn", "sectors", "zeroed"]
"""What became of what was not yet synced:

kept     all of it is there, as after `kill -9`
dropped  none of it is there, names included
torn     all but the second half of the last write to each file
sectors  of each write, some sectors of 512 bytes; of the other operations, some
zeroed   files have their new lengths, their new bytes are zero
"""

CRASHES: tuple[Crash, ...] = get_args(Crash)

_SECTOR = 512


@dataclass(frozen=True)
class Create:
    """A new inode gets a name."""

    path: Path
    inode: int


@dataclass(frozen=True)
class Write:
    """Bytes of a file."""

    inode: int
    data: bytes
    offset: int


@dataclass(frozen=True)
class Resize:
    """A file's length."""

    inode: int
    size: int


@dataclass(frozen=True)
class Sync:
    """A file's bytes and length are durable."""

    inode: int


@dataclass(frozen=True)
class Rename:
    """A name moves."""

    old: Path
    new: Path


@dataclass(frozen=True)
class Remove:
    """A name goes."""

    path: Path


@dataclass(frozen=True)
class MakeDir:
    """A directory gets a name."""

    path: Path


@dataclass(frozen=True)
class SyncDir:
    """The names in a directory are durable."""

    path: Path


@dataclass(frozen=True)
class Acknowledged:
    """Not an operation: from here on somebody relies on a batch."""

    number: int


Operation = Create | Write | Resize | Sync | Rename | Remove | MakeDir | SyncDir | Acknowledged


class RecordingFiles(Files):
    """The real file system, keeping a record. Paths are remembered relative to `root`.

    What is there at the beginning is durable, except for the content of the files named `unsynced`.
    """

    def __init__(self, root: Path, *, unsynced: Collection[Path] = ()) -> None:
        self._root = root
        self._inodes: dict[Path, int] = {}
        self._of_fd: dict[int, int] = {}
        self._next = 0
        self.record: list[Operation] = []
        for path in sorted(root.rglob("*")):
            self._adopt(path, synced=path.relative_to(root) not in unsynced)

    def acknowledge(self, number: int) -> None:
        """Note that a batch has been acknowledged now."""
        self.record.append(Acknowledged(number))

    def _adopt(self, path: Path, *, synced: bool) -> None:
        name = path.relative_to(self._root)
        if path.is_dir():
            self.record += [MakeDir(name), SyncDir(name.parent)]
            return
        inode, content = self._inode(name), path.read_bytes()
        self.record += [Create(name, inode), SyncDir(name.parent), Write(inode, content, 0)]
        if synced:
            self.record.append(Sync(inode))

    def _inode(self, name: Path) -> int:
        self._inodes[name] = self._next
        self._next += 1
        return self._inodes[name]

    def _name(self, path: Path) -> Path:
        return path.relative_to(self._root)

    def create(self, path: Path) -> File:
        name = self._name(path)
        file = super().create(path)
        if name in self._inodes:
            self.record.append(Resize(self._inodes[name], 0))
        else:
            self.record.append(Create(name, self._inode(name)))
        self._of_fd[file.fd] = self._inodes[name]
        return file

    def edit(self, path: Path, *, or_create: bool = False) -> File:
        name = self._name(path)
        file = super().edit(path, or_create=or_create)
        if name not in self._inodes:
            self.record.append(Create(name, self._inode(name)))
        self._of_fd[file.fd] = self._inodes[name]
        return file

    def write_at(self, file: File, data: bytes, offset: int) -> None:
        self.record.append(Write(self._of_fd[file.fd], bytes(data), offset))
        super().write_at(file, data, offset)

    def resize(self, file: File, size: int) -> None:
        self.record.append(Resize(self._of_fd[file.fd], size))
        super().resize(file, size)

    def allocate(self, file: File, offset: int, length: int) -> None:
        self.record.append(Resize(self._of_fd[file.fd], offset + length))
        super().allocate(file, offset, length)

    def sync(self, file: File) -> None:
        super().sync(file)
        self.record.append(Sync(self._of_fd[file.fd]))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self._inodes[self._name(new)] = self._inodes.pop(self._name(old))
        self.record.append(Rename(self._name(old), self._name(new)))

    def remove(self, path: Path) -> None:
        super().remove(path)
        del self._inodes[self._name(path)]
        self.record.append(Remove(self._name(path)))

    def make_dir(self, path: Path) -> None:
        if not path.is_dir():
            self.record.append(MakeDir(self._name(path)))
        super().make_dir(path)

    def sync_dir(self, path: Path) -> None:
        super().sync_dir(path)
        if path.is_relative_to(self._root):
            self.record.append(SyncDir(self._name(path)))


@dataclass
class _Inode:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Resize] = field(default_factory=list)


class Disk:
    """What a prefix of the record has written, and how much of that is durable."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        self._inodes: dict[int, _Inode] = {}
        self._names: dict[Path, int] = {}
        self._pending_names: list[Create | Rename | Remove] = []
        self._dirs: list[Path] = [Path()]
        self._pending_dirs: list[Path] = []

    def apply(self, operation: Operation) -> None:
        """One operation more."""
        match operation:
            case Create():
                self._inodes[operation.inode] = _Inode()
                self._pending_names.append(operation)
            case Rename() | Remove():
                self._pending_names.append(operation)
            case Write() | Resize():
                self._inodes[operation.inode].pending.append(operation)
            case Sync():
                inode = self._inodes[operation.inode]
                _apply(inode.durable, inode.pending)
                inode.pending.clear()
            case SyncDir():
                self._names = self._names_after(lambda path: path.parent == operation.path)
                self._pending_names = [n for n in self._pending_names if _path(n).parent != operation.path]
                self._dirs += [path for path in self._pending_dirs if path.parent == operation.path]
                self._pending_dirs = [path for path in self._pending_dirs if path.parent != operation.path]
            case MakeDir():
                self._pending_dirs.append(operation.path)
            case Acknowledged():
                self.acknowledged.add(operation.number)

    def unsynced(self) -> set[Path]:
        """Files whose content a power cut may change."""
        names = self._names_after(lambda _: True)
        return {path for path, number in names.items() if self._inodes[number].pending}

    def crash(self, kind: Crash, seed: int, target: Path) -> None:
        """Lay what is left into `target`, an empty directory."""
        chance = random.Random(seed)
        dirs = self._dirs if kind == "dropped" else self._dirs + self._pending_dirs
        reachable = {path for path in dirs if all(parent in dirs for parent in path.parents)}
        for path in sorted(reachable):
            (target / path).mkdir(exist_ok=True)
        names = self._names if kind == "dropped" else self._names_after(lambda _: True)
        for path, number in names.items():
            if path.parent not in reachable:
                continue
            inode = self._inodes[number]
            content = bytearray(inode.durable)
            _apply(content, _remains(kind, inode.pending, chance))
            (target / path).write_bytes(content)

    def _names_after(self, chosen: Callable[[Path], bool]) -> dict[Path, int]:
        names = dict(self._names)
        for change in self._pending_names:
            if not chosen(_path(change)):
                continue
            match change:
                case Create():
                    names[change.path] = change.inode
                case Rename():
                    names[change.new] = names.pop(change.old)
                case Remove():
                    names.pop(change.path, None)
        return names


def _path(change: Create | Rename | Remove) -> Path:
    return change.new if isinstance(change, Rename) else change.path


def _apply(content: bytearray, changes: Iterable[Write | Resize]) -> None:
    for change in changes:
        match change:
            case Write():
                end = change.offset + len(change.data)
                content.extend(bytes(max(0, end - len(content))))
                content[change.offset : end] = change.data
            case Resize():
                del content[change.size :]
                content.extend(bytes(change.size - len(content)))


def _remains(kind: Crash, pending: list[Write | Resize], chance: random.Random) -> list[Write | Resize]:
    match kind:
        case "kept":
            return pending
        case "dropped":
            return []
        case "torn":
            *before, last = pending or [Resize(0, 0)]
            if isinstance(last, Write):
                return [*before, Write(last.inode, last.data[: len(last.data) // 2], last.offset)]
            return before
        case "zeroed":
            return [Write(c.inode, bytes(len(c.data)), c.offset) if isinstance(c, Write) else c for c in pending]
        case "sectors":
            kept: list[Write | Resize] = []
            for change in pending:
                if isinstance(change, Resize):
                    kept += [change] if chance.random() < 0.5 else []
                else:
                    kept += [part for part in _sectors(change) if chance.random() < 0.5]
            return kept


def _sectors(write: Write) -> list[Write]:
    """The write in parts that a disk writes as one."""
    parts, at = [], 0
    while at < len(write.data):
        stop = at + _SECTOR - (write.offset + at) % _SECTOR
        parts.append(Write(write.inode, write.data[at:stop], write.offset + at))
        at = stop
    return parts
