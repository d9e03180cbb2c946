"""How much a sink is sent at a time: the decision as tables and against a simulated sink."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.forward.answer import TIMEOUT, UNSENT, Answer, Ruling, Verdict
from bridge.forward.throttle import Signal, Throttle, signal_of

BATCH = 1000
BYTES = 1 << 20


def throttle(*, least: int = 1, most: int = 16) -> Throttle:
    return Throttle(least=least, most=most, batch=BATCH, max_bytes=BYTES)


class Driver:
    """Gives answers at times of their own, to full requests while others wait, unless told otherwise."""

    def __init__(self, throttle: Throttle) -> None:
        self.throttle = throttle
        self.now = 0.0

    def answer(
        self,
        signal: Signal = Signal.TAKEN,
        times: int = 1,
        *,
        seconds: float = 0.01,
        samples: int | None = None,
        size: int = 5000,
        waiting: int = 1,
    ) -> Driver:
        for _ in range(times):
            self.now += seconds + 0.001  # sent a little after the last answer came
            count = self.throttle.batch if samples is None else samples
            self.throttle.note(self.now, signal, seconds, samples=count, size=size, waiting=waiting)
        return self


@pytest.mark.parametrize(
    ("ruling", "signal"),
    [
        (Ruling(Verdict.OK, Answer(204)), Signal.TAKEN),
        (Ruling(Verdict.PARTIAL, Answer(400)), Signal.TAKEN),
        (Ruling(Verdict.POISON, Answer(400)), Signal.TAKEN),
        (Ruling(Verdict.SPLIT, Answer(413)), Signal.LARGE),
        (Ruling(Verdict.RETRY, Answer(429)), Signal.BUSY),
        (Ruling(Verdict.RETRY, Answer(503)), Signal.BUSY),
        (Ruling(Verdict.RETRY, Answer(500)), Signal.BUSY),
        (Ruling(Verdict.RETRY, Answer(0, code=UNSENT)), Signal.BUSY),
        (Ruling(Verdict.RETRY, Answer(0)), Signal.BUSY),
        (Ruling(Verdict.RETRY, Answer(0, code=TIMEOUT)), Signal.LATE),
        (Ruling(Verdict.RETRY, Answer(408)), Signal.LATE),
        (Ruling(Verdict.RETRY, Answer(504)), Signal.LATE),
        (Ruling(Verdict.HOLD, Answer(401)), Signal.NOTHING),
        (Ruling(Verdict.DOUBT, Answer(400)), Signal.NOTHING),
        (Ruling(Verdict.REPACK, Answer(415)), Signal.NOTHING),
    ],
)
def test_each_answer_tells_something_about_load(ruling: Ruling, signal: Signal) -> None:
    assert signal_of(ruling) is signal


def test_requests_double_each_round_trip_until_it_is_too_much_and_then_grow_by_one() -> None:
    driver = Driver(throttle())
    limits = [driver.answer().throttle.limit for _ in range(8)]
    assert limits == [2, 3, 4, 5, 6, 7, 8, 9]
    assert driver.answer(Signal.BUSY).throttle.limit == 4
    assert driver.answer(times=4).throttle.limit in {4, 5}
    assert driver.answer(times=1).throttle.limit == 5
    assert driver.answer(times=200).throttle.limit == 16


@pytest.mark.parametrize("signal", [Signal.BUSY, Signal.LATE])
def test_requests_are_halved_down_to_the_least(signal: Signal) -> None:
    driver = Driver(throttle(least=2))
    driver.answer(times=20)
    assert [driver.answer(signal).throttle.limit for _ in range(5)] == [8, 4, 2, 2, 2]


def test_nothing_grows_while_nobody_waits() -> None:
    assert Driver(throttle()).answer(times=50, waiting=0).throttle.limit == 1


def test_answers_to_what_was_sent_before_the_decrease_lower_nothing_again() -> None:
    driver = Driver(throttle())
    driver.answer(times=20)
    for _ in range(10):  # all sent at once, all refused at about the same time
        driver.now += 0.001
        driver.throttle.note(driver.now, Signal.BUSY, 0.5, samples=BATCH, size=5000, waiting=1)
    assert driver.throttle.limit == 8


@pytest.mark.parametrize("signal", [Signal.NOTHING, Signal.LARGE])
def test_some_answers_say_nothing_about_how_many_at_a_time(signal: Signal) -> None:
    driver = Driver(throttle())
    driver.answer(times=5)
    assert driver.answer(signal, times=5).throttle.limit == 6


def test_slow_answers_lower_and_slow_ones_to_others_than_full_requests_do_not() -> None:
    driver = Driver(throttle())
    driver.answer(times=20, seconds=0.2)
    assert driver.answer(seconds=5.0, samples=1).throttle.limit == 16
    assert driver.answer(seconds=1.0).throttle.limit == 14


def test_few_samples_that_fill_a_body_are_a_full_request() -> None:
    driver = Driver(throttle())
    driver.answer(times=20, seconds=0.2)
    assert driver.answer(seconds=1.0, samples=10, size=BYTES).throttle.limit == 14


def test_an_answer_in_no_time_is_not_slow_however_fast_others_are() -> None:
    driver = Driver(throttle())
    driver.answer(times=20, seconds=0.0001)
    assert driver.answer(times=20, seconds=0.09).throttle.limit == 16


def test_a_sink_that_is_slower_for_good_is_forgiven() -> None:
    driver = Driver(throttle())
    driver.answer(times=20, seconds=0.2)
    assert driver.answer(times=10, seconds=2.0).throttle.limit < 10
    assert driver.answer(times=1020, seconds=2.0).throttle.limit == 16


def test_timeouts_halve_the_batch_and_full_requests_make_it_grow() -> None:
    driver = Driver(throttle())
    assert [driver.answer(Signal.LATE).throttle.batch for _ in range(3)] == [500, 250, 125]
    assert driver.answer(samples=50, times=20).throttle.batch == 125
    assert driver.answer().throttle.batch == 187
    assert driver.answer(times=20).throttle.batch == BATCH
    assert driver.answer(Signal.LATE, times=20).throttle.batch == BATCH // 64


def test_a_body_that_is_too_large_is_remembered_and_tried_again_slowly() -> None:
    driver = Driver(throttle())
    assert driver.answer(Signal.LARGE, size=600_000).throttle.max_bytes == 300_000
    assert driver.answer(size=1000, times=100).throttle.max_bytes == 300_000
    assert driver.answer(size=290_000).throttle.max_bytes == 304_687
    asked = 0
    while driver.throttle.max_bytes < 600_000:
        driver.answer(size=driver.throttle.max_bytes)
        asked += 1
    assert 30 < asked < 100, "a body in vain for each few dozen, no more and no fewer"
    assert driver.throttle.batch == BATCH


def test_one_sample_that_is_too_large_says_nothing_about_others() -> None:
    assert Driver(throttle()).answer(Signal.LARGE, size=600_000, samples=1).throttle.max_bytes == BYTES


def test_after_a_timeout_smaller_requests_are_measured_anew() -> None:
    driver = Driver(throttle())
    driver.answer(times=20, seconds=0.2)
    before = driver.answer(Signal.LATE).throttle.limit
    assert driver.answer(times=5, seconds=1.0).throttle.limit >= before


@pytest.mark.parametrize(("batch", "least"), [(1000, 15), (640, 10), (100, 10), (10, 10), (5, 5), (1, 1)])
def test_a_batch_does_not_fall_below_a_few_samples_nor_rise_where_it_is_smaller(batch: int, least: int) -> None:
    found = Throttle(least=1, most=4, batch=batch, max_bytes=BYTES)
    assert Driver(found).answer(Signal.LATE, times=20).throttle.batch == least


@pytest.mark.parametrize(("max_bytes", "least"), [(BYTES, 1024), (1024, 1024), (500, 500), (1, 1)])
def test_a_body_does_not_become_too_small_for_anything(max_bytes: int, least: int) -> None:
    driver = Driver(Throttle(least=1, most=4, batch=BATCH, max_bytes=max_bytes))
    for _ in range(40):
        driver.answer(Signal.LARGE, size=driver.throttle.max_bytes)
    assert driver.throttle.max_bytes == least


SEQUENCES = st.lists(
    st.tuples(
        st.sampled_from(Signal),
        st.floats(0, 100),
        st.integers(1, 2 * BATCH),
        st.integers(1, 2 * BYTES),
        st.integers(0, 3),
    ),
    max_size=200,
)


@given(SEQUENCES, st.integers(1, 8), st.integers(0, 50), st.integers(1, BATCH), st.integers(1, BYTES))
def test_whatever_is_answered_bounds_hold(
    answers: Iterable[tuple[Signal, float, int, int, int]], least: int, more: int, batch: int, max_bytes: int
) -> None:
    found = Throttle(least=least, most=least + more, batch=batch, max_bytes=max_bytes)
    now = 0.0
    for signal, seconds, samples, size, waiting in answers:
        now += seconds / 2
        found.note(now, signal, seconds, samples=samples, size=size, waiting=waiting)
        assert least <= found.limit <= least + more
        assert 1 <= found.batch <= batch
        assert 1 <= found.max_bytes <= max_bytes


class Simulated:
    """A sink that works on `capacity` requests at a time: others queue, or are refused with 429."""

    def __init__(self, capacity: int, work: float, *, refuses: bool) -> None:
        self.capacity, self.work, self.refuses = capacity, work, refuses
        self.free = [0.0] * capacity  # when each worker is

    def begin(self, now: float) -> tuple[float, Signal]:
        """When the answer to a request of `now` comes, and what it is."""
        free = heapq.heappop(self.free)
        if self.refuses and free > now:
            heapq.heappush(self.free, free)
            return now + self.work / 10, Signal.BUSY
        end = max(free, now) + self.work
        heapq.heappush(self.free, end)
        return end, Signal.TAKEN


def run(sink: Simulated, found: Throttle, answers: int) -> tuple[float, float]:
    """Keep the sink as busy as the throttle allows: requests under way on average of the last half of the answers, and
    the share of the sink's time that it worked."""
    under_way: list[tuple[float, int, float, str]] = []
    now, taken, area, since = 0.0, 0, 0.0, 0.0
    for number in range(answers):
        while len(under_way) < found.limit:
            end, signal = sink.begin(now)
            heapq.heappush(under_way, (end, number, now, signal.value))
        before, (end, _, started, value) = now, heapq.heappop(under_way)
        now = end
        if number == answers // 2:
            since = now
        if number > answers // 2:
            area += (now - before) * (len(under_way) + 1)
            taken += value == Signal.TAKEN.value
        found.note(now, Signal(value), now - started, samples=BATCH, size=5000, waiting=1)
    return area / (now - since), taken * sink.work / sink.capacity / (now - since)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 24), st.floats(0.06, 5.0), st.booleans())
def test_a_sink_with_a_capacity_is_used_and_not_flooded(capacity: int, work: float, refuses: bool) -> None:
    found = throttle(most=64)
    under_way, used = run(Simulated(capacity, work, refuses=refuses), found, 6000)
    assert used > 0.6
    assert under_way < 2.6 * capacity + 2
