"""What Pushgateway's users asked for: lives that end, deletion by matcher, merging by series, timestamps,
OpenMetrics, limits."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import snappy
import zstandard

from tests.bridge_process import BridgeProcess, wait_until
from tests.pushgw.test_contract import groups, pushed

ADMIN = "web: {enable_admin_api: true}\n"
OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("features"), ADMIN) as process:
        yield process


@pytest.fixture(autouse=True)
def _empty(bridge: BridgeProcess) -> None:
    assert bridge.request("PUT", "/api/v1/admin/wipe").status == 202


def dump(bridge: BridgeProcess, *options: str) -> list[str]:
    """Lines of `pushbridge tsdb dump`, beside the running bridge."""
    command = [sys.executable, "-m", "bridge", "tsdb", "dump", "--data", str(bridge.data), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


# -- lives that end ----------------------------------------------------------------------------------------------------


def test_a_group_ends_when_its_time_to_live_is_over(bridge: BridgeProcess) -> None:
    assert bridge.request("PUT", "/metrics/job/short", "a 1\n", {"X-Push-TTL": "1s"}).status == 200
    assert bridge.request("PUT", "/metrics/job/long", "a 1\n", {"X-Push-TTL": "1h30m"}).status == 200
    assert bridge.request("PUT", "/metrics/job/endless", "a 1\n").status == 200
    wait_until("the short group has ended", lambda: {"job": "short"} not in groups(bridge))
    assert "pushbridge_push_groups_expired_total 1" in bridge.request("GET", "/metrics").text
    assert {"job": "long"} in groups(bridge)
    assert {"job": "endless"} in groups(bridge)
    last = dump(bridge, "--match", '{job="short",__name__="a"}')[-1]
    assert last.split()[-2] == "NaN", "a stale marker ends the series"


def test_a_bad_time_to_live_is_refused(bridge: BridgeProcess) -> None:
    answer = bridge.request("PUT", "/metrics/job/j", "a 1\n", {"X-Push-TTL": "soon"})
    assert (answer.status, "X-Push-TTL" in answer.text) == (400, True)
    assert groups(bridge) == []


# -- deletion by matcher -----------------------------------------------------------------------------------------------


def delete_matching(bridge: BridgeProcess, query: str) -> tuple[int, list[dict[str, str]] | str]:
    answer = bridge.request("DELETE", f"/api/v1/admin/groups?{query}")
    if answer.status != 200:
        return answer.status, answer.text
    return answer.status, json.loads(answer.body)["data"]["groups"]


def test_groups_are_deleted_by_matcher(bridge: BridgeProcess) -> None:
    for job, host in [("backup", "a"), ("backup", "b"), ("report", "a")]:
        bridge.request("PUT", f"/metrics/job/{job}/instance/{host}", "a 1\n")
    status, found = delete_matching(bridge, 'match[]={job="backup"}&dry_run=1')
    assert (status, len(found)) == (200, 2)
    assert len(groups(bridge)) == 3, "a dry run deletes nothing"

    status, found = delete_matching(bridge, 'match[]={job=~"back.*",instance!="b"}')
    assert (status, found) == (200, [{"instance": "a", "job": "backup"}])
    status, found = delete_matching(bridge, 'match[]={instance="b"}&match[]={job="report"}')
    assert (status, len(found)) == (200, 2)
    assert groups(bridge) == []


@pytest.mark.parametrize("query", ["", "match[]=", "match[]={job=", 'match[]={job=~"("}'])
def test_a_bad_selector_deletes_nothing(bridge: BridgeProcess, query: str) -> None:
    bridge.request("PUT", "/metrics/job/j", "a 1\n")
    status, _ = delete_matching(bridge, query)
    assert status == 400
    assert groups(bridge) == [{"job": "j"}]


# -- merging by series -------------------------------------------------------------------------------------------------


def test_merge_by_series_keeps_other_label_sets(bridge: BridgeProcess) -> None:
    bridge.request("POST", "/metrics/job/j", 'rows{t="a"} 1\nrows{t="b"} 2\n')
    assert bridge.request("POST", "/metrics/job/j?merge=series", 'rows{t="b"} 3\nrows{t="c"} 4\n').status == 200
    assert pushed(bridge) == [
        'rows{instance="",job="j",t="a"} 1',
        'rows{instance="",job="j",t="b"} 3',
        'rows{instance="",job="j",t="c"} 4',
    ]
    answer = bridge.request("POST", "/metrics/job/j?merge=series", "# TYPE rows counter\nrows 1\n")
    assert answer.status == 400, "a family cannot hold two types"
    assert bridge.request("POST", "/metrics/job/j?merge=all", "rows 1\n").status == 400
    assert bridge.request("PUT", "/metrics/job/j?merge=series", "rows 1\n").status == 400


# -- one push is one event ---------------------------------------------------------------------------------------------


def test_every_push_is_a_sample_of_its_own(bridge: BridgeProcess) -> None:
    for value in range(5):
        assert bridge.request("PUT", "/metrics/job/events", f"a {value}\n").status == 200
    lines = dump(bridge, "--match", '{__name__="a",job="events"}')
    assert [line.split()[-2] for line in lines] == ["0", "1", "2", "3", "4"]
    times = [int(line.split()[-1]) for line in lines]
    assert times == sorted(set(times)), "pushes within one millisecond are two samples"


def test_replacing_and_deleting_end_series(bridge: BridgeProcess) -> None:
    bridge.request("PUT", "/metrics/job/ends", "a 1\nb 1\n")
    bridge.request("PUT", "/metrics/job/ends", "a 2\n")
    bridge.request("DELETE", "/metrics/job/ends")
    values = {
        name: [line.split()[-2] for line in dump(bridge, "--match", f'{{__name__="{name}",job="ends"}}')]
        for name in ("a", "b", "push_time_seconds")
    }
    assert values["a"] == ["1", "2", "NaN"]
    assert values["b"] == ["1", "NaN"]
    assert values["push_time_seconds"][-1] == "NaN"


def test_held_samples_are_shown_on_request(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "push: {hold_interval: 1s}\n") as bridge:
        bridge.request("PUT", "/metrics/job/j", "a 7\n")
        match = ("--match", '{__name__="a"}')
        wait_until("two held samples", lambda: len(dump(bridge, "--held", *match)) >= 3)
        assert {line.split()[-2] for line in dump(bridge, "--held", *match)} == {"7"}
        assert len(dump(bridge, *match)) == 1, "what was pushed is one sample"


# -- timestamps --------------------------------------------------------------------------------------------------------


def test_timestamps_are_accepted_within_bounds(tmp_path: Path) -> None:
    config = "push: {timestamps: accept, timestamp_max_age: 1h, timestamp_max_future: 1m}\n"
    with BridgeProcess(tmp_path, config) as bridge:
        now = int(time.time() * 1000)
        assert bridge.request("POST", "/metrics/job/j", f"a 1 {now - 60_000}\n").status == 200
        (line,) = dump(bridge, "--match", '{__name__="a"}')
        assert line.endswith(f" 1 {now - 60_000}")
        for bad in (now - 2 * 3_600_000, now + 3_600_000):
            answer = bridge.request("POST", "/metrics/job/j", f"a 1 {bad}\n")
            assert (answer.status, '"a"' in answer.text) == (400, True), answer.text
        older = bridge.request("POST", "/metrics/job/j", f"a 1 {now - 120_000}\n")
        assert (older.status, "out of order" in older.text) == (400, True), older.text
        assert len(dump(bridge, "--match", '{__name__="a"}')) == 1


# -- OpenMetrics and lenient text --------------------------------------------------------------------------------------


def test_openmetrics_bodies(bridge: BridgeProcess) -> None:
    body = (
        "# TYPE requests counter\n"
        'requests_total{code="200"} 5 # {trace_id="abc"} 1.5 1700000000.123\n'
        '# TYPE build info\nbuild_info{version="1"} 1\n'
        '# TYPE mode stateset\nmode{mode="on"} 1\nmode{mode="off"} 0\n'
        "# TYPE odd unknown\nodd 3\n# EOF\n"
    )
    answer = bridge.request("POST", "/metrics/job/j", body, OPENMETRICS)
    assert answer.status == 200, answer.text
    assert pushed(bridge) == [
        'build_info{instance="",job="j",version="1"} 1',
        'mode{instance="",job="j",mode="on"} 1',
        'mode{instance="",job="j",mode="off"} 0',
        'odd{instance="",job="j"} 3',
        'requests_total{code="200",instance="",job="j"} 5',
    ]
    page = bridge.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert page.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "# TYPE requests counter\n" in page.text
    assert '# {trace_id="abc"} 1.5 1700000000.123\n' in page.text
    assert "# TYPE build info\n" in page.text
    assert "# TYPE mode stateset\n" in page.text
    assert page.text.endswith("# EOF\n")


def test_openmetrics_is_strict(bridge: BridgeProcess) -> None:
    answer = bridge.request("POST", "/metrics/job/j", "# TYPE a gauge\na 1\n", OPENMETRICS)
    assert (answer.status, "EOF" in answer.text) == (400, True), answer.text
    assert groups(bridge) == []


def test_lenient_text(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "push: {lenient: true}\n") as bridge:
        assert bridge.request("PUT", "/metrics/job/j", "# TYPE a gauge\r\na 1\r\nb 2").status == 200
        assert pushed(bridge) == ['a{instance="",job="j"} 1', 'b{instance="",job="j"} 2']


# -- encodings and limits ----------------------------------------------------------------------------------------------


def framed_snappy(data: bytes) -> bytes:
    compressor = snappy.StreamCompressor()
    return bytes(compressor.compress(data))


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("snappy", framed_snappy),
        ("zstd", zstandard.compress),
        ("br", bytes),
    ],
)
def test_content_encodings(bridge: BridgeProcess, encoding: str, encode: object) -> None:
    assert callable(encode)
    answer = bridge.request("PUT", "/metrics/job/j", encode(b"a 1\n"), {"Content-Encoding": encoding})
    assert answer.status == 200, answer.text
    assert pushed(bridge) == ['a{instance="",job="j"} 1']


@pytest.mark.parametrize("encoding", ["gzip", "snappy", "zstd"])
def test_damaged_encodings_are_refused(bridge: BridgeProcess, encoding: str) -> None:
    answer = bridge.request("PUT", "/metrics/job/j", b"not compressed at all", {"Content-Encoding": encoding})
    assert answer.status == 400
    assert groups(bridge) == []


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    config = "push: {max_body: 1KiB, max_decompressed: 4KiB, max_groups: 2, max_series: 20}\n"
    with BridgeProcess(tmp_path_factory.mktemp("small"), config) as process:
        yield process


def test_bodies_over_their_limits(small: BridgeProcess) -> None:
    assert small.request("PUT", "/metrics/job/big", b"# " + b"x" * 2000 + b"\n").status == 413
    bomb = gzip.compress(b"# " + b"x" * 100_000 + b"\n")
    assert len(bomb) < 1000
    answer = small.request("PUT", "/metrics/job/big", bomb, {"Content-Encoding": "gzip"})
    assert (answer.status, "4096" in answer.text) == (413, True)
    assert groups(small) == []


def test_limits_on_groups_and_series(small: BridgeProcess) -> None:
    assert small.request("PUT", "/metrics/job/one", "a 1\n").status == 200
    many = "".join(f'b{{n="{n}"}} 1\n' for n in range(30))
    answer = small.request("PUT", "/metrics/job/two", many)
    assert (answer.status, "20 series" in answer.text) == (429, True), answer.text
    assert small.request("PUT", "/metrics/job/two", "a 1\n").status == 200
    answer = small.request("PUT", "/metrics/job/three", "a 1\n")
    assert (answer.status, "2 groups" in answer.text) == (429, True), answer.text
    assert small.request("PUT", "/metrics/job/one", "a 2\n").status == 200, "what is there can go on"
    assert {group["job"] for group in groups(small)} == {"one", "two"}


# -- restarts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_groups_and_their_families_survive_a_restart(tmp_path: Path, how: str) -> None:
    bridge = BridgeProcess(tmp_path)
    with bridge:
        bridge.request("PUT", "/metrics/job/a", "# HELP x text\n# TYPE x counter\nx 1\n", {"X-Push-TTL": "1h"})
        bridge.request("POST", "/metrics/job/a", "y 2\n")
        bridge.request("PUT", "/metrics/job/gone", "z 2\n")
        bridge.request("POST", "/metrics/job/a", "bad 1 1000\n")
        bridge.request("DELETE", "/metrics/job/gone")
        before = [
            line for line in bridge.request("GET", "/metrics").text.splitlines() if '"a"' in line or " x " in line
        ]
        api = bridge.request("GET", "/api/v1/metrics").body
        if how == "kill":
            bridge.kill()
        else:
            assert bridge.stop() == 0
        bridge.start()
        after = [line for line in bridge.request("GET", "/metrics").text.splitlines() if '"a"' in line or " x " in line]
        assert after == before
        assert json.loads(bridge.request("GET", "/api/v1/metrics").body) == json.loads(api)
        conflict = bridge.request("POST", "/metrics/job/b", "# TYPE x gauge\nx 1\n")
        assert conflict.status == 400, "the index knows the recovered groups"
