"""Pushes leave more bytes of events in a log than of samples: they are handed over some at a time, and each once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.buffer import Files, Position
from bridge.buffer.replay import Recovery, recover
from bridge.buffer.segments import LogDir
from bridge.clock import SystemClock
from bridge.native import Framer, Head
from tests.forward.exemplars import batch

PUSHES, PADDING = 60, 200_000  # so that there are 12 MB of events
MOST = 5 << 20  # bytes of events at a time: 4 MiB, and what the last one has beyond


def log_of_pushes() -> tuple[bytes, list[int]]:
    """A segment, and where each push ends in it."""
    head, framer = Head(), Framer(0, 1 << 27, "none")
    log, ends = b"", []
    for n in range(PUSHES):
        staged = head.stage(batch(f"# HELP m {n:06d}{'x' * PADDING}\n# TYPE m gauge\nm {n}\n# EOF\n", 1_000 + n))
        assert framer.add(staged)
        staged.commit()
        log += framer.take()
        ends.append(len(log))
    return log, ends


LOG, ENDS = log_of_pushes()


def recovered(folder: Path) -> tuple[Recovery, Head, list[tuple[Position, bytes]]]:
    """What a start makes of a log whose writer was not interrupted."""
    head, events = Head(), list[tuple[Position, bytes]]()
    found = recover(LogDir(Files(), folder), head, SystemClock(), lambda at, event: events.append((at, event)))
    return found, head, events


def numbers(events: Sequence[tuple[Position, bytes]]) -> list[int]:
    """Which pushes the events are of."""
    return [int(event.partition(b"x")[0][-6:]) for _, event in events]


def test_pieces_are_small_and_together_the_whole() -> None:
    head, start, events, samples, pieces = Head(), 0, list[tuple[int, bytes]](), 0, 0
    while True:
        piece = head.replay(LOG, start)
        assert 0 < sum(len(event) for _, event in piece.events) < MOST
        events += piece.events
        samples += piece.samples
        pieces += 1
        if not piece.more:
            break
        start = piece.end
    assert (piece.end, piece.damage, pieces) == (len(LOG), None, 3)
    assert [end for end, _ in events] == ENDS
    assert samples == head.seq


def test_each_event_is_told_once_with_the_position_behind_it(tmp_path: Path) -> None:
    (tmp_path / "00000000").write_bytes(LOG)
    found, head, events = recovered(tmp_path)
    assert [at for at, _ in events] == [Position(0, end) for end in ENDS]
    assert numbers(events) == list(range(PUSHES))
    assert (found.samples, found.segments, found.damages) == (head.seq, 1, [])


@pytest.mark.parametrize("lost", [[5], [30], [59], [5, 30, 31, 58]])
def test_damage_in_any_piece_costs_what_it_touches(tmp_path: Path, lost: list[int]) -> None:
    damaged = bytearray(LOG)
    for n in lost:
        damaged[(ENDS[n - 1] + ENDS[n]) // 2] ^= 1
    (tmp_path / "00000000").write_bytes(damaged)
    found, _, events = recovered(tmp_path)
    assert numbers(events) == [n for n in range(PUSHES) if n not in lost]
    assert [at for at, _ in events] == [Position(0, end) for n, end in enumerate(ENDS) if n not in lost]
    assert 1 <= len(found.damages) <= len(lost)
    for damage in found.damages:
        assert any(ENDS[n - 1] == damage.position.offset for n in lost)
    found, _, again = recovered(tmp_path)
    assert (again, found.damages) == (events, []), "the next one passes over holes"
