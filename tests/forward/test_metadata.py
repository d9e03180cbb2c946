"""Metadata at remote-write receivers: messages of their own in 1.0, on the same way as samples and never in theirs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from tests.buffer.told_clock import ToldClock
from tests.edge.serving import until
from tests.forward.exemplars import TIME, batch
from tests.forward.fake_receiver import FakeReceiver, Fault, Write, answers
from tests.forward.remote_rig import V2, RemoteRig
from tests.forward.rig import rig_of

pytestmark = pytest.mark.anyio

INTERVAL = 60_000  # ms; Prometheus' default, which is ours
TOLD = {"hits_total", "odd_total", "took_seconds_bucket", "took_seconds_count", "took_seconds_sum"}
PUSHED = {"push_failure_time_seconds", "push_time_seconds"}  # of each group, beside what was pushed


def running(
    folder: Path, receiver: FakeReceiver, clock: ToldClock, **settings: Any
) -> AbstractAsyncContextManager[RemoteRig]:
    """A sink with the pace of production, by a clock that is told the time."""
    return rig_of(RemoteRig, folder, receiver, None, clock, **settings)


async def pass_time(clock: ToldClock, seconds: int) -> None:
    """Let time go by; whoever waits for less goes on in between, and does what it does until it waits again."""
    end = clock.now + seconds * 1000
    while clock.now < end:
        await until(lambda: clock.due is not None)
        clock.tell(min(clock.due or end, end))
    await until(lambda: clock.due is not None)


async def pass_until(clock: ToldClock, condition: Callable[[], bool]) -> int:
    """Let time go by, not too fast, until something is so; how many seconds that took."""
    begin = clock.now
    with anyio.fail_after(10):
        while not condition():
            await pass_time(clock, 1)
            await anyio.sleep(0.02)
    return (clock.now - begin) // 1000


async def pushed(r: RemoteRig, clock: ToldClock) -> None:
    """A push with metadata has arrived, and the metadata too."""
    await r.store.append(batch())
    await r.drained()
    await pass_time(clock, INTERVAL // 1000)
    await until(lambda: names(r.receiver) >= TOLD)


def names(receiver: FakeReceiver) -> set[str]:
    """The metrics that the receiver took metadata of."""
    return {one.metric_family_name for message in receiver.metadata for one in message}


def requests(r: RemoteRig, verdict: str) -> float:
    """How many requests of a sink were answered so."""
    labels = {"sink": "main", "class": verdict}
    return r.sink_registry.get_sample_value("pushbridge_sink_requests_total", labels) or 0.0


@dataclass(frozen=True)
class Bad:
    """What a receiver says for some time, what the sink's state is then, and how often it may be asked meanwhile."""

    fault: Fault
    seconds: int
    state: str
    least: int
    most: int


BAD = {
    "a storm of 500": Bad(answers(500, "boom"), 120, "retrying", 20, 80),
    "429 with Retry-After": Bad(answers(429, "slow down", Retry_After="100"), 390, "retrying", 2, 4),
    "401 for an hour": Bad(answers(401, "who are you?"), 3600, "held", 12, 17),
}


