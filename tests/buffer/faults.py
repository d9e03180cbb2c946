"""File systems that misbehave on demand."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from bridge.buffer.files import File, Files

__all__ = ["FaultyFiles", "GatedFiles"]


class FaultyFiles(Files):
    """Real files. `broken` names operations on segments that fail, and how; a failing write writes half first."""

    def __init__(self) -> None:
        self.broken: dict[str, int] = {}
        self.calls: list[str] = []

    def break_down(self, *operations: str, error: int = errno.ENOSPC) -> None:
        """From now on these fail."""
        self.broken = dict.fromkeys(operations, error)

    def mend(self) -> None:
        """All is well again."""
        self.broken = {}

    def _pass(self, operation: str) -> None:
        self.calls.append(operation)
        if operation in self.broken:
            code = self.broken[operation]
            raise OSError(code, os.strerror(code))

    def create(self, path: Path) -> File:
        self._pass("create")
        return super().create(path)

    def edit(self, path: Path, *, or_create: bool = False) -> File:
        self._pass("edit")
        return super().edit(path, or_create=or_create)

    def write_at(self, file: File, data: bytes, offset: int) -> None:
        if "write_at" in self.broken:
            super().write_at(file, data[: len(data) // 2], offset)
        self._pass("write_at")
        super().write_at(file, data, offset)

    def sync(self, file: File) -> None:
        self._pass("sync")
        super().sync(file)

    def resize(self, file: File, size: int) -> None:
        self._pass("resize")
        super().resize(file, size)

    def allocate(self, file: File, offset: int, length: int) -> None:
        self._pass("allocate")
        super().allocate(file, offset, length)

    def sync_dir(self, path: Path) -> None:
        self._pass("sync_dir")
        super().sync_dir(path)

    def rename(self, old: Path, new: Path) -> None:
        self._pass("rename")
        super().rename(old, new)

    def remove_tree(self, path: Path) -> None:
        self._pass("remove_tree")
        super().remove_tree(path)


class GatedFiles(FaultyFiles):
    """Files whose `sync` waits between `shut_gate` and `open_gate`: so long a group is being written."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()
        self._gate = threading.Event()
        self._gate.set()

    def shut_gate(self) -> None:
        """From now on `sync` waits."""
        self.waiting.clear()
        self._gate.clear()

    def open_gate(self) -> None:
        """Let everybody through."""
        self._gate.set()

    def sync(self, file: File) -> None:
        if not self._gate.is_set():
            self.waiting.set()
            assert self._gate.wait(20)
        super().sync(file)
