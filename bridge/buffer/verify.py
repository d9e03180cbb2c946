"""Reading every byte of a store: blocks, head chunks, log, checkpoint and the log of late samples.

Takes no lock. What a running bridge is just writing can look like damage at the end of a file, so a file that seems
damaged is read a second time, and only what is found twice is told; a file that goes meanwhile is left out.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bridge.buffer.files import Files
from bridge.buffer.inspect import FoundBlock, find_blocks, map_block
from bridge.buffer.segments import LogDir
from bridge.native import LogVerifier, verify_block, verify_head_chunks

__all__ = ["DamagedRange", "Verifier"]

PAUSE_SECONDS = 0.5
"""Before a file is read again: longer than it takes to write a group of batches."""

Ranges = list[tuple[int, int, str]]
Check = Callable[[bytes], Ranges]


class DamagedRange(NamedTuple):
    """Bytes of a file that cannot be believed; a `length` of 0 names a place."""

    path: Path
    offset: int
    length: int
    reason: str

    def __str__(self) -> str:
        size = f", {self.length} bytes" if self.length else ""
        return f"{self.path}: offset {self.offset}{size}: {self.reason}"


@dataclass(slots=True)
class Verifier:
    """One look at all files below a TSDB directory. `advance` is told of bytes that have been read."""

    files: Files
    directory: Path
    advance: Callable[[int], None]
    sleep: Callable[[float], None] = time.sleep

    def total(self) -> int:
        """Bytes that there are to read."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def damage(self) -> Iterator[DamagedRange]:
        """Read everything. Raises OSError."""
        yield from self._blocks()
        mapped = self.directory / "chunks_head"
        for name in self.files.list(mapped):
            if name.isdecimal():
                yield from self._read_twice(mapped / name, _head_chunks)
        for name in ("wal", "wbl"):
            yield from self._log(LogDir(self.files, self.directory / name))

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[DamagedRange]:
        found = find_blocks(self.files, self.directory)
        for problem in found.problems:
            path, _, reason = problem.partition(": ")
            yield DamagedRange(Path(path), 0, 0, reason)
        for block in found.blocks:
            try:
                yield from self._block(block)
            except FileNotFoundError as error:
                if self.files.exists(block.path):  # else a running bridge has deleted it
                    yield DamagedRange(Path(str(error.filename)), 0, 0, "the file is missing")
            self.advance(block.size)

    def _block(self, block: FoundBlock) -> Iterator[DamagedRange]:
        found = verify_block(*map_block(self.files, block.path))
        for damage in found.damage:
            yield DamagedRange(block.path / damage.file, damage.offset, damage.length, damage.reason)
        if found.omitted:
            yield DamagedRange(block.path, 0, 0, f"and {found.omitted} more ranges")
        if not found.damage:
            yield from self._meta(block, found.stats.series, found.stats.chunks, found.stats.samples)

    def _meta(self, block: FoundBlock, series: int, chunks: int, samples: int) -> Iterator[DamagedRange]:
        told = block.meta.stats
        for what, said, are in (
            ("series", told.series, series),
            ("chunks", told.chunks, chunks),
            ("samples", told.samples, samples),
        ):
            if said != are:
                reason = f"it says that there are {said} {what}, and there are {are}"
                yield DamagedRange(block.path / "meta.json", 0, 0, reason)

    # -- files that grow ----------------------------------------------------------------------------------------------

    def _log(self, log: LogDir) -> Iterator[DamagedRange]:
        verifier = LogVerifier()
        checkpoint = log.checkpoint()
        numbers = log.segments()
        if checkpoint is not None:
            last, condensed = checkpoint
            for number in condensed.segments():
                yield from self._segment(condensed, number, verifier)
            numbers = [number for number in numbers if number > last]
        for place, number in enumerate(numbers):
            yield from self._segment(log, number, verifier)
            if place and number != numbers[place - 1] + 1:
                missing = f"segments {numbers[place - 1] + 1} to {number - 1} are missing"
                yield DamagedRange(log.path, 0, 0, missing)
        if verifier.orphans:
            lost = f"{verifier.orphans} samples belong to series whose records are lost"
            yield DamagedRange(log.path, 0, 0, lost)

    def _segment(self, log: LogDir, number: int, verifier: LogVerifier) -> Iterator[DamagedRange]:
        end = log.marked_end(number)
        yield from self._read_twice(
            log.segment(number),
            lambda data: verifier.segment(data[:end]),
            lambda data: LogVerifier().segment(data[:end]),  # so that nothing is counted twice
        )

    def _read_twice(self, path: Path, check: Check, check_again: Check | None = None) -> Iterator[DamagedRange]:
        try:
            data = self.files.read_whole(path)
            found = check(data)
            if found:
                self.sleep(PAUSE_SECONDS)
                again = {offset for offset, _, _ in (check_again or check)(self.files.read_whole(path))}
                found = [damage for damage in found if damage[0] in again]
        except FileNotFoundError:
            return  # a running bridge has no more use for it
        self.advance(len(data))
        for offset, length, reason in found:
            yield DamagedRange(path, offset, length, reason)


def _head_chunks(data: bytes) -> Ranges:
    _, damaged = verify_head_chunks(data)
    return damaged
