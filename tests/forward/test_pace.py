"""How long a sink waits."""

from __future__ import annotations

from bridge.forward import Pace
from bridge.forward.answer import Answer
from bridge.forward.classify import classify

PACE = Pace()


def delays(status: int, streak: int, retry_after: float | None = None) -> set[float]:
    ruling = classify(Answer(status, retry_after=retry_after), "v1")
    return {PACE.delay(ruling, streak) for _ in range(200)}


def test_waits_double_with_jitter_up_to_the_cap() -> None:
    for streak, longest in [(1, 0.2), (2, 0.4), (5, 3.2), (9, 51.2), (10, 60.0), (1000, 60.0)]:
        found = delays(503, streak)
        assert len(found) > 100, "no jitter"
        assert longest / 2 <= min(found)
        assert max(found) <= longest


def test_retry_after_is_the_floor_and_has_a_cap() -> None:
    assert delays(429, 1, 30.0) == {30.0}
    assert delays(429, 1, 86_400.0) == {600.0}
    assert min(delays(429, 10, 31.0)) >= 31.0
    assert max(delays(503, 1, 0.0)) <= 0.2


def test_a_human_is_waited_for_slowly_and_without_jitter() -> None:
    assert [delays(401, streak) for streak in (1, 2, 3, 6, 99)] == [{15.0}, {30.0}, {60.0}, {300.0}, {300.0}]
