"""A sink beside the bridge, jobs that push all the time, and somebody who counts what is where."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio.from_thread

from tests.bridge_process import BridgeProcess, wait_until
from tests.edge.serving import serving
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver

__all__ = ["Jobs", "at_sink", "counted", "drained", "fake_influx", "sink_row"]

SERIES = 8  # of each push, all with the push's number as value


@contextlib.contextmanager
def fake_influx(version: Literal[1, 2] = 1) -> Iterator[tuple[FakeInflux, str]]:
    """A sink in a thread of its own, that outlives bridges; the second is its address."""
    fake = FakeInflux(version=version)
    with (
        anyio.from_thread.start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving(fake)) as port,
    ):
        yield fake, f"http://127.0.0.1:{port}"


def sink_row(bridge: BridgeProcess, name: str = "s") -> dict[str, Any]:
    """What `/api/v1/status/sinks` tells about a sink."""
    rows = json.loads(bridge.request("GET", "/api/v1/status/sinks").body)["data"]["sinks"]
    return next(dict(row) for row in rows if row["name"] == name)


def drained(bridge: BridgeProcess, name: str = "s") -> None:
    """Wait until nothing is pending."""
    wait_until(f"all is with {name}: {sink_row(bridge, name)}", lambda: sink_row(bridge, name)["pending"] == 0)


def at_sink(fake: FakeInflux | FakeReceiver, job: str) -> dict[str, list[int]]:
    """The numbers of a job's pushes in order of time, by series."""
    found: dict[str, list[int]] = {}
    for labels, _, value in sorted(_samples(fake), key=lambda sample: sample[1]):
        if labels["__name__"] == "value" and labels["job"] == job:
            found.setdefault(labels["n"], []).append(int(value))
    return found


def _samples(fake: FakeInflux | FakeReceiver) -> Iterator[tuple[dict[str, str], int, float]]:
    """(labels, ms, value) of all that a sink has, in no order."""
    if isinstance(fake, FakeReceiver):
        for (pairs, t), value in fake.rows.items():
            yield dict(pairs), t, value
        return
    for (series, t), fields in fake.points.items():
        measurement, *tags = series.split(",")
        yield {"__name__": measurement} | dict(tag.split("=") for tag in tags), t, float(fields.removeprefix("value="))


@dataclass
class Jobs:
    """Pushes on from `with` to its end, as fast as they are answered."""

    bridge: BridgeProcess
    name: str = "job"
    count: int = 3
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def __enter__(self) -> Jobs:
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._push, args=(f"{self.name}{n}",)) for n in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    @property
    def pushed(self) -> int:
        """Pushes acknowledged so far."""
        return sum(map(len, self.acknowledged.values()))

    def wait_for(self, more: int) -> None:
        """Return when so many more pushes have been acknowledged."""
        goal = self.pushed + more
        wait_until(f"{more} more pushes", lambda: self.pushed >= goal)

    def _push(self, job: str) -> None:
        """Numbers one after the other, until it is enough or the bridge is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.bridge.port, timeout=60)
        numbers = self.acknowledged.setdefault(job, [])
        number = len(numbers)
        while not self._enough.is_set():
            body = "".join(f'value{{n="{n}"}} {number}\n' for n in range(SERIES))
            try:
                connection.request("PUT", f"/metrics/job/{job}", body)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                break
            self.statuses.add(answer.status)
            if answer.status == 200:
                numbers.append(number)
            number += 1
        connection.close()


@contextlib.contextmanager
def counted(bridge: BridgeProcess, *, least: int = 10) -> Iterator[None]:
    """At every look from here on, each accepted sample is in exactly one place, in the API and on the page."""
    enough = threading.Event()
    wrong: list[object] = []
    looks = 0

    def look() -> None:
        nonlocal looks
        while not enough.is_set() and not wrong:
            rows = json.loads(bridge.request("GET", "/api/v1/status/sinks").body)["data"]["sinks"]
            for row in rows:
                places = ("sent", "unrepresentable", "expired", "dead_lettered", "pending")
                if row["accepted"] != sum(row[place] for place in places) or not row["identity_holds"]:
                    wrong.append(row)
            page = bridge.request("GET", "/metrics").text
            verdicts = [line for line in page.splitlines() if line.startswith("pushbridge_sink_identity_ok{")]
            if not all(line.endswith(" 1") for line in verdicts):
                wrong.append(verdicts)
            looks += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
        wait_until("it was looked at often enough", lambda: looks >= least or wrong)
    finally:
        enough.set()
        thread.join()
    assert wrong == []