@pytest.mark.parametrize("name", BAD)
async def test_metadata_alone_are_retried_as_samples_are(tmp_path: Path, name: str) -> None:
    bad, clock, receiver = BAD[name], ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock) as r:
        await pushed(r, clock)
        receiver.always, before, told = bad.fault, len(receiver.metadata_writes), len(receiver.metadata)
        await pass_time(clock, INTERVAL // 1000 + bad.seconds)
        asked, status = len(receiver.metadata_writes) - before, r.sink.status()
        assert (status.state, len(receiver.metadata)) == (bad.state, told)
        assert bad.least <= asked <= bad.most
        assert status.problem == status.last_error
        assert status.last_error.split(":")[0] in name
        assert requests(r, "hold" if bad.state == "held" else "retry") == asked
        receiver.always = None
        await pass_time(clock, 600)
        await until(lambda: len(receiver.metadata) > told)
        assert [write.headers.get("retry-attempt") for write in receiver.metadata_writes[before:][:2]] == [None, "1"]
        status = r.sink.status()
        assert (status.state, status.account.sent, list(r.letters.letters())) == ("up", r.store.seq, [])
        assert status.identity_holds


@pytest.mark.parametrize("name", BAD)
async def test_samples_ask_and_metadata_wait(tmp_path: Path, name: str) -> None:
    """A receiver in trouble is asked by one at a time, and that is samples where there are any."""
    bad, clock, receiver = BAD[name], ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock) as r:
        await pushed(r, clock)
        receiver.always = bad.fault
        await r.push(3, time=TIME + 100)
        await until(lambda: r.sink.status().state == bad.state)
        before, writes, told = len(receiver.metadata_writes), len(receiver.writes), len(receiver.metadata)
        await pass_time(clock, INTERVAL // 1000 + bad.seconds)
        samples = len(receiver.writes) - writes
        assert bad.least <= samples <= bad.most + 5
        assert len(receiver.metadata_writes) - before <= 1 + samples // 8, "one where others could have asked too"
        receiver.always = None
        await pass_time(clock, 600)
        await r.drained()
        await until(lambda: len(receiver.metadata) > told)
        assert (r.sink.status().account.sent, list(r.letters.letters())) == (r.store.seq, [])


NOT_METADATA = {
    "500": answers(500, "no such ingester"),
    "429 with Retry-After": answers(429, "slow down", Retry_After="600"),
    "403": answers(403, "no metadata"),
}


@pytest.mark.parametrize("name", NOT_METADATA)
async def test_a_receiver_that_takes_no_metadata_gets_samples(tmp_path: Path, name: str) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver(metadata_fault=NOT_METADATA[name])
    async with running(tmp_path, receiver, clock) as r:
        await r.store.append(batch())
        await r.drained()
        await pass_time(clock, INTERVAL // 1000)
        await until(lambda: bool(receiver.metadata_writes))
        for n in range(3):  # no time passes: nothing is waited for
            await r.push(3, time=TIME + 100 + n)
            await r.drained()
        receiver.faults.append(answers(500, "once"))
        await r.push(3, time=TIME + 200)
        assert await pass_until(clock, lambda: r.sink.status().pending == 0) < 300
        status = r.sink.status()
        assert (status.account.sent, list(r.letters.letters())) == (r.store.seq, [])


async def test_a_receiver_that_does_not_answer_to_metadata_gets_samples(tmp_path: Path) -> None:
    """They take the place of no samples, of which one request at a time is sent here."""
    answered = anyio.Event()

    async def silent(_receiver: FakeReceiver, _write: Write) -> Response:
        await answered.wait()
        return Response(status_code=204)

    clock, receiver = ToldClock(TIME), FakeReceiver(metadata_fault=silent)
    async with running(tmp_path, receiver, clock, remote_timeout="1h") as r:
        await r.store.append(batch())
        await r.drained()
        clock.tell(clock.now + INTERVAL)
        await until(lambda: bool(receiver.metadata_writes))
        await r.push(3, time=TIME + 100)
        await r.drained()
        assert r.sink.status().account.sent == r.store.seq
        assert len(receiver.metadata_writes) == 1, "it still hangs"
        answered.set()


async def test_metadata_that_never_pass_are_given_up_until_the_next_interval(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver(metadata_fault=answers(500, "no such ingester"))
    async with running(tmp_path, receiver, clock) as r:
        await r.store.append(batch())
        await r.drained()
        with capture_logs() as logs:
            for n in range(600):
                await r.push(1, time=TIME + 100 + n)
                await pass_time(clock, 1)
        refused = [entry["answer"] for entry in logs if entry["event"] == "metadata refused"]
        assert refused == ["no such ingester"] * len(refused)
        assert 4 <= len(refused) <= 10
        assert len(receiver.metadata_writes) <= 8 * (len(refused) + 1)


async def test_metadata_that_are_taken_are_no_witness_against_samples(tmp_path: Path) -> None:
    """Where metadata go and samples do not, samples wait: nothing says that it is these samples."""
    clock, receiver = ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock) as r:
        await pushed(r, clock)
        receiver.refuse = lambda _labels, _t, _value: "some proxy is in a mood"
        await r.push(3, time=TIME + 100)
        await pass_time(clock, 7200)
        assert list(r.letters.letters()) == []
        assert r.sink.status().pending == 3
        receiver.refuse = lambda _labels, _t, _value: None
        await pass_time(clock, 600)
        await r.drained()
        assert r.sink.status().account.sent == r.store.seq


async def test_metadata_that_are_refused_for_good_are_no_trouble_of_the_sink(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver(metadata_fault=answers(400, "what is that?"))
    async with running(tmp_path, receiver, clock) as r:
        await r.store.append(batch())
        await r.drained()
        with capture_logs() as logs:
            await pass_time(clock, 10 * INTERVAL // 1000)
        refused = [entry for entry in logs if entry["event"] == "metadata refused"]
        assert 9 <= len(refused) == len(logs) <= 11
        assert len(receiver.metadata_writes) <= 12, "none of them is sent twice"
        assert {entry["log_level"] for entry in logs} == {"warning"}
        status = r.sink.status()
        assert (status.state, status.last_error, list(r.letters.letters())) == ("up", "", [])


async def test_metadata_go_in_parts_as_large_as_they_may_be(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver()
    config = {"max_samples_per_send": "2"}
    async with running(tmp_path, receiver, clock, metadata_config=config) as r:
        await pushed(r, clock)
        receiver.metadata.clear()
        await pass_time(clock, INTERVAL // 1000)
        await until(lambda: names(receiver) == TOLD | PUSHED)
        sizes = [len(message) for message in receiver.metadata]
        assert max(sizes) == 2
        assert sum(sizes) == len(TOLD | PUSHED)
        receiver.max_body = 110
        receiver.metadata.clear()
        await pass_time(clock, 2 * INTERVAL // 1000)
        await until(lambda: names(receiver) == TOLD | PUSHED)
        assert {len(message) for message in receiver.metadata} <= {1, 2}


async def test_metadata_are_sent_once_an_interval(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock, metadata_config={"send_interval": "10m"}) as r:
        await r.store.append(batch())
        await r.drained()
        await pass_time(clock, 599)
        assert len(receiver.metadata_writes) <= 1, "before the push there was nothing to be told"
        await pass_time(clock, 3 * 600)
        assert 3 <= len(receiver.metadata_writes) <= 4


async def test_metadata_that_wait_do_not_hold_up_the_end(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock) as r:
        await pushed(r, clock)
        receiver.always = answers(401, "who are you?")
        await pass_time(clock, 2 * INTERVAL // 1000)
        await until(lambda: r.sink.status().state == "held")
        with capture_logs() as logs:
            await r.stop_sink()
        assert not [entry for entry in logs if entry["log_level"] == "error"]


async def test_what_goes_with_samples_does_not_go_alone(tmp_path: Path) -> None:
    clock, receiver = ToldClock(TIME), FakeReceiver()
    async with running(tmp_path, receiver, clock, protobuf_message=V2) as r:
        await r.store.append(batch())
        await r.drained()
        await pass_time(clock, 5 * INTERVAL // 1000)
        assert receiver.metadata_writes == []
        assert {dict(labels)["__name__"] for write in receiver.writes for labels in write.metadata} >= TOLD
        receiver.versions = (1,)
        await r.push(1, time=TIME + 100)
        await r.drained()
        await pass_time(clock, 2 * INTERVAL // 1000)
        await until(lambda: names(receiver) >= TOLD)
