"""Append-only files of checksummed text records.

    record = crc32 of the JSON (8 hexadecimal digits), a space, JSON without newlines, a newline

A newline ends a record and occurs nowhere else, so damage costs the records that it touches and no other. A record
without its newline is still being written, or was when the power went: it counts as never written. The files can be
read with `cut` and `jq`.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bridge.buffer import Files

__all__ = ["append_records", "encode_record", "read_records"]

_PIECE = 1 << 20
_TORN = b" torn\n"  # makes whatever it follows a damaged record, also one that lacks nothing but its newline


def encode_record(content: Mapping[str, Any]) -> bytes:
    """One record."""
    text = json.dumps(content, separators=(",", ":")).encode()  # ASCII: json escapes everything else, newlines included
    return b"%08x %s\n" % (zlib.crc32(text), text)


def append_records(files: Files, path: Path, records: Iterable[bytes]) -> int:
    """Append to an existing or new file, durably, and return its size. Raises OSError.

    A torn record at the end is closed off first, so that it spoils nothing and does not come back.
    """
    is_new = not files.exists(path)
    file = files.edit(path, or_create=True)
    try:
        size = files.size(file)
        torn = size > 0 and files.read_at(file, 1, size - 1) != b"\n"
        data = (_TORN if torn else b"") + b"".join(records)
        files.write_at(file, data, size)
        files.sync(file)
    finally:
        files.close(file)
    if is_new:
        files.sync_dir(path.parent)
    return size + len(data)


def read_records(files: Files, path: Path) -> Iterator[dict[str, Any] | None]:
    """All records in order; None for each one that is damaged."""
    try:
        file = files.open(path)
    except FileNotFoundError:
        return
    try:
        offset, rest = 0, b""
        while piece := files.read_at(file, _PIECE, offset):
            offset += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            yield from map(_decode, lines)
    finally:
        files.close(file)


def _decode(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    content = json.loads(text)
    return content if isinstance(content, dict) else None
