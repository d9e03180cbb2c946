"""When a sink will have caught up, and whether retention is faster."""

from __future__ import annotations

import pytest

from bridge.forward.forecast import Forecast, Pulse

SECOND = 1000
HOUR = 3600 * SECOND
START = 1_700_000_000_000


def pulse(*beats: tuple[int, int, int, int]) -> Pulse:
    """Of (seconds, accepted, accounted, seconds of the newest sent)."""
    found = Pulse()
    for now, accepted, accounted, reached in beats:
        found.beat(START + now * SECOND, accepted=accepted, accounted=accounted, reached=START + reached * SECOND)
    return found


def test_nothing_is_foretold_before_a_look() -> None:
    assert Pulse().forecast(None) == Forecast(None, None, None)


def test_a_sink_without_a_backlog_is_there_already() -> None:
    assert pulse((0, 100, 100, 0), (10, 200, 200, 10)).forecast(HOUR) == Forecast(10.0, 0.0, None)


def test_a_backlog_shrinks_by_what_goes_out_faster_than_it_comes_in() -> None:
    found = pulse((0, 1000, 0, -100), (10, 1100, 600, -50)).forecast(None)
    assert found.rate == 60
    assert found.eta_seconds == 500 / (60 - 10)


def test_a_backlog_that_grows_is_never_done() -> None:
    assert pulse((0, 1000, 0, 0), (10, 2000, 100, 1)).forecast(None).eta_seconds is None


def test_a_sink_that_stands_still_is_outrun_when_its_oldest_sample_is_too_old() -> None:
    found = pulse((0, 1000, 0, -600), (60, 2000, 0, -600)).forecast(HOUR)
    assert found.outrun_seconds == 3600 - 660


def test_what_was_outrun_already_is_told_as_now() -> None:
    assert pulse((0, 9, 0, -7200)).forecast(HOUR).outrun_seconds == 0


def test_a_sink_that_goes_through_time_slower_than_time_is_outrun_later() -> None:
    found = pulse((0, 1000, 0, -600), (10, 1100, 50, -595)).forecast(HOUR)
    assert found.outrun_seconds == pytest.approx((3600 - 605) / (1 - 0.5))


def test_a_sink_that_goes_through_time_faster_is_not_outrun() -> None:
    assert pulse((0, 1000, 0, -600), (10, 1100, 900, -10)).forecast(HOUR).outrun_seconds is None


def test_looks_that_are_too_close_tell_no_rate() -> None:
    found = pulse((0, 1000, 0, 0), (1, 1000, 1000 - 1, 0)).forecast(None)
    assert (found.rate, found.eta_seconds) == (None, None)


def test_what_was_long_ago_counts_no_more() -> None:
    beats = [(second, 10_000, 10 * second if second < 400 else 4000, 0) for second in range(0, 1000, 20)]
    assert pulse(*beats).forecast(None).rate == 0


def test_a_clock_that_jumps_back_begins_anew() -> None:
    assert pulse((0, 100, 0, 0), (100, 200, 100, 0), (50, 200, 150, 0)).forecast(None).rate is None
