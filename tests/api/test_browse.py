"""Series, labels, metadata and the rest of what can be asked without PromQL, as Prometheus answers it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.asking import ask, data, post, refused, write
from tests.bridge_process import BridgeProcess

NOW = int(time.time()) * 1000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """Ten hosts with a sample each a minute ago, one host an hour ago, and a pushed group."""
    with BridgeProcess(tmp_path_factory.mktemp("browse")) as process:
        write(process, f"load,host=old,job=node value=1 {NOW - 3_600_000}")
        write(process, *(f"load,host=h{n},job=node value={n} {NOW - 60_000}" for n in range(10)))
        push = "# HELP rows Rows.\n# TYPE rows counter\nrows 5\n"
        push += '# TYPE t histogram\nt_bucket{le="+Inf"} 1\nt_sum 1\nt_count 1\n'
        assert process.request("PUT", "/metrics/job/backup/a.b/<&>", push).status == 200
        yield process


def load(host: str) -> dict[str, str]:
    return {"__name__": "load", "host": host, "job": "node"}


def test_series_by_selector_and_time(bridge: BridgeProcess) -> None:
    assert data(ask(bridge, "/series", {"match[]": 'load{host=~"h[01]"}'})) == [load("h0"), load("h1")]
    both = {"match[]": ['load{host="h1"}', 'load{host=~"h1|old"}', "rows"]}
    assert data(post(bridge, "/series", both)) == [
        load("h1"),
        load("old"),
        {"__name__": "rows", "a.b": "<&>", "job": "backup"},
    ]
    early = {"match[]": "load", "end": str((NOW - 1_800_000) / 1000)}
    assert data(ask(bridge, "/series", early)) == [load("old")]
    late = {"match[]": "load", "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW / 1000 - 1800))}
    assert len(data(ask(bridge, "/series", late))) == 10
    assert data(ask(bridge, "/series", {"match[]": "nothing"})) == []


def test_a_limit_is_honoured_and_told(bridge: BridgeProcess) -> None:
    answer = ask(bridge, "/series", {"match[]": "load", "limit": "3"})
    assert len(data(answer)) == 3
    assert json.loads(answer.body)["warnings"] == ["results truncated due to limit"]
    exact = ask(bridge, "/series", {"match[]": "load", "limit": "11"})
    assert len(data(exact)) == 11
    assert "warnings" not in json.loads(exact.body)
    for path in ("/labels", "/label/host/values"):
        answer = ask(bridge, path, {"limit": "1"})
        assert len(data(answer)) == 1
        assert json.loads(answer.body)["warnings"] == ["results truncated due to limit"]


def test_labels_and_their_values(bridge: BridgeProcess) -> None:
    assert data(ask(bridge, "/labels")) == ["__name__", "a.b", "host", "job", "le"]
    assert data(post(bridge, "/labels", {"match[]": ["load", "rows"]})) == ["__name__", "a.b", "host", "job"]
    assert data(ask(bridge, "/label/job/values")) == ["backup", "node"]
    assert data(ask(bridge, "/label/host/values", {"match[]": ['{host=~"h[2-4]"}', '{host="h3"}', "rows"]})) == [
        "h2",
        "h3",
        "h4",
    ]
    assert data(ask(bridge, "/label/U__a_2e_b/values")) == ["<&>"]
    assert data(ask(bridge, "/label/a.b/values")) == ["<&>"]
    assert data(ask(bridge, "/label/nothing/values")) == []
    before = {"end": str((NOW - 3_600_001) / 1000)}
    assert data(ask(bridge, "/labels", before)) == data(ask(bridge, "/label/job/values", before)) == []
    assert data(ask(bridge, "/label/job/values", {"end": str((NOW - 3_600_000) / 1000)})) == ["backup", "node"]


def test_metadata_of_families(bridge: BridgeProcess) -> None:
    told = data(ask(bridge, "/metadata"))
    assert told["rows"] == [{"type": "counter", "help": "Rows.", "unit": ""}]
    assert told["t"] == [{"type": "histogram", "help": "", "unit": ""}]
    assert "t_bucket" not in told
    assert list(data(ask(bridge, "/metadata", {"metric": "rows"}))) == ["rows"]
    assert len(data(ask(bridge, "/metadata", {"limit": "2"}))) == 2
    assert data(ask(bridge, "/metadata", {"metric": "nothing"})) == {}


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        ("/series", {}, "no match[] parameter provided"),
        ("/series", {"match[]": "load{"}, 'invalid parameter "match[]": '),
        ("/series", {"match[]": '{host=~".*"}'}, 'invalid parameter "match[]": match[] must contain at least one non-'),
        ("/labels", {"match[]": "{}"}, "match[] must contain at least one non-empty matcher"),
        ("/labels", {"match[]": '{a=~"("}'}, ""),
        ("/labels", {"limit": "x"}, 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'),
        ("/labels", {"limit": "-1"}, 'invalid parameter "limit": limit must be non-negative'),
        (
            "/labels",
            {"limit": "9" * 30},
            f'invalid parameter "limit": strconv.Atoi: parsing "{"9" * 30}": value out of',
        ),
        (
            "/label/a/values",
            {"start": "x"},
            """invalid parameter "start": invalid time value for 'start': cannot parse""",
        ),
        (
            "/label/a/values",
            {"end": "NaN"},
            """invalid parameter "end": invalid time value for 'end': cannot parse "NaN" """,
        ),
        (
            "/label/a/values",
            {"end": "2026-02-30T00:00:00Z"},
            """invalid parameter "end": invalid time value for 'end': """,
        ),
        ("/metadata", {"limit": "x"}, "limit must be a number"),
        ("/metadata", {"limit_per_metric": "x"}, "limit_per_metric must be a number"),
        ("/rules", {"type": "x"}, 'invalid parameter "type": not supported value "x"'),
        ("/rules", {"group_limit": "x"}, 'invalid parameter "group_limit": group_limit needs to be a valid number: '),
        ("/rules", {"group_limit": "0"}, 'invalid parameter "group_limit": group_limit needs to be greater than 0'),
        ("/rules", {"group_next_token": "x"}, 'invalid parameter "group_next_token": group_limit needs to be present'),
        ("/targets/metadata", {"limit": "x"}, "limit must be a number"),
        ("/targets/metadata", {"match_target": "{"}, 'invalid parameter "match_target": 1:2: parse error'),
        ("/status/tsdb", {"limit": "0"}, "limit must be a positive number"),
        ("/status/tsdb", {"limit": "10001"}, "limit must not exceed 10000"),
        ("/scrape_pools/config", {}, "no scrapePool parameter provided"),
    ],
)
def test_what_makes_no_sense_is_told(bridge: BridgeProcess, path: str, params: dict[str, str], text: str) -> None:
    assert refused(ask(bridge, path, params), 400, "bad_data").startswith(text)


@given(
    path=st.sampled_from(["/series", "/labels", "/label/host/values", "/metadata", "/rules", "/targets"]),
    params=st.dictionaries(
        st.sampled_from(["match[]", "start", "end", "limit", "limit_per_metric", "state", "type"]),
        st.one_of(st.text(max_size=20), st.sampled_from(["load", "1e999", "-1", "1e18", "{a=~'('}", '{a!=""}'])),
    ),
)
def test_whatever_is_asked_it_is_answered(bridge: BridgeProcess, path: str, params: dict[str, str]) -> None:
    assert ask(bridge, path, params).status in {200, 400}


def test_what_is_not_there(bridge: BridgeProcess) -> None:
    assert ask(bridge, "/nothing").status == 404
    assert ask(bridge, "/label//values").status == 404
    for method, path in (("POST", "/label/a/values"), ("PUT", "/series"), ("DELETE", "/labels"), ("POST", "/metadata")):
        answer = bridge.request(method, f"/api/v1{path}")
        assert (answer.status, answer.text) == (405, "Method Not Allowed\n")
        assert answer.headers["allow"] in {"GET, OPTIONS", "GET, OPTIONS, POST"}


def test_scripts_of_other_origins_may_read(bridge: BridgeProcess) -> None:
    answer = ask(bridge, "/labels", Origin="http://grafana")
    assert answer.headers["access-control-allow-origin"] == "http://grafana"
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert "access-control-allow-origin" not in ask(bridge, "/labels").headers
    answer = bridge.request("OPTIONS", "/api/v1/any/thing", headers={"Origin": "http://grafana"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "http://grafana"


def test_origins_may_be_few(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, 'web: {cors_origin: "https?://(a|b)"}\n') as bridge:
        answer = ask(bridge, "/labels", Origin="http://b")
        assert answer.headers["access-control-allow-origin"] == "http://b"
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in ask(bridge, "/labels", Origin="http://bb").headers


def test_large_answers_are_gzipped_for_those_who_take_it(bridge: BridgeProcess) -> None:
    plain = ask(bridge, "/status/config")
    packed = bridge.request("GET", "/api/v1/status/config", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_nothing_is_scraped_and_no_rule_is_there(bridge: BridgeProcess) -> None:
    assert data(ask(bridge, "/rules")) == {"groups": []}
    assert data(ask(bridge, "/alerts")) == {"alerts": []}
    assert data(ask(bridge, "/alertmanagers")) == {"activeAlertmanagers": [], "droppedAlertmanagers": []}
    assert data(ask(bridge, "/targets")) == {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}
    assert data(ask(bridge, "/targets", {"state": "active"}))["droppedTargetCounts"] is None
    assert data(ask(bridge, "/targets/metadata")) == []
    assert data(ask(bridge, "/scrape_pools")) == {"scrapePools": []}
