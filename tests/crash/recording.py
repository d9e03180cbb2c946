"""A file system that remembers what was done to it, and what of that a power cut may leave.

`RecordingFiles` works on real files and records every operation that changes something. `Disk` replays a prefix of the
record into a model that tells written from durable, and lays the remains of a crash at that point into a directory.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from bridge.buffer.files import File, Files

__all__ = ["CRASHES", "Acknowledged", "Crash", "Disk", "Operation", "RecordingFiles", "remains"]

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
    """A name moves within its directory, of a file or of a directory with all that is in it."""

    old: Path
    new: Path


@dataclass(frozen=True)
class Link:
    """A file gets a second name."""

    old: Path
    new: Path


@dataclass(frozen=True)
class Remove:
    """A name goes, of a file or of an empty directory."""

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


Operation = Create | Write | Resize | Sync | Rename | Link | Remove | MakeDir | SyncDir | Acknowledged


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
        name, new_name = self._name(old), self._name(new)
        moved = {path for path in self._inodes if path == name or name in path.parents}
        self._inodes |= {new_name / path.relative_to(name): self._inodes.pop(path) for path in moved}
        self.record.append(Rename(name, new_name))

    def link(self, old: Path, new: Path) -> None:
        super().link(old, new)
        self._inodes[self._name(new)] = self._inodes[self._name(old)]
        self.record.append(Link(self._name(old), self._name(new)))

    def remove(self, path: Path) -> None:
        super().remove(path)
        del self._inodes[self._name(path)]
        self.record.append(Remove(self._name(path)))

    def remove_tree(self, path: Path) -> None:
        """One name after the other: a crash may come between any two."""
        for child in sorted(path.iterdir()):
            if child.is_dir():
                self.remove_tree(child)
            else:
                self.remove(child)
        path.rmdir()
        self.record.append(Remove(self._name(path)))

    def make_dir(self, path: Path) -> None:
        if not path.is_dir():
            self.make_dir(path.parent)
            path.mkdir()
            self.record.append(MakeDir(self._name(path)))
            self.sync_dir(path.parent)

    def sync_dir(self, path: Path) -> None:
        super().sync_dir(path)
        if path.is_relative_to(self._root):
            self.record.append(SyncDir(self._name(path)))


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Resize] = field(default_factory=list)


@dataclass
class _Dir:
    """What the names in it lead to: now, and after a crash."""

    names: dict[str, _File | _Dir] = field(default_factory=dict)
    durable: dict[str, _File | _Dir] = field(default_factory=dict)


class Disk:
    """What a prefix of the record has written, and how much of that is durable."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        self._files: dict[int, _File] = {}
        self._root = _Dir()

    def apply(self, operation: Operation) -> None:
        """One operation more."""
        match operation:
            case Create():
                self._files[operation.inode] = _File()
                self._dir(operation.path.parent).names[operation.path.name] = self._files[operation.inode]
            case Rename():
                assert operation.old.parent == operation.new.parent, "no power cut leaves two directories in step"
                names = self._dir(operation.old.parent).names
                names[operation.new.name] = names.pop(operation.old.name)
            case Link():
                target = self._dir(operation.old.parent).names[operation.old.name]
                self._dir(operation.new.parent).names[operation.new.name] = target
            case Remove():
                del self._dir(operation.path.parent).names[operation.path.name]
            case MakeDir():
                if operation.path.parts:
                    self._dir(operation.path.parent).names[operation.path.name] = _Dir()
            case Write() | Resize():
                self._files[operation.inode].pending.append(operation)
            case Sync():
                file = self._files[operation.inode]
                _apply(file.durable, file.pending)
                file.pending.clear()
            case SyncDir():
                directory = self._dir(operation.path)
                directory.durable = dict(directory.names)
            case Acknowledged():
                self.acknowledged.add(operation.number)

    def unsynced(self) -> set[Path]:
        """Files whose content a power cut may change."""
        return {path for path, node in _walk(self._root, Path(), "kept") if isinstance(node, _File) and node.pending}

    def crash(self, kind: Crash, seed: int, target: Path) -> None:
        """Lay what is left into `target`, an empty directory."""
        chance = random.Random(seed)
        for path, node in _walk(self._root, target, kind):
            if isinstance(node, _Dir):
                path.mkdir()
                continue
            content = bytearray(node.durable)
            _apply(content, _remains(kind, node.pending, chance))
            path.write_bytes(content)

    def _dir(self, path: Path) -> _Dir:
        directory = self._root
        for part in path.parts:
            below = directory.names[part]
            assert isinstance(below, _Dir)
            directory = below
        return directory


def remains(record: list[Operation], seed: int, root: Path, every: int = 1) -> Iterator[tuple[Disk, Crash, Path]]:
    """What each crash at each point leaves."""
    disk = Disk()
    chance = random.Random(seed)
    for at, operation in enumerate(record):
        disk.apply(operation)
        for kind in CRASHES if at % every == 0 else ():
            target = root / f"{at:05d}-{kind}"
            target.mkdir(parents=True)
            disk.crash(kind, chance.getrandbits(32), target)
            yield disk, kind, target / "data"


def _walk(directory: _Dir, path: Path, kind: Crash) -> Iterator[tuple[Path, _File | _Dir]]:
    """All that a crash leaves names of, directories before what is in them."""
    for name, node in (directory.durable if kind == "dropped" else directory.names).items():
        yield path / name, node
        if isinstance(node, _Dir):
            yield from _walk(node, path / name, kind)


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
