"""Pushgateway's contract, row by row, through HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.bridge_process import BridgeProcess
from tests.pushgw.rows import CONSISTENCY, HANDLER, LABELS, LEGACY_LABELS, STORE, TEXT, Row

OWN = re.compile(r"^(#|pushbridge_|process_|python_|push_time_seconds|push_failure_time_seconds)")


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("contract"), "web: {enable_admin_api: true}\n") as process:
        yield process


@pytest.fixture(scope="module")
def legacy_bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("legacy"), "push: {utf8_names: false}\n") as process:
        yield process


@pytest.fixture(autouse=True)
def _empty(bridge: BridgeProcess) -> None:
    assert bridge.request("PUT", "/api/v1/admin/wipe").status == 202


def pushed(bridge: BridgeProcess) -> list[str]:
    """The pushed series on /metrics."""
    page = bridge.request("GET", "/metrics", headers={"Accept": "text/plain;version=1.0.0;escaping=allow-utf-8"})
    assert page.status == 200
    return [line for line in page.text.splitlines() if line and not OWN.match(line)]


def groups(bridge: BridgeProcess) -> list[dict[str, str]]:
    answer = json.loads(bridge.request("GET", "/api/v1/metrics").body)
    assert answer["status"] == "success"
    return [group["labels"] for group in answer["data"]]


@pytest.mark.parametrize("row", HANDLER + STORE + TEXT + CONSISTENCY, ids=lambda row: row.name)
def test_row(bridge: BridgeProcess, row: Row) -> None:
    for step in row.steps:
        answer = bridge.request(step.method, step.path, step.body, step.headers)
        assert answer.status == step.status, answer.text
        if step.text is not None:
            assert step.text in answer.text
    if row.metrics is not None:
        assert sorted(pushed(bridge)) == sorted(row.metrics)
    if row.groups is not None:
        assert sorted(map(json.dumps, groups(bridge))) == sorted(map(json.dumps, row.groups))


@pytest.mark.parametrize(("path", "expected"), [row[1:] for row in LABELS], ids=[row[0] for row in LABELS])
def test_labels_of_the_path(bridge: BridgeProcess, path: str, expected: dict[str, str] | str) -> None:
    answer = bridge.request("POST", f"/metrics/job/testjob{path}", "x 1\n")
    if isinstance(expected, str):
        assert (answer.status, expected in answer.text) == (400, True), answer.text
        assert groups(bridge) == []
    else:
        assert answer.status == 200, answer.text
        assert groups(bridge) == [expected | {"job": "testjob"}]


@pytest.mark.parametrize(
    ("path", "expected"), [row[1:] for row in LEGACY_LABELS], ids=[row[0] for row in LEGACY_LABELS]
)
def test_labels_of_the_path_with_legacy_names(
    legacy_bridge: BridgeProcess, path: str, expected: dict[str, str] | str
) -> None:
    job = f"/metrics/job/{len(path)}{path}"
    answer = legacy_bridge.request("POST", job, "x 1\n")
    if isinstance(expected, str):
        assert (answer.status, expected in answer.text) == (400, True), answer.text
    else:
        assert answer.status == 200, answer.text
        assert expected | {"job": str(len(path))} in groups(legacy_bridge)
        legacy_bridge.request("DELETE", job)


def test_quoted_names_are_refused_with_legacy_names(legacy_bridge: BridgeProcess) -> None:
    answer = legacy_bridge.request("POST", "/metrics/job/j", '{"a.b"} 1\n')
    assert (answer.status, "invalid metric name" in answer.text) == (400, True), answer.text


def push_times(bridge: BridgeProcess) -> dict[str, float]:
    page = bridge.request("GET", "/metrics").text
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("push_")]
    return {name: float(value) for name, value in lines}


def test_push_times_of_success_and_failure(bridge: BridgeProcess) -> None:
    bridge.request("POST", "/metrics/job/j", "mf 1 1000\n")
    failed = push_times(bridge)
    assert failed['push_time_seconds{instance="",job="j"}'] == 0
    first_failure = failed['push_failure_time_seconds{instance="",job="j"}']
    assert first_failure > 1.6e9

    bridge.request("PUT", "/metrics/job/j", "mf 1\n")
    good = push_times(bridge)
    assert good['push_time_seconds{instance="",job="j"}'] >= first_failure
    assert good['push_failure_time_seconds{instance="",job="j"}'] == first_failure
    (group,) = json.loads(bridge.request("GET", "/api/v1/metrics").body)["data"]
    assert group["last_push_successful"] is True


def test_a_pushed_push_time_is_overwritten(bridge: BridgeProcess) -> None:
    assert bridge.request("POST", "/metrics/job/j", "push_time_seconds 5\n").status == 200
    assert push_times(bridge)['push_time_seconds{instance="",job="j"}'] > 1.6e9


def test_own_help_wins(bridge: BridgeProcess) -> None:
    body = "# HELP process_open_fds mine\n# TYPE process_open_fds gauge\nprocess_open_fds 3\n"
    assert bridge.request("POST", "/metrics/job/j", body).status == 200
    page = bridge.request("GET", "/metrics").text
    assert "# HELP process_open_fds mine" not in page
    assert page.count("# TYPE process_open_fds gauge") == 1
    assert 'process_open_fds{instance="",job="j"} 3' in page


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_other_methods_on_a_push_path(bridge: BridgeProcess, method: str) -> None:
    answer = bridge.request(method, "/metrics/job/j")
    assert answer.status == 405
    assert answer.headers["allow"] == "DELETE, OPTIONS, POST, PUT"


def test_routes_without_lifecycle(bridge: BridgeProcess) -> None:
    assert bridge.request("OPTIONS", "/metrics/job/j").status == 200
    assert bridge.request("POST", "/metrics").status == 405
    assert bridge.request("GET", "/metrics/job").status == 404
    answer = bridge.request("PUT", "/-/quit")
    assert (answer.status, answer.text) == (403, "Lifecycle API is not enabled.")
    answer = bridge.request("GET", "/-/quit")
    assert (answer.status, answer.text.strip()) == (405, "Only POST or PUT requests allowed.")


def test_many_odd_values_round_trip(bridge: BridgeProcess) -> None:
    for value in ["a b", 'quo"te', "back\\slash", "new\nline", "ümläut", "%", "?", "#"]:
        path = f"/metrics/job/j/x/{quote(value, safe='')}"
        assert bridge.request("PUT", path, "m 1\n").status == 200
        assert {"job": "j", "x": value} in groups(bridge)
        assert bridge.request("DELETE", path).status == 202
    assert groups(bridge) == []


def test_a1_status_names_build_and_settings(bridge: BridgeProcess) -> None:
    answer = bridge.request("GET", "/api/v1/status")
    data = json.loads(answer.body)["data"]
    assert data["flags"]["web.enable_admin_api"] == "True"
    assert data["flags"]["push.ttl"] == "0s"
    assert data["build_information"]["version"]
    assert data["start_time"].endswith("Z")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert bridge.request("OPTIONS", "/api/v1/status").status == 200


def test_a2_metrics_of_an_empty_store(bridge: BridgeProcess) -> None:
    assert bridge.request("GET", "/api/v1/metrics").body == b'{"status":"success","data":[]}'


def test_w1_wipe_ends_every_group(bridge: BridgeProcess) -> None:
    for job in range(5):
        bridge.request("POST", f"/metrics/job/{job}", "a 1\n")
    assert len(groups(bridge)) == 5
    assert bridge.request("POST", "/api/v1/admin/wipe").status == 405
    assert bridge.request("PUT", "/api/v1/admin/wipe").status == 202
    assert groups(bridge) == []
    assert pushed(bridge) == []


def test_administration_is_off_unless_enabled(legacy_bridge: BridgeProcess) -> None:
    assert legacy_bridge.request("PUT", "/api/v1/admin/wipe").status == 404
    assert legacy_bridge.request("DELETE", "/api/v1/admin/groups?match[]={job=~'.*'}").status == 404


def test_s12_unchecked_pushes_are_there_after_an_immediate_stop(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "push: {consistency_check: false}\n") as process:
        for n in range(10):
            assert process.request("POST", "/metrics/job/job4/instance/instance1", f"mf{n} {n}\n").status == 202
        unlabelled = process.request("POST", "/metrics/job/job4/instance/instance1", "mf_unlabelled 1\n")
        assert unlabelled.status == 202
        # Unchecked is not unsafe: what contradicts is answered so, and shown to nobody.
        assert process.request("POST", "/metrics/job/bad", "a 1\na 2\n").status == 202
        assert process.request("POST", "/metrics/job/bad", "a 1 1000\n").status == 202
        assert process.stop() == 0
        process.start()
        series = pushed(process)
    assert 'mf_unlabelled{instance="instance1",job="job4"} 1' in series
    assert len(series) == 11
