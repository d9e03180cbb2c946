"""Whatever a receiver does, it ends up with what was accepted, in order, less what it will never take: dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response

from tests.edge.serving import until
from tests.forward import fake_receiver as faults
from tests.forward.fake_receiver import FakeReceiver, Fault, Labels, answers, slow
from tests.forward.remote_rig import V2, RemoteRig, remote_rig

pytestmark = pytest.mark.anyio

V1 = "prometheus.WriteRequest"
BOTH = pytest.mark.parametrize("message", [V1, V2])

PASSING: dict[str, list[Fault]] = {
    "all is well": [],
    "a storm of 500": [answers(500, "boom")] * 9,
    "other words each time": [answers(500, f"boom {n}") for n in range(9)],
    "429": [answers(429, "slow down")] * 3,
    "429 with seconds": [answers(429, "slow down", Retry_After="0")] * 3,
    "503 with a date": [answers(503, "wait", Retry_After="Tue, 14 Nov 2023 22:13:50 GMT")] * 3,
    "408": [answers(408)] * 3,
    "reset before commit": [faults.reset_before_commit] * 3,
    "reset after commit": [faults.reset_after_commit] * 3,
    "500 after commit": [faults.error_after_commit] * 3,
    "torn answers": [faults.torn_answer] * 3,
    "slow answers": [slow(0.3)] * 2,
    "401 for a while": [answers(401, "no")] * 5,
    "403 for a while": [answers(403, "no")] * 5,
    "404 for a while": [faults.web_page] * 5,
    "400 for no known reason": [answers(400, "some proxy is in a mood")] * 3,
    "all sorts": [
        answers(500),
        faults.reset_after_commit,
        answers(429),
        faults.torn_answer,
        answers(401),
        faults.error_after_commit,
        faults.reset_before_commit,
        slow(0.3),
    ],
}


async def push_some(r: RemoteRig) -> None:
    """Batches as they come from a few clients: some series more often than others."""
    for n in range(12):
        await r.push(7 + n % 3)
        await r.push(2, metric="few")


@BOTH
@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_leaves_no_trace(tmp_path: Path, name: str, message: str) -> None:
    receiver = FakeReceiver()
    receiver.faults.extend(PASSING[name])
    async with remote_rig(tmp_path, receiver, protobuf_message=message, remote_timeout="200ms") as r:
        await push_some(r)
        await r.check()
        assert list(r.letters.letters()) == []
        await push_some(r)
        await r.check()
        assert list(r.letters.letters()) == []


@BOTH
@pytest.mark.parametrize("name", PASSING)
async def test_nor_after_a_kill_in_the_middle(tmp_path: Path, name: str, message: str) -> None:
    receiver = FakeReceiver()
    receiver.faults.extend(PASSING[name])
    async with remote_rig(tmp_path, receiver, protobuf_message=message, remote_timeout="200ms") as r:
        for kills in range(5):
            await push_some(r)
            enough = len(receiver.writes) + kills % 3
            await until(lambda enough=enough: len(receiver.writes) > enough or r.sink.status().pending == 0)  # type: ignore[misc]
            await r.kill_sink()
            r.start_sink()
        await r.check()
        assert list(r.letters.letters()) == []


def bad_seventh(labels: Labels, _t: int, _value: float) -> str | None:
    return "invalid labels" if ("n", "7") in labels else None


@BOTH
@pytest.mark.parametrize("named", [True, False])
async def test_bad_samples_are_dead_letters_and_no_others(tmp_path: Path, named: bool, message: str) -> None:
    receiver = FakeReceiver(refuse=bad_seventh, named=named)
    async with remote_rig(tmp_path, receiver, protobuf_message=message) as r:
        await push_some(r)
        await r.check()
        letters = list(r.letters.letters())
        assert {letter.line.split(" ")[0] for letter in letters} == {'m{n="7"}'}
        assert len(letters) == sum(1 for labels, _ in r.wanted if ("n", "7") in labels)
        assert all(letter.code == 400 for letter in letters)


@BOTH
async def test_samples_that_come_too_late_are_dead_letters(tmp_path: Path, message: str) -> None:
    receiver = FakeReceiver()
    async with remote_rig(tmp_path, receiver, protobuf_message=message) as r:
        newer = faults.Row((("__name__", "m"), ("n", "3")), r.now + 100, 1.0)
        receiver.stored[newer.labels] = {newer.t: newer}  # from another writer
        await push_some(r)
        await r.drained()
        letters = list(r.letters.letters())
        assert {letter.line.split(" ")[0] for letter in letters} == {'m{n="3"}'}
        assert all("out of order" in letter.reason for letter in letters)
        del receiver.stored[newer.labels][newer.t]
        await r.check()


async def test_after_a_stop_in_good_order_nothing_is_in_doubt(tmp_path: Path) -> None:
    async with remote_rig(tmp_path) as r:
        await push_some(r)
        await r.drained()
        cursor = r.cursors.load("main")
        assert cursor is not None
        assert cursor.counters["launched"] > 0
        await r.stop_sink()
        cursor = r.cursors.load("main")
        assert cursor is not None
        assert (cursor.counters["launched"], cursor.counters["until"]) == (0, None)
        r.start_sink()
        await push_some(r)
        await r.check()


async def test_another_writer_of_a_few_series_hides_nothing_of_the_others(tmp_path: Path) -> None:
    """Late samples of some series do not prove that a request was stored which nobody answered."""
    receiver = FakeReceiver()
    queue = {"max_samples_per_send": "500", "max_shards": "1"}
    async with remote_rig(tmp_path, receiver, protobuf_message=V1, queue_config=queue) as r:
        await r.stop_sink()
        first = r.now
        await r.push(60, time=first + 10)
        await r.push(60, time=first + 30)
        for n in range(8):
            labels = (("__name__", "m"), ("n", str(n)))
            receiver.stored[labels] = {first + 20: faults.Row(labels, first + 20, 1.0)}
        receiver.faults.append(faults.reset_before_commit)
        r.start_sink()
        await r.drained()
        held = {t for labels, t in receiver.rows if dict(labels)["n"] == "59"}
        assert held == {first + 10, first + 30}
        for n in range(8, 60):
            assert ((("__name__", "m"), ("n", str(n))), first + 10) in receiver.rows


@BOTH
async def test_a_body_that_is_too_large_is_sent_in_pieces(tmp_path: Path, message: str) -> None:
    receiver = FakeReceiver(max_body=160)
    async with remote_rig(tmp_path, receiver, protobuf_message=message) as r:
        await push_some(r)
        await r.check()
        assert list(r.letters.letters()) == []
        await r.push(1, padding="".join(map(chr, range(0x4E00, 0x4F00))))
        await r.check()
        assert [letter.code for letter in r.letters.letters()] == [413]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (answers(500, "down"), "retrying"),
        (answers(429), "retrying"),
        (faults.reset_before_commit, "retrying"),
        (answers(401), "held"),
        (answers(403), "held"),
        (answers(404), "held"),
        (answers(400, "who knows"), "held"),
        (answers(418), "held"),
    ],
)
async def test_a_receiver_that_refuses_everything_gets_it_later(tmp_path: Path, fault: Fault, state: str) -> None:
    receiver = FakeReceiver(always=fault)
    async with remote_rig(tmp_path, receiver, protobuf_message=V2) as r:
        await push_some(r)
        await until(lambda: len(receiver.writes) > 60)
        assert list(r.letters.letters()) == []
        assert r.sink.status().state == state
        assert r.sink.status().account.sent == 0
        receiver.always = None
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


async def test_a_sample_that_a_receiver_has_no_words_for_is_found(tmp_path: Path) -> None:
    async def vague(sink: FakeReceiver, write: faults.Write) -> Response:
        if any(("n", "5") in row.labels for row in write.rows):
            return PlainTextResponse("no", 400)
        return sink.serve(write)

    async with remote_rig(tmp_path, FakeReceiver(always=vague)) as r:
        await r.push(9)
        await r.push(9)
        await r.check()
        assert [letter.line.split(" ")[0] for letter in r.letters.letters()] == ['m{n="5"}'] * 2


async def test_dead_letters_are_sent_again_or_mended(tmp_path: Path) -> None:
    from bridge.forward import Ranges  # noqa: PLC0415

    receiver = FakeReceiver(refuse=bad_seventh, ordered=False)
    async with remote_rig(tmp_path, receiver) as r:
        await r.push(9)
        await r.push(9)
        await r.drained()
        first, second = r.letters.letters()
        r.letters.requeue(Ranges([(first.number, first.number)]), line="nonsense")
        await until(lambda: "expected" in next(r.letters.letters()).reason)
        receiver.refuse = lambda _labels, _t, _value: None
        r.letters.requeue(Ranges([(first.number, second.number)]))
        await until(lambda: all(letter.state == "settled" for letter in r.letters.letters()))
        await r.check()
