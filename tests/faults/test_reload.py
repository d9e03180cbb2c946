"""A new configuration for a running bridge: taken whole or not at all, and sinks go on where they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess, wait_until
from tests.faults.clients import Upload
from tests.faults.sinks import Jobs, at_sink, counted, drained, fake_influx, sink_row
from tests.faults.watching import groups, metric
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux

PUSH = "push: {max_body: 1KiB, max_series: 100, max_groups: 2}\n"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("reload"), PUSH) as process:
        yield process


def reload(bridge: BridgeProcess, config: str) -> None:
    bridge.config_file.write_text(config)
    answer = bridge.request("POST", "/-/reload")
    assert (answer.status, answer.text) == (200, "")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("push: {max_body: none}\n", ":1:18: push.max_body: not a valid size"),
        ("push:\n  max_body: 1MiB\n  tll: 1h\n", ':3:3: push.tll: unknown field, did you mean "ttl"?'),
        (
            "influxdb:\n- {name: s, url: 'http://127.0.0.1:1', db: d}\n- {name: s, url: 'http://127.0.0.1:2', db: d}\n",
            ":2:1: influxdb: ",
        ),
        ("push: [\n", ":2:1: "),
        ("push: {max_body: 1MiB}\npush: {}\n", ":2:1: "),
    ],
    ids=["a bad value", "a field that is none", "two sinks of one name", "no YAML", "a section twice"],
)
def test_a_bad_configuration_changes_nothing_and_says_where_it_is_bad(
    bridge: BridgeProcess, config: str, problem: str
) -> None:
    reload(bridge, PUSH)
    bridge.config_file.write_text(config)
    answer = bridge.request("POST", "/-/reload")
    assert answer.status == 500
    assert f"{bridge.config_file}{problem}" in answer.text
    assert "the old one stays in force" in answer.text

    logged = len(bridge.log())
    bridge.reload()
    wait_until("the log says so too", lambda: "keeping the old one" in bridge.log()[logged:])
    assert problem.rstrip() in bridge.log()[logged:].replace('\\"', '"')
    assert bridge.request("PUT", "/metrics/job/j", "# " + "x" * 1024 + "\n").status == 413, "the old limit"
    assert bridge.request("PUT", "/metrics/job/j", "a 1\n").status == 200
    assert bridge.request("DELETE", "/metrics/job/j").status == 202


@pytest.mark.parametrize("way", ["SIGHUP", "POST", "PUT"])
def test_new_limits_count_from_the_next_push_on(bridge: BridgeProcess, way: str) -> None:
    reload(bridge, PUSH)
    large, many = "# " + "x" * 2000 + "\n", "".join(f'a{{n="{n}"}} 1\n' for n in range(60))
    crowd = "".join(f'a{{n="{n}"}} 1\n' for n in range(110))
    for job in ("one", "two"):
        assert bridge.request("PUT", f"/metrics/job/{job}", "a 1\n").status == 200
    with Upload(bridge.port, "/metrics/job/one") as begun:
        begun.send(b"a 2\n")
        wait_until("its body is on the way", lambda: metric(bridge, "pushbridge_push_inflight_bytes") > 0)
        assert bridge.request("PUT", "/metrics/job/three", "a 1\n").status == 429
        assert bridge.request("PUT", "/metrics/job/one", large).status == 413

        bridge.config_file.write_text("push: {max_body: 4KiB, max_series: 1000, max_groups: 3, utf8_names: false}\n")
        if way == "SIGHUP":
            seen = bridge.log().count("configuration reloaded")
            bridge.reload()
            wait_until("it has been read", lambda: bridge.log().count("configuration reloaded") > seen)
        else:
            assert bridge.request(way, "/-/reload").status == 200
        assert bridge.request("PUT", "/metrics/job/three", "a 1\n").status == 200
        assert bridge.request("PUT", "/metrics/job/one", large + many).status == 200
        assert bridge.request("PUT", "/metrics/job/one", crowd).status == 200
        assert bridge.request("PUT", "/metrics/job/one", '{"a.b"} 1\n').status == 400
        assert begun.finish().status == 200, "a push that had begun goes on"

    reload(bridge, PUSH)  # less than there is: it stays, and nothing is added
    assert len(groups(bridge)) == 3
    assert bridge.request("PUT", "/metrics/job/four", "a 1\n").status == 429
    assert bridge.request("PUT", "/metrics/job/three", '{"a.b"} 2\n').status == 200
    for job in ("one", "two", "three"):
        assert bridge.request("DELETE", f"/metrics/job/{job}").status == 202
    assert bridge.request("GET", "/-/reload").status == 405


def test_an_overload_limit_can_be_raised_while_it_is_felt(bridge: BridgeProcess) -> None:
    reload(bridge, "push: {max_inflight_bytes: 4KiB}\n")
    with Upload(bridge.port, "/metrics/job/slow", length=4096) as slow:
        slow.send(b"#" * 4000)
        wait_until("it is held", lambda: metric(bridge, "pushbridge_push_inflight_bytes") == 4000)
        assert bridge.request("PUT", "/metrics/job/j", "# " + "x" * 200 + "\n").status == 503
        reload(bridge, "push: {max_inflight_bytes: 1MiB}\n")
        assert bridge.request("PUT", "/metrics/job/j", "# " + "x" * 200 + "\n").status == 200
    bridge.request("DELETE", "/metrics/job/j")


def sink(url: str, name: str = "s", more: str = "") -> str:
    return f"{{name: {name}, url: '{url}', dialect: v1, db: d{more}}}"


def check_shared(jobs: Jobs, *sinks: FakeInflux) -> None:
    """Each number of each job is at one of the sinks, and they had them one after the other."""
    for job, numbers in jobs.acknowledged.items():
        found = [at_sink(fake, job) for fake in sinks]
        for series in found[0]:
            assert [n for one in found for n in one.get(series, [])] == numbers, "nothing is lost or sent twice"


def test_sinks_follow_the_configuration_with_their_cursors(bridge: BridgeProcess) -> None:
    with (
        fake_influx() as (first, first_url),
        fake_influx() as (second, second_url),
        fake_influx() as (other, other_url),
    ):
        with counted(bridge), Jobs(bridge, "reload") as jobs:
            jobs.wait_for(20)
            reload(bridge, f"influxdb: [{sink(first_url)}]\n")  # added: it gets all that there is
            wait_until("it is fed", lambda: len(first.points) > 100)

            reload(bridge, f"influxdb: [{sink(first_url)}, {sink(other_url, 'other')}]\n")  # the first runs on
            jobs.wait_for(50)
            reload(bridge, f"influxdb: [{sink(second_url)}, {sink(other_url, 'other')}]\n")  # moved: it goes on there
            at_first = len(first.points)
            jobs.wait_for(50)
            wait_until("it is fed", lambda: len(second.points) > 100)

            reload(bridge, f"influxdb: [{sink(other_url, 'other')}]\n")  # removed: it stands still
            assert b'"name":"s"' not in bridge.request("GET", "/api/v1/status/sinks").body
            assert 'pushbridge_sink_pending{sink="s"}' not in bridge.request("GET", "/metrics").text
            at_second = len(second.points)
            jobs.wait_for(50)
            assert (len(first.points), len(second.points)) == (at_first, at_second)

            reload(
                bridge, f"influxdb: [{sink(second_url)}, {sink(other_url, 'other')}]\n"
            )  # added again: it catches up
            jobs.wait_for(20)
        drained(bridge)
        drained(bridge, "other")
        assert first.conflicts == second.conflicts == other.conflicts == []
        check_shared(jobs, first, second)
        check_shared(jobs, other)
        assert bridge.log().count('msg="sink started" sink=other') == 1, "it was not disturbed by the others"


def test_a_bad_configuration_disturbs_no_sink(bridge: BridgeProcess) -> None:
    with fake_influx() as (fake, url):
        reload(bridge, f"influxdb: [{sink(url, 'steady')}]\n")
        wait_until("it has started", lambda: 'msg="sink started" sink=steady' in bridge.log())
        started = bridge.log().count("sink started")
        bridge.config_file.write_text("influxdb: [{name: steady, url: nowhere}]\n")
        assert bridge.request("POST", "/-/reload").status == 500
        bridge.request("PUT", "/metrics/job/last", "value 1\n")
        drained(bridge, "steady")
        assert sink_row(bridge, "steady")["state"] == "up"
        assert any(series.startswith("value,job=last") for series, _ in fake.points)
        assert bridge.log().count("sink started") == started


def test_a_sink_that_hangs_does_not_hold_a_reload_up(tmp_path: Path) -> None:
    with fake_influx() as (hanging, hanging_url), fake_influx() as (fake, url):
        hanging.always = hang = faults.Hang()
        with BridgeProcess(tmp_path, f"influxdb: [{sink(hanging_url, more=', timeout: 1h')}]\n") as bridge:
            with counted(bridge), Jobs(bridge) as jobs:
                wait_until("it hangs", lambda: hanging.writes)
                bridge.config_file.write_text(f"influxdb: [{sink(url)}]\n")
                bridge.reload()
                wait_until("the other one is fed", lambda: fake.points)
            drained(bridge)
            check_shared(jobs, fake)
        hang.let_go()
