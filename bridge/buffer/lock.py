"""The lock on a TSDB directory: one writer at a time, Prometheus included.

As Prometheus does: an exclusive `flock` on `lock`. A file that nobody holds is what a crash left and only worth a
warning; a held one ends the start. A clean close removes it.
"""

import contextlib
import os
from pathlib import Path

import structlog

from bridge.buffer.files import File, Files
from bridge.errors import ConfigError

__all__ = ["DirLock"]

logger = structlog.get_logger(__name__)


class DirLock:
    """The right to write in one directory, held until `release` or the end of the process."""

    def __init__(self, files: Files, file: File, *, clean_start: bool) -> None:
        self._files = files
        self._file = file
        self.clean_start = clean_start

    @classmethod
    def take(cls, files: Files, directory: Path) -> "DirLock":
        """Lock `directory/lock`. Raises ConfigError naming the directory, and the holder where it left its id."""
        path = directory / "lock"
        clean_start = not files.exists(path)
        while True:
            file = files.edit(path, or_create=True)
            if not files.lock(file):
                holder = files.read_at(file, 20, 0).decode("ascii", "replace").strip()
                files.close(file)
                raise ConfigError(
                    [f"{directory}: in use by {f'process {holder}' if holder else 'another process'}: {path} is locked"]
                )
            if files.still_named(file):
                break
            files.close(file)  # its holder removed it between our open and our lock: take the one that others see
        if not clean_start:
            logger.warning("lock file left by an unclean stop", path=str(path))
        with contextlib.suppress(OSError):  # a courtesy to whoever is refused, not worth failing for on a full disk
            files.resize(file, 0)
            files.write_at(file, f"{os.getpid()}\n".encode(), 0)
        return cls(files, file, clean_start=clean_start)

    def release(self) -> None:
        """Remove the file while it is still ours, then let go."""
        self._files.remove(self._file.path)
        self._files.close(self._file)
