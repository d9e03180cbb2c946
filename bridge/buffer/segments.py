"""The names in a log directory: segments, what stands beside them, and checkpoints.

    00000007             a segment, as Prometheus names them
    00000007.end         the log ends there at the byte written in it: what follows was refused and could not be cut off
    00000007.corrupt     bytes that no replay could read, set aside
    checkpoint.00000006  what segments 0 to 6 were condensed to: a directory of segments

Prometheus and promtool skip names that are not numbers.
"""

import mmap
from pathlib import Path

from bridge.buffer.files import Files

__all__ = ["PAGE_SIZE", "LogDir"]

PAGE_SIZE = 32 << 10
_PIECE = 1 << 20
_CHECKPOINT = "checkpoint."


class LogDir:
    """One directory of segments."""

    def __init__(self, files: Files, path: Path) -> None:
        self.files = files
        self.path = path

    def segment(self, number: int) -> Path:
        """Path of a segment, whether it is there or not."""
        return self.path / f"{number:08d}"

    def segments(self) -> list[int]:
        """Numbers of the segments present, ascending."""
        return sorted(int(name) for name in self.files.list(self.path) if name.isdigit() and len(name) >= 8)

    def checkpoints(self) -> list[tuple[int, "LogDir"]]:
        """Each checkpoint with the number of the last segment that it stands for, oldest first."""
        numbers = {
            int(name.removeprefix(_CHECKPOINT)): name
            for name in self.files.list(self.path)
            if name.startswith(_CHECKPOINT) and name.removeprefix(_CHECKPOINT).isdigit()
        }
        return [(number, LogDir(self.files, self.path / numbers[number])) for number in sorted(numbers)]

    def total_bytes(self) -> int:
        """What segments and the checkpoint take."""
        checkpoint = self.checkpoint()
        return sum(self.sizes().values()) + (checkpoint[1].total_bytes() if checkpoint else 0)

    def modified(self, number: int) -> float:
        """When a segment was last written, seconds since 1970."""
        return self.files.modified(self.segment(number))

    def checkpoint(self) -> tuple[int, "LogDir"] | None:
        """The newest checkpoint and the number of the last segment that it stands for."""
        return max(self.checkpoints(), key=lambda checkpoint: checkpoint[0], default=None)

    def checkpoint_number(self) -> int | None:
        """The last segment that has become a part of a checkpoint."""
        return max((number for number, _ in self.checkpoints()), default=None)

    def checkpoint_path(self, last: int) -> Path:
        """Path of the checkpoint that stands for segments up to `last`."""
        return self.path / f"{_CHECKPOINT}{last:08d}"

    def drafts(self) -> list[Path]:
        """Checkpoints that were not finished."""
        names = self.files.list(self.path)
        return [self.path / name for name in names if name.startswith(_CHECKPOINT) and name.endswith(".tmp")]

    def sizes(self) -> dict[int, int]:
        """Bytes of each segment present."""
        found = {}
        for number in self.segments():
            file = self.files.open(self.segment(number))
            try:
                found[number] = self.files.size(file)
            finally:
                self.files.close(file)
        return found

    def drop(self, number: int, *, aside: bool = False) -> None:
        """Remove a segment, or only its name in the log; durable after `sync_dir`."""
        if aside:
            self.files.rename(self.segment(number), self._free_name(number))
        else:
            self.files.remove(self.segment(number))
        if self.files.exists(self._mark(number)):
            self.files.remove(self._mark(number))

    def map(self, number: int) -> mmap.mmap | bytes:
        """A segment as memory, up to its marked end: for whoever holds the lock, so that nobody cuts it meanwhile."""
        file = self.files.open(self.segment(number))
        try:
            data = self.files.map(file)
        finally:
            self.files.close(file)
        end = self.marked_end(number)
        return data if end is None else data[:end]

    def load(self, number: int) -> bytes:
        """A segment's bytes, up to its marked end: for whoever reads beside a running writer."""
        data = self.files.read_whole(self.segment(number))
        end = self.marked_end(number)
        return data if end is None else data[:end]

    def set_aside(self, number: int, start: int, stop: int) -> Path:
        """Copy a range of a segment durably to a file of its own, named after it."""
        copy = self._free_name(number)
        source = self.files.open(self.segment(number))
        try:
            target = self.files.create(copy)
            try:
                for at in range(start, stop, _PIECE):
                    data = self.files.read_at(source, min(_PIECE, stop - at), at)
                    self.files.write_at(target, data, at - start)
                self.files.sync(target)
            finally:
                self.files.close(target)
        finally:
            self.files.close(source)
        self.files.sync_dir(self.path)
        return copy

    def cut(self, number: int, end: int) -> None:
        """Make `end` the length of a segment, durably."""
        file = self.files.edit(self.segment(number))
        try:
            self.files.resize(file, end)
            self.files.sync(file)
        finally:
            self.files.close(file)

    def overwrite(self, number: int, start: int, data: bytes) -> None:
        """Put `data` in place of a segment's bytes from `start` on, durably."""
        file = self.files.edit(self.segment(number))
        try:
            self.files.write_at(file, data, start)
            self.files.sync(file)
        finally:
            self.files.close(file)

    def mark_end(self, number: int, end: int) -> None:
        """Remember durably that a segment counts only up to `end`."""
        self.files.write_whole(self._mark(number), f"{end}\n".encode())

    def marked_end(self, number: int) -> int | None:
        """The byte up to which a segment counts, where that is less than its length."""
        try:
            return int(self.files.read_whole(self._mark(number)))
        except FileNotFoundError:
            return None

    def unmark_end(self, number: int) -> None:
        """Forget a mark, once the bytes behind it are gone: durably, for the number may be used again."""
        self.files.remove(self._mark(number))
        self.files.sync_dir(self.path)

    def _mark(self, number: int) -> Path:
        return self.path / f"{number:08d}.end"

    def _free_name(self, number: int) -> Path:
        base = f"{number:08d}.corrupt"
        name, n = base, 1
        while self.files.exists(self.path / name):
            name, n = f"{base}.{n}", n + 1
        return self.path / name
