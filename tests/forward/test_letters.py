"""Dead letters survive damage, crashes and several hands at a time; none is lost, none is kept twice."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from bridge.buffer import Files
from bridge.clock import SystemClock
from bridge.forward import DeadLetters, Ranges
from bridge.forward import deadletter as deadletter_module
from bridge.forward.bisect import Rejection
from bridge.forward.deadletter import LetterBox
from bridge.forward.marks import MarkFile
from tests.buffer.faults import FaultyFiles

REASON = 'it\'s "bad"\nand on two lines'


def box(path: Path, seq: int | None = None, files: Files | None = None) -> LetterBox:
    return LetterBox(files or Files(), path / "main", SystemClock(), seq)


def rejections(numbers: Iterable[int]) -> list[Rejection]:
    return [Rejection(f"m,n={n} value=1 {n}".encode(), f"m,n={n}".encode(), 400, REASON) for n in numbers]


def lines(letters: DeadLetters) -> list[str]:
    return [letter.line for letter in letters.letters()]


def expected(numbers: Iterable[int]) -> list[str]:
    return [r.line.decode() for r in rejections(numbers)]


def read(path: Path) -> DeadLetters:
    return DeadLetters(Files(), path / "main")


def filled(path: Path, count: int = 5) -> Path:
    """A file with letters whose samples are `seq` 1, 2, ..."""
    letters = box(path)
    for n in range(1, count + 1):
        letters.append(rejections([n]), seq=n)
    return path / "main" / "0000000001.letters"


def test_letters_of_before_the_first_move_of_the_cursor_are_not_kept_twice(tmp_path: Path) -> None:
    box(tmp_path).append(rejections([1, 2]), seq=10)
    again = box(tmp_path, seq=0)
    again.append(rejections([1, 2, 3]), seq=11)
    assert lines(again) == expected([1, 2, 3])


def test_letters_are_kept_with_all_that_is_known(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    letters = box(tmp_path)
    letters.append(rejections([1, 2]), seq=10)
    letters.append(rejections([3]), seq=11)
    found = list(read(tmp_path).letters())
    assert [(one.number, one.code, one.reason, one.line, one.seq, one.state) for one in found] == [
        (1, 400, REASON, "m,n=1 value=1 1", 10, "waiting"),
        (2, 400, REASON, "m,n=2 value=1 2", 10, "waiting"),
        (3, 400, REASON, "m,n=3 value=1 3", 11, "waiting"),
    ]
    assert all(before <= one.time <= time.time_ns() // 1_000_000 for one in found)
    assert letters.waiting == 3


def test_a_cut_at_any_length_leaves_what_was_whole(tmp_path: Path) -> None:
    file = filled(tmp_path)
    data = file.read_bytes()
    for length in range(len(data)):
        file.write_bytes(data[:length])
        whole = data[:length].count(b"\n")
        assert lines(read(tmp_path)) == expected(range(1, whole + 1))
        again = box(tmp_path, seq=whole)
        again.append(rejections([77]), seq=99)
        assert lines(read(tmp_path)) == [*expected(range(1, whole + 1)), *expected([77])], "a torn tail spoils nothing"
        numbers = [letter.number for letter in read(tmp_path).letters()]
        assert len(set(numbers)) == len(numbers)


def test_a_flipped_byte_costs_the_records_that_it_touches(tmp_path: Path) -> None:
    file = filled(tmp_path)
    data = file.read_bytes()
    starts = [0, *(i + 1 for i, b in enumerate(data) if b == ord("\n"))]
    for at in range(len(data)):
        for flip in (0x01, 0x80, 0xFF, data[at] ^ 0x0A):  # the last one makes it a newline
            if flip == 0:
                continue
            broken = bytearray(data)
            broken[at] ^= flip
            file.write_bytes(broken)
            record = max(i for i, start in enumerate(starts) if start <= at)
            touched = {record + 1, record + 2} if data[at] == ord("\n") else {record + 1}
            left = expected(n for n in range(1, 6) if n not in touched)
            assert [line for line in lines(read(tmp_path)) if line in left] == left
            assert set(lines(read(tmp_path))) <= set(expected(range(1, 6))), "damage is never read as a letter"
            assert read(tmp_path).counts().damaged >= (0 if at == len(data) - 1 else 1)


def test_what_a_crash_left_unsure_is_kept_once(tmp_path: Path) -> None:
    filled(tmp_path)
    again = box(tmp_path, seq=3)  # the cursor was saved at 3: slices 4 and 5 come again
    again.append(rejections([4]), seq=4)
    again.append(rejections([5, 6]), seq=6)
    assert lines(read(tmp_path)) == expected(range(1, 7))


def test_the_same_line_of_another_life_is_another_letter(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    box(tmp_path, seq=2).append(rejections([2]), seq=5)
    assert lines(read(tmp_path)) == expected([1, 2, 2])


def test_a_write_that_failed_half_way_is_repeated_whole(tmp_path: Path) -> None:
    files = FaultyFiles()
    letters = box(tmp_path, files=files)
    letters.append(rejections([1]), seq=1)
    for operation in ("write_at", "sync"):
        files.break_down(operation)
        with pytest.raises(OSError, match="No space left"):
            letters.append(rejections([2, 3]), seq=3)
        files.mend()
    letters.append(rejections([2, 3]), seq=3)
    assert lines(read(tmp_path)) == expected([1, 2, 3])
    assert [letter.number for letter in read(tmp_path).letters()] == [1, 2, 3]


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadletter_module, "_FILE_BYTES", 300)


@pytest.mark.usefixtures("small_files")
def test_files_are_cut_and_removed_when_all_in_them_is_settled(tmp_path: Path) -> None:
    filled(tmp_path, 20)
    files = sorted(path.name for path in (tmp_path / "main").glob("*.letters"))
    assert len(files) > 3
    read(tmp_path).drop(Ranges([(1, 20)]))
    letters = box(tmp_path, seq=20)
    assert sorted(path.name for path in (tmp_path / "main").glob("*.letters")) == files[-1:], (
        "the newest keeps the count"
    )
    assert letters.waiting == 0
    letters.append(rejections([21]), seq=21)
    assert [letter.number for letter in read(tmp_path).letters() if letter.state == "waiting"] == [21]
    assert read(tmp_path).counts().dropped == 20
    assert letters.waiting == 1


@pytest.mark.usefixtures("small_files")
def test_what_a_crash_left_unsure_may_be_in_several_files(tmp_path: Path) -> None:
    filled(tmp_path, 20)
    box(tmp_path, seq=5).append(rejections(range(6, 23)), seq=22)
    assert lines(read(tmp_path)) == expected(range(1, 23))


def test_decisions(tmp_path: Path) -> None:
    filled(tmp_path, 6)
    letters = box(tmp_path, seq=6)
    assert not letters.look()
    read(tmp_path).requeue(Ranges([(2, 4)]))
    read(tmp_path).requeue(Ranges([(4, 4)]), line="m value=4 4")
    assert letters.look()
    asked = letters.requested(10)
    assert [letter.line for letter in asked] == [*expected([2, 3]), "m value=4 4"]
    assert [letter.number for letter in letters.requested(2)] == [2, 3]

    letters.answer(asked, {"m value=4 4": "still bad"})
    assert not letters.look()
    states = {letter.number: (letter.state, letter.reason) for letter in read(tmp_path).letters()}
    assert states[2][0] == states[3][0] == "settled"
    assert states[4] == ("waiting", "still bad")
    read(tmp_path).drop(Ranges([(4, 5)]))
    read(tmp_path).requeue(Ranges([(2, 5)]))
    assert not letters.look(), "what is settled stays settled"

    for _ in range(2):  # the second time from condensed marks
        counts = read(tmp_path).counts()
        assert (counts.waiting, counts.requested, counts.resent, counts.dropped) == (2, 0, 2, 2)
        letters = box(tmp_path, seq=6)
        assert (letters.waiting, letters.resent, letters.dropped) == (2, 2, 2)


def test_requests_outlive_a_restart(tmp_path: Path) -> None:
    filled(tmp_path)
    read(tmp_path).requeue(Ranges([(2, 3)]))
    read(tmp_path).requeue(Ranges([(3, 3)]), line="m value=3 3")
    letters = box(tmp_path, seq=5)
    assert letters.look()
    assert [letter.line for letter in letters.requested(10)] == [*expected([2]), "m value=3 3"]


def test_marks_survive_a_cut_at_any_length(tmp_path: Path) -> None:
    marks = MarkFile(Files(), tmp_path / "marks")
    for n in range(1, 4):
        marks.add("drop", Ranges([(n, n)]))
    data = (tmp_path / "marks").read_bytes()
    for length in range(len(data)):
        (tmp_path / "marks").write_bytes(data[:length])
        whole = data[:length].count(b"\n")
        assert list(marks.read().settled) == list(range(1, whole + 1))
        marks.add("resent", Ranges([(9, 9)]))
        assert list(marks.read().settled) == [*range(1, whole + 1), 9]


def _mark(path: Path, first: int) -> None:
    marks = MarkFile(Files(), path)
    for n in range(first, first + 25):
        marks.add("drop", Ranges([(n, n)]))


def test_marks_of_several_processes_are_all_kept_while_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "marks"
    marks = MarkFile(Files(), path)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_mark, args=(path, 100 * n)) for n in range(1, 4)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        marks.condense(1)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    wanted = {n for first in (100, 200, 300) for n in range(first, first + 25)}
    assert set(marks.read().settled) == wanted
    assert marks.read().dropped == len(wanted)
