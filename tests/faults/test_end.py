"""The end of a bridge: in time, whoever hangs, and with everything that was acknowledged."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, free_port, wait_until
from tests.faults.sinks import Jobs, at_sink, drained, fake_influx, sink_row
from tests.faults.watching import stored
from tests.forward import faults


def check_kept(data: Path, jobs: Jobs) -> None:
    """Every acknowledged push is in the store, in order and whole; one more may be that was not answered any more."""
    for job, numbers in jobs.acknowledged.items():
        values = stored(data, name="value", job=job)
        assert len(values) == 8
        (kept,) = {tuple(map(int, series)) for series in values.values()}
        assert kept[: len(numbers)] == tuple(numbers)
        assert len(kept) <= len(numbers) + 1


def was_patient(bridge: BridgeProcess) -> bool:
    """Whether a connection was open for as long as an ending bridge waits for any."""
    return "graceful shutdown exceeded" in bridge.log()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_during_pushes_keeps_what_was_acknowledged(tmp_path: Path, signal_number: signal.Signals) -> None:
    with BridgeProcess(tmp_path) as bridge, Jobs(bridge, count=6) as jobs:
        jobs.wait_for(200)
        assert bridge.stop(signal_number) == 0
    assert not was_patient(bridge)
    assert jobs.statuses <= {200, 503}
    check_kept(bridge.data, jobs)
    with bridge:
        check_kept(bridge.data, jobs)


def test_a_sink_that_is_not_there_does_not_hold_the_end_up(tmp_path: Path) -> None:
    port = free_port()
    config = f"influxdb: [{{name: s, url: 'http://127.0.0.1:{port}', dialect: v1, db: d}}]\n"
    with BridgeProcess(tmp_path, config) as bridge, Jobs(bridge) as jobs:
        jobs.wait_for(100)
        wait_until("the sink is missed", lambda: sink_row(bridge)["state"] == "retrying")
        assert bridge.stop() == 0
    assert not was_patient(bridge)
    check_kept(bridge.data, jobs)


def test_a_sink_that_hangs_does_not_hold_the_end_up_and_gets_all_after_it(tmp_path: Path) -> None:
    with fake_influx() as (fake, url):
        fake.always = hang = faults.Hang()
        config = f"influxdb: [{{name: s, url: '{url}', dialect: v1, db: d, timeout: 1h}}]\n"
        with BridgeProcess(tmp_path, config) as bridge:
            with Jobs(bridge) as jobs:
                jobs.wait_for(100)
                wait_until("it hangs", lambda: len(fake.writes) >= 1)
                assert bridge.stop() == 0
            check_kept(bridge.data, jobs)
            hang.let_go()
            fake.always = None
            bridge.start()
            drained(bridge)
        for job, numbers in jobs.acknowledged.items():
            found = at_sink(fake, job)
            assert len(found) == 8
            assert all(values[: len(numbers)] == numbers for values in found.values())
        assert fake.conflicts == []


def test_quit_with_and_without_permission(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        for method, status in [("PUT", 403), ("POST", 403), ("GET", 405), ("DELETE", 405)]:
            assert bridge.request(method, "/-/quit").status == status
        assert bridge.request("PUT", "/metrics/job/j", "a 1\n").status == 200, "it lives"
        bridge.config_file.write_text("web: {enable_lifecycle: true}\n")
        assert bridge.request("POST", "/-/reload").status == 200
        assert bridge.request("PUT", "/-/quit").status == 403, "who may end it is settled at the start"
        assert "section=web" in bridge.log()
        flags = json.loads(bridge.request("GET", "/api/v1/status").body)["data"]["flags"]
        assert flags["web.enable_lifecycle"] == "False", "what is in force is told"
        assert bridge.stop() == 0
        bridge.start()
        with Jobs(bridge) as jobs:
            jobs.wait_for(50)
            answer = bridge.request("POST", "/-/quit")
            assert (answer.status, answer.text) == (200, "Requesting termination... Goodbye!")
            assert bridge.wait() == 0
    assert not was_patient(bridge)
    check_kept(bridge.data, jobs)
    assert stored(bridge.data, name="a", job="j") == {(("__name__", "a"), ("job", "j")): [1]}


def test_a_second_signal_ends_it_at_once_and_loses_nothing_either(tmp_path: Path) -> None:
    with fake_influx() as (fake, url):
        fake.always = hang = faults.Hang()
        config = f"influxdb: [{{name: s, url: '{url}', dialect: v1, db: d}}]\n"
        with BridgeProcess(tmp_path, config) as bridge, Jobs(bridge) as jobs:
            jobs.wait_for(100)
            wait_until("it hangs", lambda: len(fake.writes) >= 1)
            codes: list[int] = []
            first = threading.Thread(target=lambda: codes.append(bridge.stop()))
            first.start()
            wait_until("it is ending", lambda: "msg=stopping" in bridge.log())
            assert bridge.stop() == 128 + signal.SIGTERM
            first.join()
        hang.let_go()
    check_kept(bridge.data, jobs)
