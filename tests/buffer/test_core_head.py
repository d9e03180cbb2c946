"""The core's head, log and batches as Python sees them."""

from __future__ import annotations

import math
import mmap
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.buffer.querier import Querier
from bridge.native import AppendRefused, Batch, Framer, Head, LogDamaged, Query

EVER = (-(1 << 63), (1 << 63) - 1)
SEGMENT_SIZE = 1 << 20


def batch(*rows: tuple[str, int | None, float], time: int = 0, event: bytes | None = None) -> Batch:
    return Batch.from_rows([({"__name__": "m", "i": name}, t, value) for name, t, value in rows], time, event)


def written(head: Head, *batches: Batch) -> bytes:
    """The batches in the head, and the log that says so."""
    framer = Framer(0, SEGMENT_SIZE)
    for one in batches:
        staged = head.stage(one)
        assert framer.add(staged)
        staged.commit()
    log = framer.take()
    assert len(log) == framer.offset
    assert framer.take() == b""
    return log


def dump(head: Head) -> bytes:
    return b"".join(Querier(head).dump())


@pytest.fixture
def log() -> bytes:
    return written(Head(), batch(("a", 1, 0.5), ("b", None, 2), time=7, event=b"e"), batch(("a", 9, math.nan)))


def test_a_batch_goes_through_the_log() -> None:
    head = Head()
    staged = head.stage(batch(("a", 1, 0.5), ("b", None, 2.0), time=7, event=b"e"))
    assert (staged.seq, staged.samples, staged.time, staged.series_created) == (0, 2, 7, 2)
    assert (head.seq, head.series, head.chunks, head.min_time, head.max_time, head.bytes) == (0, 0, 0, None, None, 0)
    framer = Framer(0, SEGMENT_SIZE, "none")
    framer.add(staged)
    staged.commit()
    assert (head.seq, head.series, head.chunks, head.min_time, head.max_time) == (2, 2, 2, 1, 7)
    assert head.bytes > 0

    again = Head()
    segment = framer.take()
    replayed = again.replay(segment + bytes(1000))
    assert (replayed.end, replayed.damage, replayed.events) == (len(segment), None, [(len(segment), b"e")])
    assert (replayed.samples, replayed.series, replayed.ticks, replayed.unknown_refs) == (2, 2, 0, 0)
    assert dump(again) == dump(head) == b'{__name__="m", i="a"} 0.5 1\n{__name__="m", i="b"} 2 7\n'


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_contiguous_buffer_is_read(log: bytes, kind: Callable[[bytes], bytes | bytearray | memoryview]) -> None:
    assert Head().replay(kind(log)).end == len(log)
    assert Head().read_log(kind(log), 0, len(log), 100).samples == 3


def test_a_mapped_file_is_read_and_can_be_closed_after(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(log)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert Head().replay(mapped).end == len(log)
        assert Head().replay(memoryview(mapped)[:-1]).damage is not None


def test_a_buffer_with_holes_is_refused(log: bytes) -> None:
    with pytest.raises(BufferError, match="contiguous"):
        Head().replay(memoryview(log)[::2])
    with pytest.raises(TypeError):
        Head().replay("text")  # type: ignore[arg-type]


def test_buffers_are_given_back(log: bytes) -> None:
    segment = bytearray(log)
    references = sys.getrefcount(segment)
    replayed = Head().replay(segment)
    segment.extend(b"free to grow again")
    assert sys.getrefcount(segment) == references
    assert replayed.end == len(log)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("a", 4, 1.0)], "out_of_order"),
        ([("a", 5, 2.0)], "duplicate"),
        ([("a", 11, 1.0)], "out_of_bounds"),
        ([("a", None, 1.0), ("a", None, 2.0)], "duplicate"),
    ],
)
def test_a_refusal_has_a_reason(rows: list[tuple[str, int | None, float]], reason: str) -> None:
    head = Head()
    head.set_bounds(None, 10)
    head.stage(batch(("a", 5, 1.0))).commit()
    with pytest.raises(AppendRefused, match='i="a"') as caught:
        head.stage(batch(*rows))
    assert caught.value.reason == reason
    assert (head.seq, head.series) == (1, 1)


def test_a_sample_needs_named_labels() -> None:
    with pytest.raises(AppendRefused) as caught:
        Batch.from_rows([({"": "x"}, 1, 1.0)], 0)
    assert caught.value.reason == "labels"
    with pytest.raises(AppendRefused) as caught:
        Head().stage(Batch.from_rows([({"a": ""}, 1, 1.0)], 0))
    assert caught.value.reason == "labels"


