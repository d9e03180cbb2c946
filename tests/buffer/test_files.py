"""The real file system, and the lock on a directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bridge.buffer.files import Files
from bridge.buffer.lock import DirLock
from bridge.errors import ConfigError

HOLD = """
import sys
from pathlib import Path
from bridge.buffer.files import Files
from bridge.buffer.lock import DirLock
DirLock.take(Files(), Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_whole_files_are_replaced_not_overwritten(tmp_path: Path) -> None:
    files = Files()
    files.write_whole(tmp_path / "a", b"one")
    reader = files.open(tmp_path / "a")
    files.write_whole(tmp_path / "a", b"two and more")
    assert files.read_at(reader, 100, 0) == b"one"
    assert files.read_whole(tmp_path / "a") == b"two and more"
    assert files.list(tmp_path) == ["a"]
    files.close(reader)


def test_a_map_shows_the_file_and_an_empty_one_nothing(tmp_path: Path) -> None:
    files = Files()
    for content in (b"", b"some bytes"):
        files.write_whole(tmp_path / "a", content)
        file = files.open(tmp_path / "a")
        assert bytes(files.map(file)) == content
        files.close(file)


def test_reading_stops_at_the_end_only(tmp_path: Path) -> None:
    files = Files()
    files.write_whole(tmp_path / "a", b"0123456789")
    file = files.open(tmp_path / "a")
    assert files.read_at(file, 4, 3) == b"3456"
    assert files.read_at(file, 100, 8) == b"89"
    assert files.read_at(file, 100, 10) == b""
    files.close(file)


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files()
    file = files.create(tmp_path / "a")
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    files.write_at(file, b"0123456789", 2)
    monkeypatch.undo()
    assert files.read_whole(tmp_path / "a") == b"\0\x000123456789"
    files.close(file)


def test_directories_are_made_with_their_parents(tmp_path: Path) -> None:
    files = Files()
    files.make_dir(tmp_path / "a" / "b")
    files.make_dir(tmp_path / "a" / "b")
    assert files.list(tmp_path / "a") == ["b"]
    assert files.list(tmp_path / "nowhere") == []
    files.remove_tree(tmp_path / "a")
    assert not files.exists(tmp_path / "a")


def test_a_held_lock_names_the_holder_and_the_directory(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(ConfigError) as refused:
            DirLock.take(Files(), tmp_path)
        assert f"process {holder.pid}" in str(refused.value)
        assert str(tmp_path) in str(refused.value)
        holder.kill()
    with structlog.testing.capture_logs() as logs:  # what is left of it is no reason not to start
        lock = DirLock.take(Files(), tmp_path)
    assert not lock.clean_start
    assert [entry["log_level"] for entry in logs] == ["warning"]
    lock.release()


def test_a_clean_stop_leaves_no_lock(tmp_path: Path) -> None:
    lock = DirLock.take(Files(), tmp_path)
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    lock.release()
    assert Files().list(tmp_path) == []
    with structlog.testing.capture_logs() as logs:
        lock = DirLock.take(Files(), tmp_path)
    assert lock.clean_start
    assert logs == []
    lock.release()


def test_a_lock_file_removed_while_it_is_taken_is_taken_again(tmp_path: Path) -> None:
    class Racing(Files):
        """The holder lets go between our opening the file and our locking it."""

        removed = False

        def lock(self, file: object) -> bool:
            if not self.removed:
                self.removed = True
                self.remove(tmp_path / "lock")
            return super().lock(file)  # type: ignore[arg-type]

    lock = DirLock.take(Racing(), tmp_path)
    with pytest.raises(ConfigError):
        DirLock.take(Files(), tmp_path)
    lock.release()
