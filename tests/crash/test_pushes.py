"""`kill -9` while batch jobs push: every acknowledged push is afterwards in the store and at the sink, and no half
push."""

from __future__ import annotations

import http.client
import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import serving
from tests.forward.fake_influx import FakeInflux

PUSHERS = 6
SERIES = 12  # of each push, all with the push's own number as value


@dataclass
class Pushers:
    """Jobs that push one number after the other to a group each, and remember what was acknowledged."""

    bridge: BridgeProcess
    next_number: int = 1
    refused: int = 0
    acknowledged: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    attempted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def until_killed(self, kill_after: int) -> None:
        """Push from all jobs; kill the bridge when so many pushes have been acknowledged."""
        done = threading.Event()
        count = 0

        def work(job: str) -> None:
            nonlocal count
            connection = http.client.HTTPConnection("127.0.0.1", self.bridge.port, timeout=60)
            while not done.is_set():
                with self.lock:
                    number, self.next_number = self.next_number, self.next_number + 1
                    self.attempted[job].append(number)
                body = "".join(f'value{{n="{n}"}} {number}\n' for n in range(SERIES))
                try:
                    connection.request("PUT", f"/metrics/job/{job}", body)
                    response = connection.getresponse()
                    response.read()
                except (OSError, http.client.HTTPException):
                    break
                with self.lock:
                    self.refused += response.status != 200
                    self.acknowledged[job].append(number)
                    count += 1
                    if count == kill_after:
                        done.set()
                        self.bridge.kill()
            connection.close()

        threads = [threading.Thread(target=work, args=(f"job{n}",)) for n in range(PUSHERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def stored(data: Path) -> dict[str, list[int]]:
    """The numbers in the store by job, in order; every push of them is there with all its series or the test fails."""
    by_series: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for series in Directory(Files(), data / "tsdb", SystemClock()).select([("__name__", "=", "value")]):
        by_series[series.labels["job"]][series.labels["n"]] = [int(value) for value in series.values]
    for job, numbers in by_series.items():
        assert len(numbers) == SERIES, job
        assert len({tuple(values) for values in numbers.values()}) == 1, f"half a push of {job}"
    return {job: numbers["0"] for job, numbers in by_series.items()}


@pytest.fixture
def sink() -> Iterator[tuple[FakeInflux, int]]:
    """A sink in a thread of its own, that outlives the bridges."""
    fake = FakeInflux(version=1)
    with (
        anyio.from_thread.start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving(fake)) as port,
    ):
        yield fake, port


def die_often(folder: Path, sink: tuple[FakeInflux, int], rounds: int, seed: int) -> None:
    fake, port = sink
    chance = random.Random(seed)
    config = f"influxdb: [{{name: s, url: 'http://127.0.0.1:{port}', dialect: v1, db: d}}]\n"
    bridge = BridgeProcess(folder, config)
    pushers = Pushers(bridge)
    for _ in range(rounds):
        bridge.start()
        pushers.until_killed(chance.randint(1, 250))
        found = stored(bridge.data)
        assert pushers.refused == 0
        for job, numbers in pushers.acknowledged.items():
            assert set(numbers) <= set(found[job]), f"an acknowledged push of {job} is gone"
            assert found[job] == sorted(found[job])
            assert set(found[job]) <= set(pushers.attempted[job])
    with bridge:
        wait_until("all is sent", lambda: b'"pending":0' in bridge.request("GET", "/api/v1/status/sinks").body, 60)
        found = stored(bridge.data)
    at_sink: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for (series, _), fields in sorted(fake.points.items(), key=lambda item: item[0][1]):
        if series.startswith("value,"):
            labels = dict(pair.split("=") for pair in series.split(",")[1:])
            at_sink[labels["job"]][labels["n"]].append(int(float(fields.removeprefix("value="))))
    assert fake.conflicts == [], "the same point was sent with two values"
    assert {job: set(map(tuple, by_n.values())) for job, by_n in at_sink.items()} == {
        job: {tuple(numbers)} for job, numbers in found.items()
    }


def test_kill_while_pushing(tmp_path: Path, sink: tuple[FakeInflux, int]) -> None:
    die_often(tmp_path, sink, rounds=20, seed=1)


@pytest.mark.crash
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 17))
def test_kill_while_pushing_for_long(tmp_path: Path, sink: tuple[FakeInflux, int], seed: int) -> None:
    die_often(tmp_path, sink, rounds=20, seed=seed)
