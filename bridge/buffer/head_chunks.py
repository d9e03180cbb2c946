"""Files of head chunks: what is full of the head leaves memory, and need not be replayed at the next start.

    chunks_head/000001   header, chunks of any series one behind the other; read through a read-only map
    chunks_head/000002   numbers follow each other without a gap; the last file is written to

The log has all that is here, so nothing is synced before a file is complete, and a file that a crash has damaged is
removed together with those behind it: the log is replayed in their place.
"""

import mmap
from pathlib import Path

import structlog

from bridge.buffer.files import File, Files
from bridge.native import HEAD_CHUNKS_HEADER, Head

__all__ = ["MAX_FILE_SIZE", "HeadChunks"]

logger = structlog.get_logger(__name__)

MAX_FILE_SIZE = 128 << 20
"""Bytes, as in Prometheus."""

_PIECE = 1 << 20  # bytes encoded at a time; readers and writers of the head wait for the swap of one piece


class HeadChunks:
    """One directory of files, for the one head that it belongs to. Called from one thread at a time."""

    def __init__(self, files: Files, path: Path, head: Head, *, max_file_size: int = MAX_FILE_SIZE) -> None:
        self._files = files
        self._path = path
        self._head = head
        self._max_file_size = max_file_size
        self._file: File | None = None  # None: the next write begins a file
        self._number = 0
        self._offset = 0

    def attach(self) -> int:
        """Give all files to the head, before it replays its log; how many chunks it can use.

        Removes what cannot be read, and all behind it. Raises OSError.
        """
        self._files.make_dir(self._path)
        chunks = 0
        numbers = self._numbers()
        for place, number in enumerate(numbers):
            reason = None if place == 0 or number == numbers[place - 1] + 1 else "a file before it is missing"
            if reason is None:
                try:
                    chunks += self._head.attach(number, self._map(number))[0]
                except ValueError as error:
                    reason = str(error)
            if reason is not None:
                self._remove(numbers[place:], reason)
                break
            self._number = number
        return chunks

    def write(self) -> int:
        """Move all full chunks of the head into files; how many.

        Raises OSError: what was not written stays in memory, and comes again with the next call.
        """
        written = 0
        while True:
            chunks = self._head.closed_chunks(min(_PIECE, self._max_file_size // 4))
            if not len(chunks):
                return written
            file = self._room(len(chunks.data))
            self._files.write_at(file, chunks.data, self._offset)
            chunks.mapped(self._number, self._offset, self._files.map(file))
            self._offset += len(chunks.data)
            written += len(chunks)

    def truncate(self) -> int:
        """Remove the oldest files, those of which the head needs nothing; how many. Raises OSError."""
        unused = self._head.forget_chunk_files(self._number + (self._file is None))
        for number in unused:
            self._files.remove(self._name(number))
        if unused:
            self._files.sync_dir(self._path)
        return len(unused)

    def size(self) -> int:
        """Bytes of all files."""
        return sum(self._name(number).stat().st_size for number in self._numbers())

    def close(self) -> None:
        """Complete the last file. Raises OSError."""
        if self._file is not None:
            file, self._file = self._file, None
            try:
                self._files.sync(file)
            finally:
                self._files.close(file)

    def _room(self, size: int) -> File:
        """The file to write `size` bytes to."""
        file = self._file
        if file is not None and self._offset + size <= self._max_file_size:
            return file
        self.close()
        file = self._files.create(self._name(self._number + 1))
        try:
            self._files.write_at(file, HEAD_CHUNKS_HEADER, 0)
            self._files.sync_dir(self._path)
        except BaseException:
            self._files.close(file)
            raise
        self._file, self._number, self._offset = file, self._number + 1, len(HEAD_CHUNKS_HEADER)
        return file

    def _numbers(self) -> list[int]:
        return sorted(int(name) for name in self._files.list(self._path) if name.isdigit())

    def _name(self, number: int) -> Path:
        return self._path / f"{number:06d}"

    def _map(self, number: int) -> mmap.mmap | bytes:
        file = self._files.open(self._name(number))
        try:
            return self._files.map(file)
        finally:
            self._files.close(file)

    def _remove(self, numbers: list[int], reason: str) -> None:
        """Remove the last files; the newest first, so that a crash leaves no gap."""
        logger.warning("chunk files removed, the log is replayed instead", first=numbers[0], reason=reason)
        for number in reversed(numbers):
            self._files.remove(self._name(number))
        self._files.sync_dir(self._path)
