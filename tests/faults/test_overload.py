"""Many at once, slow ones, and those that leave: nobody waits for them, nothing of them stays."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, wait_until
from tests.faults.clients import Upload
from tests.faults.watching import Memory, group_key, groups, metric

KIB = 1 << 10
MIB = 1 << 20
CONFIG = "web: {enable_admin_api: true}\npush: {max_body: 1MiB, max_inflight_bytes: 2MiB}\n"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("overload"), CONFIG) as process:
        yield process


@pytest.fixture(autouse=True)
def _nothing_stays(bridge: BridgeProcess) -> Iterator[None]:
    bridge.request("PUT", "/api/v1/admin/wipe")
    yield
    wait_until("no body is held", lambda: inflight(bridge) == 0)
    assert groups(bridge) == {}


def inflight(bridge: BridgeProcess) -> float:
    return metric(bridge, "pushbridge_push_inflight_bytes")


def comment(size: int) -> bytes:
    """So much valid text that says nothing."""
    return b"# " + b"x" * (size - 3) + b"\n"


def test_slow_uploads_beyond_the_limit_are_refused_and_the_others_finish(bridge: BridgeProcess) -> None:
    half, whole = 100 * KIB, 200 * KIB
    with contextlib.ExitStack() as stack:
        waiting = []
        for _ in range(20):
            upload = stack.enter_context(Upload(bridge.port, "/metrics/job/slow", length=whole))
            upload.send(comment(half))
            waiting.append(upload)
        wait_until("what fits is held", lambda: inflight(bridge) == 20 * half)

        refused = [stack.enter_context(Upload(bridge.port, "/metrics/job/slow", length=half)) for _ in range(5)]
        for upload in refused:
            upload.send(comment(half))
            answer = upload.answer()
            assert (answer.status, answer.headers.get("retry-after")) == (503, "1"), answer
            assert "in flight" in answer.text
        assert inflight(bridge) == 20 * half
        assert bridge.request("PUT", "/metrics/job/small", "a 1\n").status == 200, "there is still room for a small one"

        for upload in waiting[10:]:
            upload.abort()
        wait_until("half of them are gone", lambda: inflight(bridge) == 10 * half)
        for upload in waiting[:9]:
            upload.send(comment(whole - half))
            assert upload.answer().status == 200
        assert inflight(bridge) == half
    for job in ("slow", "small"):
        assert bridge.request("DELETE", f"/metrics/job/{job}").status == 202


def test_a_trickling_body_holds_nobody_up(bridge: BridgeProcess) -> None:
    """Nothing more of the slow bodies comes before the quick push is answered: who waited for them waited for ever."""
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=60)
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Upload(bridge.port, f"/metrics/job/slow{n}")) for n in range(20)]
        for number in range(100):
            for upload in slow:
                upload.send(b"#" if number else b"# ")
            connection.request("PUT", "/metrics/job/quick", f"a {number}\n")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        for upload in slow:
            upload.send(b"\na 1\n")
        assert [upload.finish().status for upload in slow] == [200] * 20
    connection.close()
    bridge.request("PUT", "/api/v1/admin/wipe")


def leave_in_the_middle(bridge: BridgeProcess, count: int) -> None:
    """So many clients send half a push and go, some with a reset."""
    for start in range(0, count, 15):
        uploads = [Upload(bridge.port, f"/metrics/job/gone{start + n}", length=200 * KIB) for n in range(15)]
        for upload in uploads:
            upload.send(b"a 1\n" + comment(100 * KIB))
        wait_until("they are half read", lambda: inflight(bridge) > 15 * 100 * KIB)
        for n, upload in enumerate(uploads):
            upload.abort() if n % 2 else upload.connection.close()
        wait_until("they are gone", lambda: inflight(bridge) == 0)


def test_clients_that_leave_in_the_middle_of_a_body_leave_nothing(bridge: BridgeProcess) -> None:
    memory = Memory(bridge.pid)
    leave_in_the_middle(bridge, 60)  # what the allocator keeps, it keeps from now on
    before = memory.resident()
    leave_in_the_middle(bridge, 450)
    assert memory.resident() - before < 8 * MIB, "of 45 MiB that were sent"
    assert groups(bridge) == {}


@contextlib.contextmanager
def frozen(bridge: BridgeProcess) -> Iterator[None]:
    """The process stands still, as on a machine that swaps."""
    os.kill(bridge.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(bridge.pid, signal.SIGCONT)


def test_clients_that_give_up_waiting_leave_whole_pushes_or_none(bridge: BridgeProcess) -> None:
    memory = Memory(bridge.pid)
    body = b"a 1\nb 1\n" + comment(30 * KIB)

    def give_up(count: int) -> None:
        with frozen(bridge):
            for n in range(count):
                upload = Upload(bridge.port, f"/metrics/job/gone{n}", length=len(body))
                upload.send(body)
                upload.connection.close()
        assert bridge.request("PUT", "/metrics/job/last", "a 1\n").status == 200, "behind all of them"
        wait_until("no body is held", lambda: inflight(bridge) == 0)
        found = groups(bridge)
        assert "a" in found.pop(group_key(job="last"))
        assert all({"a", "b"} <= group.keys() for group in found.values()), "half a push"
        bridge.request("PUT", "/api/v1/admin/wipe")

    give_up(400)  # what so many at once make the allocator keep, it keeps from now on
    before = memory.resident()
    for _ in range(3):
        give_up(400)
    assert memory.resident() - before < 10 * MIB, "of 36 MiB that were sent"


def test_connections_beyond_the_limit_are_refused_and_those_that_are_there_go_on(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "web: {max_connections: 5}\n") as bridge, contextlib.ExitStack() as stack:
        held = [stack.enter_context(Upload(bridge.port, f"/metrics/job/j{n}")) for n in range(5)]
        for upload in held:
            upload.send(b"a 1\n")
        wait_until("the next one is refused", lambda: bridge.request("GET", "/-/ready").status == 503)
        assert [upload.finish().status for upload in held] == [200] * 5
        for upload in held:
            upload.connection.close()
        wait_until("there is room again", lambda: bridge.request("GET", "/-/ready").status == 200)
        assert len(groups(bridge)) == 5
