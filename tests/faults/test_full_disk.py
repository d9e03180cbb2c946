"""A full disk through the front door: pushes are refused and say why, all else goes on, and space is all it takes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge_process import Answer, BridgeProcess, wait_until
from tests.faults.watching import group_key, groups, metric, stored

PADDING = 20_000  # bytes of label in each push, so that a few hundred fill the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data directory of 6 MiB."""
    path = tmp_path / "data"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(path)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk takes the right to mount: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", path], check=True)


def push(bridge: BridgeProcess, number: int, padding: int = PADDING) -> Answer:
    """A push that is kept whole or not at all: three series that tell one number."""
    body = "".join(f'value{{n="{n}"}} {number}\n' for n in range(3)) + f'pad{{x="{str(number) * padding}"}} 1\n'
    return bridge.request("PUT", "/metrics/job/fill", body)


def fill(bridge: BridgeProcess, first: int) -> tuple[int, Answer]:
    """Push until one is refused: its number and the answer."""
    for number in range(first, first + 2000):
        answer = push(bridge, number)
        if answer.status != 200:
            return number, answer
    pytest.fail("the disk is never full")


def check_refusal(answer: Answer) -> None:
    assert answer.status == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    for part in ("disk full", "nothing of this was stored", "Free some space", "no restart"):
        assert part in answer.text


def check_stored(data: Path, upto: int) -> None:
    """Every push before `upto` is in the store with all its series, and nothing else."""
    values = stored(data, name="value", job="fill")
    assert len(values) == 3
    assert {tuple(numbers) for numbers in values.values()} == {tuple(range(upto))}


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3 << 20))
    with BridgeProcess(tmp_path) as bridge:
        assert bridge.request("PUT", "/metrics/job/other", "a 1\n").status == 200
        refused, answer = fill(bridge, 0)
        check_refusal(answer)
        assert refused > 3
        before = groups(bridge)
        assert before[group_key(job="fill")]["value"]["metrics"][0]["value"] == str(refused - 1)
        for method, path in [("PUT", "new"), ("PUT", "other"), ("POST", "other"), ("POST", "other?merge=series")]:
            check_refusal(bridge.request(method, f"/metrics/job/{path}", f'b{{x="{"x" * 400_000}"}} 1\n'))
            assert groups(bridge) == before

        page = bridge.request("GET", "/metrics")
        assert page.status == 200
        assert f'value{{instance="",job="fill",n="0"}} {refused - 1}\n' in page.text
        assert metric(bridge, "pushbridge_push_refused_total", reason="unavailable") == 5
        assert bridge.request("GET", "/-/healthy").status == 200
        not_ready = bridge.request("GET", "/-/ready")
        assert (not_ready.status, "disk full" in not_ready.text) == (500, True)
        check_stored(small_disk, refused)

        ballast.unlink()  # no restart
        assert push(bridge, refused).status == 200
        assert bridge.request("GET", "/-/ready").status == 200
        second, answer = fill(bridge, refused + 1)
        check_refusal(answer)
        assert second > refused + 1

        bridge.kill()
        check_stored(small_disk, second)
        bridge.start()
        assert groups(bridge)[group_key(job="fill")]["value"]["metrics"][0]["value"] == str(second - 1)
        check_stored(small_disk, second)


def test_the_end_and_the_start_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(5 << 20))
        refused, answer = fill(bridge, 0)
        check_refusal(answer)
        with contextlib.suppress(OSError), ballast.open("ab") as file:
            while True:
                os.write(file.fileno(), bytes(4096))
        assert bridge.stop() == 0
        bridge.start(ready=False)
        wait_until("it serves", lambda: "msg=serving" in bridge.log().rpartition("msg=stopp")[2])
        assert groups(bridge)[group_key(job="fill")]["value"]["metrics"][0]["value"] == str(refused - 1)
        check_refusal(push(bridge, refused))
        ballast.unlink()
        assert push(bridge, refused).status == 200
        check_stored(small_disk, refused + 1)


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """What a disk does not do can be had without root: no file of the process grows beyond 100 kB."""
    with BridgeProcess(tmp_path) as bridge:
        assert push(bridge, 0).status == 200
        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        refused, answer = fill(bridge, 1)
        assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
        assert "nothing of this was stored" in answer.text
        assert groups(bridge)[group_key(job="fill")]["value"]["metrics"][0]["value"] == str(refused - 1)
        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert push(bridge, refused, padding=200_000).status == 200
        bridge.kill()
        bridge.start()
        check_stored(bridge.data, refused + 1)
