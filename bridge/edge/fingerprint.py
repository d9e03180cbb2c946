"""Noticing that a file has changed."""

from pathlib import Path

__all__ = ["Fingerprint", "fingerprint"]

Fingerprint = tuple[int, ...]


def fingerprint(path: Path) -> Fingerprint:
    """Differs when the file does, also when another of the same size and time took its place; empty without a file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
