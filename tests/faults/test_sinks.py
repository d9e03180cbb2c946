"""A sink in trouble behind a whole bridge: pushes never notice, nothing is lost, and every sample is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.buffer import Files
from bridge.forward import DeadLetters
from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.faults.sinks import Jobs, at_sink, counted, drained, fake_influx, sink_row
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux, Fault

PASSING: dict[str, list[Fault]] = {
    "500": [faults.not_stored] * 2,
    "500 with half of it stored": [faults.half_stored] * 2,
    "503": [faults.answers(503, "overloaded")] * 2,
    "429": [faults.answers(429, "too many requests", retry_after="1")],
    "timeout": [faults.slow(0.5)] * 2,
    "reset before commit": [faults.reset_before_commit] * 2,
    "reset after commit": [faults.reset_after_commit] * 2,
    "everything in turn": [faults.reset_after_commit, faults.not_stored, faults.answers(429)],
}
HELD: dict[str, Fault] = {
    "401": faults.answers(401, "unauthorized access", code="unauthorized"),
    "404": faults.answers(404, 'database not found: "d"', code="not found"),
}


def config(url: str, more: str = "timeout: 300ms") -> str:
    return f"influxdb: [{{name: s, url: '{url}', dialect: v1, db: d, {more}}}]\n"


def check_all_sent(jobs: Jobs, fake: FakeInflux) -> None:
    """What was acknowledged is at the sink, once, in order; and no push was told that it was in trouble."""
    assert jobs.statuses == {200}
    assert fake.conflicts == []
    for job, numbers in jobs.acknowledged.items():
        found = at_sink(fake, job)
        assert len(found) == 8
        assert all(values == numbers for values in found.values()), job


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeInflux, BridgeProcess]]:
    """A sink and a bridge that outlive each other's troubles."""
    with fake_influx() as (fake, url), BridgeProcess(tmp_path_factory.mktemp("pair"), config(url)) as bridge:
        yield fake, bridge


@pytest.mark.parametrize("name", PASSING)
def test_trouble_that_passes(pair: tuple[FakeInflux, BridgeProcess], name: str) -> None:
    fake, bridge = pair
    with counted(bridge), Jobs(bridge, f"job{list(PASSING).index(name)}-") as jobs:
        jobs.wait_for(20)
        fake.faults.extend(PASSING[name])
        jobs.wait_for(100)
        wait_until("all of it has happened", lambda: not fake.faults)
    drained(bridge)
    check_all_sent(jobs, fake)
    row = sink_row(bridge)
    assert (row["dead_lettered"], row["expired"], row["state"]) == (0, 0, "up")


@pytest.mark.parametrize("name", HELD)
def test_trouble_that_takes_a_human(tmp_path: Path, name: str) -> None:
    with fake_influx() as (fake, url), BridgeProcess(tmp_path, config(url)) as bridge:
        fake.always = HELD[name]
        with counted(bridge), Jobs(bridge) as jobs:
            wait_until("the sink is held", lambda: sink_row(bridge)["state"] == "held")
            pending = sink_row(bridge)["pending"]
            jobs.wait_for(100)
            row = sink_row(bridge)
            assert row["pending"] > pending
            assert (row["state"], row["sent"], row["dead_lettered"]) == ("held", 0, 0)
            assert row["problem"].startswith(f"{name}: ")
            fake.always = None
            bridge.config_file.write_text(config(url, "timeout: 400ms"))  # as one who has put it right would
            assert bridge.request("POST", "/-/reload").status == 200
            wait_until("it is up again", lambda: sink_row(bridge)["state"] == "up")
            jobs.wait_for(20)
        drained(bridge)
        check_all_sent(jobs, fake)


@pytest.mark.parametrize("version", [1, 2])
def test_lines_that_the_sink_never_takes(tmp_path: Path, version: int) -> None:
    with fake_influx(version) as (fake, url):  # type: ignore[arg-type]
        fake.conflicting = lambda line: "field type conflict" if line.startswith("value,") and ",n=3 " in line else None
        dialect = "dialect: v1, db: d" if version == 1 else "dialect: v2, bucket: b, org: o"
        with BridgeProcess(tmp_path, f"influxdb: [{{name: s, url: '{url}', {dialect}}}]\n") as bridge:
            with counted(bridge), Jobs(bridge) as jobs:
                jobs.wait_for(100)
            drained(bridge)
            assert jobs.statuses == {200}
            assert sink_row(bridge)["dead_lettered"] == jobs.pushed
            for job, numbers in jobs.acknowledged.items():
                found = at_sink(fake, job)
                assert set(found) == set("0124567")
                assert all(values == numbers for values in found.values())
            letters = list(DeadLetters(Files(), bridge.data / "rejected" / "s").letters())
            assert len(letters) == jobs.pushed
            assert all(letter.line.startswith("value,") and ",n=3 " in letter.line for letter in letters)
            assert all("field type conflict" in letter.reason for letter in letters)


def test_a_sink_that_is_not_there(tmp_path: Path) -> None:
    port = free_port()
    with BridgeProcess(tmp_path, config(f"http://127.0.0.1:{port}")) as bridge:
        with counted(bridge), Jobs(bridge) as jobs:
            jobs.wait_for(100)
            row = sink_row(bridge)
            assert (row["state"], row["sent"]) == ("retrying", 0)
            assert row["pending"] == row["accepted"] > 0
            assert row["problem"].startswith("no answer: ")
        assert jobs.statuses == {200}