def test_commits_come_in_order_and_once() -> None:
    head = Head()
    first, second = head.stage(batch(("a", 1, 1.0))), head.stage(batch(("a", 2, 1.0)))
    with pytest.raises(RuntimeError, match="oldest staged"):
        second.commit()
    with pytest.raises(RuntimeError, match="staged"):
        head.replay(b"")
    first.commit()
    head.rollback()
    with pytest.raises(RuntimeError, match="oldest staged"):
        second.commit()
    assert dump(head) == b'{__name__="m", i="a"} 1 1\n'


def test_a_framer_refuses_what_does_not_fit() -> None:
    head = Head()
    framer = Framer(0, 32 << 10)
    large = head.stage(batch(*((str(i), i, math.sqrt(i)) for i in range(2000))))
    small = head.stage(batch(("a", 1, 1.0)))
    assert framer.add(large)
    assert not framer.add(small)
    assert not framer.add_tick(5)
    framer.rewind(0)
    assert (framer.offset, framer.take()) == (0, b"")
    assert framer.add(small)
    with pytest.raises(ValueError, match="no such compression"):
        Framer(0, 1, "zip")


def test_slices_are_counted(log: bytes) -> None:
    head = Head()
    head.replay(log)
    first = head.read_log(log, 0, len(log), 1)
    rest = head.read_log(log, first.end, len(log), 100, seq=first.seq)
    assert (first.samples, first.seq, rest.samples, rest.seq, rest.end) == (2, 2, 1, 3, len(log))
    empty = head.read_log(log, rest.end, rest.end, 100, seq=rest.seq)
    assert (len(empty), empty.seq, empty.end) == (0, 3, len(log))
    with pytest.raises(LogDamaged, match="checksum") as caught:
        head.read_log(log[: first.end] + log[first.end :].replace(b"\xb0", b"\xb1", 1), first.end, len(log), 100)
    assert caught.value.offset == first.end


def test_matchers_and_ticks_select() -> None:
    head = Head()
    head.stage(Batch.from_rows([({"__name__": "m", "i": "a"}, 10, 1.5)], 0, None, held=True)).commit()
    head.stage(batch(("b", 10, 2.5))).commit()
    head.commit_tick(20)
    (series,) = Querier(head).select([("i", "=~", "a|c"), ("i", "!=", "b")], *EVER, held=True).series()
    assert (series.labels, series.timestamps, series.values) == ({"__name__": "m", "i": "a"}, [10, 20], [1.5, 1.5])
    assert [s.timestamps for s in Querier(head).select([], *EVER).series()] == [[10], [10]]
    assert len(Querier(head).select([], 11, 19, held=True)) == 0
    assert b"".join(Querier(head).dump([("i", "=", "a")], 20, 20, held=True)) == b'{__name__="m", i="a"} 1.5 20\n'
    for matcher in [("i", "==", "a"), ("i", "=~", "("), ("i", "=~", "a**")]:
        with pytest.raises(ValueError, match=r"no such matcher|error parsing regexp"):
            Query(head, [([matcher], *EVER, False)])


def test_readers_see_whole_batches_while_others_append() -> None:
    head = Head()
    stop = threading.Event()
    names = [f"{i:03}" for i in range(100)]

    def write() -> None:
        for t in range(1, 400):
            head.stage(batch(*((name, t, float(t)) for name in names))).commit()
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        newest = {series.timestamps[-1] for series in Querier(head).select([], *EVER).series()}
        assert len(newest) <= 1
        lines = dump(head).splitlines()
        assert len(lines) % len(names) == 0
    writer.join()
    assert head.seq == 399 * len(names)


@pytest.mark.interop
def test_promtool_prints_the_same(peer: Callable[[str], Path], tmp_path: Path) -> None:
    head = Head()
    odd = {"__name__": "odd", "ünï": 'q"\\\n\t\u00a0\u200be\u0301😀', "a.b": "dotted"}
    values = [0.0, -0.0, 1e6, 123456.789, 1e-5, 5e-324, math.inf, -math.inf, math.nan]
    batches = [Batch.from_rows([(odd, t, value)], 0, b"event", held=True) for t, value in enumerate(values, -3)]
    batches += [batch(*((str(i), t * 15_000, i / 7 + t) for i in range(300))) for t in range(100)]
    (tmp_path / "wal").mkdir()
    (tmp_path / "wal" / "00000000").write_bytes(written(head, *batches) + bytes(70_000))
    command = [str(peer("promtool")), "tsdb", "dump", "--min-time=-9223372036854775808", str(tmp_path)]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    assert dump(head) == printed
