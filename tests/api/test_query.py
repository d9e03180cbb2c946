"""PromQL over HTTP: shapes, errors and limits as Prometheus has them."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.asking import ask, data, encode, post, refused, write
from tests.bridge_process import BridgeProcess, wait_until

NOW = int(time.time()) * 1000
END = NOW / 1000
EXPENSIVE = (
    "count(count_over_time({__name__=~'.+'}[10m:1s]))" + " + count(count_over_time({__name__=~'.+'}[10m:1s]))" * 100
)


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """A counter of three hosts every 15 s for ten minutes, and a pushed group."""
    folder = tmp_path_factory.mktemp("query")
    config = f"push: {{hold_interval: 1s}}\npromql: {{query_log_file: {folder}/queries.log, slow_query: 1ms}}\n"
    with BridgeProcess(folder, config) as process:
        for n in range(40, -1, -1):
            t = NOW - n * 15_000
            write(process, *(f"requests_total,host=h{h} value={(40 - n) * 15 * (h + 1)} {t}" for h in range(3)))
        push = "# TYPE rows gauge\nrows 5 \n".replace(" \n", "\n")
        assert process.request("PUT", "/metrics/job/backup", push).status == 200
        yield process


def test_an_instant_vector(bridge: BridgeProcess) -> None:
    for answer in (
        ask(bridge, "/query", {"query": "requests_total", "time": str(END)}),
        post(bridge, "/query", {"query": "requests_total", "time": str(END)}),
    ):
        assert data(answer) == {
            "resultType": "vector",
            "result": [
                {"metric": {"__name__": "requests_total", "host": f"h{h}"}, "value": [int(END), str(600 * (h + 1))]}
                for h in range(3)
            ],
        }
        assert set(json.loads(answer.body)) == {"status", "data"}


def test_other_values(bridge: BridgeProcess) -> None:
    assert data(ask(bridge, "/query", {"query": "1+1", "time": "12.5"})) == {
        "resultType": "scalar",
        "result": [12.5, "2"],
    }
    assert data(ask(bridge, "/query", {"query": '"x"', "time": "7"})) == {"resultType": "string", "result": [7, "x"]}
    ranges = data(ask(bridge, "/query", {"query": 'requests_total{host="h0"}[31s]', "time": str(END)}))
    assert (ranges["resultType"], [value for _, value in ranges["result"][0]["values"]]) == (
        "matrix",
        ["570", "585", "600"],
    )
    assert data(ask(bridge, "/query", {"query": "nothing"})) == {"resultType": "vector", "result": []}
    assert data(ask(bridge, "/query", {"query": "NaN", "time": "1"}))["result"] == [1, "NaN"]


def test_a_range(bridge: BridgeProcess) -> None:
    params = {"query": "sum(rate(requests_total[1m]))", "start": str(END - 60), "end": str(END), "step": "30s"}
    found = data(post(bridge, "/query_range", params))
    assert found["resultType"] == "matrix"
    values = found["result"][0]["values"]
    assert [t for t, _ in values] == [int(END) - 60, int(END) - 30, int(END)]
    assert [float(value) for _, value in values] == pytest.approx([6.0, 6.0, 6.0])
    scalar = data(ask(bridge, "/query_range", {"query": "2", "start": "0", "end": "1", "step": "0.5"}))
    assert scalar["result"] == [{"metric": {}, "values": [[0, "2"], [0.5, "2"], [1, "2"]]}]
    assert data(ask(bridge, "/query_range", {"query": "2", "start": "0", "end": "11000", "step": "1"}))


def test_pushed_values_are_held(bridge: BridgeProcess) -> None:
    wait_until(
        "a tick",
        lambda: float(data(ask(bridge, "/query", {"query": "count_over_time(rows[1m])"}))["result"][0]["value"][1]) > 1,
    )
    assert data(ask(bridge, "/query", {"query": "rows"}))["result"][0]["value"][1] == "5"


def test_limit_lookback_and_statistics(bridge: BridgeProcess) -> None:
    at = {"time": str(END)}
    answer = ask(bridge, "/query", {"query": "requests_total", "limit": "2", **at})
    assert len(data(answer)["result"]) == 2
    assert json.loads(answer.body)["warnings"] == ["results truncated due to limit"]
    assert "warnings" not in json.loads(ask(bridge, "/query", {"query": "requests_total", "limit": "3", **at}).body)
    spanned = {"start": str(END - 15), "end": str(END), "step": "15"}
    answer = ask(bridge, "/query_range", {"query": "requests_total", "limit": "1", **spanned})
    assert len(data(answer)["result"]) == 1
    late = {"query": "requests_total", "time": str(END + 60)}
    assert len(data(ask(bridge, "/query", late))["result"]) == 3
    assert data(ask(bridge, "/query", {**late, "lookback_delta": "30s"}))["result"] == []
    stats = data(ask(bridge, "/query", {"query": "requests_total", "stats": "true", **at}))["stats"]
    assert stats["samples"]["totalQueryableSamples"] == 3
    assert stats["timings"]["execTotalTime"] > 0
    answer = ask(bridge, "/query", {"query": "1", "stats": "x"})
    assert json.loads(answer.body)["warnings"][0].startswith('value "x" for parameter "stats" is deprecated')


def test_statistics_by_step(tmp_path: Path) -> None:
    asked = {"query": "sum_over_time(x[20s])", "start": "1000", "end": "1020", "step": "10"}
    with BridgeProcess(tmp_path, "promql: {per_step_stats: true}\n") as bridge:
        write(bridge, *(f"x value=1 {time}000" for time in (990, 1000, 1010, 1020)))
        samples = data(ask(bridge, "/query_range", {**asked, "stats": "all"}))["stats"]["samples"]
        assert samples.pop("peakSamples") > 0
        assert samples == {
            "totalQueryableSamples": 6,
            "totalQueryableSamplesPerStep": [[1000, 2], [1010, 2], [1020, 2]],
            "samplesRead": 4,
            "samplesReadPerStep": [[1000, 2], [1010, 1], [1020, 1]],
        }
        samples = data(ask(bridge, "/query_range", {**asked, "stats": "true"}))["stats"]["samples"]
        assert samples.keys() == {"totalQueryableSamples", "samplesRead", "peakSamples"}
        assert data(ask(bridge, "/features"))["promql"]["per_step_stats"] is True


def test_annotations(bridge: BridgeProcess) -> None:
    answer = json.loads(ask(bridge, "/query", {"query": "rate(rows[1m])"}).body)
    assert answer["infos"] == [
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "rows" (1:6)'
    ]
    answer = json.loads(ask(bridge, "/query", {"query": "quantile(7, requests_total)"}).body)
    assert answer["warnings"] == ["PromQL warning: quantile value should be between 0 and 1, got 7 (1:10)"]


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        ("/query", {}, 'invalid parameter "query": unknown position: parse error: no expression found in input'),
        (
            "/query",
            {"query": "up{"},
            'invalid parameter "query": 1:4: parse error: unexpected end of input inside braces',
        ),
        ("/query", {"query": "sum(up) by (a"}, 'invalid parameter "query": 1:14: parse error: '),
        (
            "/query",
            {"query": 'up{a=~"("}'},
            'invalid parameter "query": 1:4: parse error: error parsing regexp: missing',
        ),
        (
            "/query",
            {"query": "up", "time": "x"},
            """invalid parameter "time": invalid time value for 'time': cannot parse""",
        ),
        (
            "/query",
            {"query": "up", "time": "NaN"},
            """invalid parameter "time": invalid time value for 'time': cannot""",
        ),
        (
            "/query",
            {"query": "up", "timeout": "x"},
            'invalid parameter "timeout": cannot parse "x" to a valid duration',
        ),
        ("/query", {"query": "up", "lookback_delta": "x"}, "error parsing lookback delta duration: cannot parse "),
        ("/query", {"query": "up", "limit": "-1"}, 'invalid parameter "limit": limit must be non-negative'),
        ("/query", {"query": "limitk(1, up)"}, 'invalid parameter "query": 1:1: parse error: limitk() is experimental'),
        ("/query_range", {"query": "up"}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        (
            "/query_range",
            {"query": "up", "start": "2", "end": "1", "step": "1"},
            'invalid parameter "end": end timestamp',
        ),
        (
            "/query_range",
            {"query": "up", "start": "1", "end": "2"},
            'invalid parameter "step": cannot parse "" to a valid',
        ),
        (
            "/query_range",
            {"query": "up", "start": "1", "end": "2", "step": "0"},
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive',
        ),
        (
            "/query_range",
            {"query": "up", "start": "1_0", "end": "2", "step": "1"},
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            "/query_range",
            {"query": "up", "start": "0", "end": "11001", "step": "1"},
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step",
        ),
        (
            "/query_range",
            {"query": "up[1m]", "start": "0", "end": "1", "step": "1"},
            'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or in',
        ),
        ("/query_exemplars", {"query": "up{"}, "1:4: parse error: "),
        (
            "/query_exemplars",
            {"query": "up", "start": "2", "end": "1"},
            "end timestamp must not be before start timestamp",
        ),
        ("/format_query", {"query": "1+"}, 'invalid parameter "query": 1:3: parse error: unexpected end of input'),
        ("/query", {"query": "1" + "+1" * 2000}, 'invalid parameter "query": 1:'),
        ("/parse_query", {"query": ""}, 'invalid parameter "query": unknown position: parse error: no expression'),
    ],
)
def test_what_makes_no_sense_is_told(bridge: BridgeProcess, path: str, params: dict[str, str], text: str) -> None:
    assert refused(ask(bridge, path, params), 400, "bad_data").startswith(text)
    assert refused(post(bridge, path, params), 400, "bad_data").startswith(text)


def test_no_text_is_too_long_to_be_refused(bridge: BridgeProcess) -> None:
    long = "up or " * 100_000 + "up"
    assert "more than 262144 characters" in refused(post(bridge, "/query", {"query": long}), 400, "bad_data")
    assert "more than 65536 characters" in refused(post(bridge, "/series", {"match[]": long}), 400, "bad_data")


def test_what_cannot_be_evaluated(bridge: BridgeProcess) -> None:
    many = {"query": "requests_total * on() requests_total", "time": str(END)}
    assert "many-to-many matching not allowed" in refused(ask(bridge, "/query", many), 422, "execution")
    slow = {"query": EXPENSIVE, "timeout": "10ms", "start": str(END - 5000), "end": str(END), "step": "1"}
    assert refused(ask(bridge, "/query_range", slow), 503, "timeout") == "query timed out in expression evaluation"


def test_limits_on_one_query(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "promql: {max_samples: 300, max_result_bytes: 1KiB, experimental: true}\n") as bridge:
        write(bridge, *(f"m,n={n} value=1 {NOW}" for n in range(90)))
        at = {"time": str(END)}
        assert len(data(ask(bridge, "/query", {"query": "limitk(3, m)", **at}))["result"]) == 3
        text = refused(ask(bridge, "/query", {"query": "m", **at}), 422, "execution")
        assert text == "the result takes more than 1KiB"
        write(bridge, *(f"m,n={n} value=1 {NOW + k}" for k in (1, 2, 3) for n in range(90)))
        text = refused(ask(bridge, "/query", {"query": "sum_over_time(m[1m])", "time": str(END + 1)}), 422, "execution")
        assert text == "query processing would load too many samples into memory in query execution"
        bridge.config_file.write_text("promql: {max_samples: 1000}\n")
        assert bridge.request("POST", "/-/reload").status == 200
        assert len(data(ask(bridge, "/query", {"query": "m", **at}))["result"]) == 90
        assert ask(bridge, "/query", {"query": "limitk(3, m)", **at}).status == 400


def test_exemplars(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        body = '# TYPE t histogram\nt_bucket{le="1.0"} 1 # {trace_id="a"} 0.5 1.5\n'
        body += 't_bucket{le="+Inf"} 1\nt_sum 1\nt_count 1\n# EOF\n'
        kind = {"Content-Type": "application/openmetrics-text"}
        assert bridge.request("PUT", "/metrics/job/x", body, kind).status == 200
        query = "histogram_quantile(0.9, sum by (le) (rate(t_bucket[5m])))"
        found = data(post(bridge, "/query_exemplars", {"query": query}))
        assert found == [
            {
                "seriesLabels": {"__name__": "t_bucket", "job": "x", "le": "1.0"},
                "exemplars": [{"labels": {"trace_id": "a"}, "value": "0.5", "timestamp": 1.5}],
            }
        ]
        assert data(ask(bridge, "/query_exemplars", {"query": query, "start": "2"})) == []
        assert ask(bridge, "/query_exemplars", {"query": "1"}).status == 204


def test_expressions_laid_out_and_taken_apart(bridge: BridgeProcess) -> None:
    assert data(ask(bridge, "/format_query", {"query": "foo/bar"})) == "foo / bar"
    tree = data(post(bridge, "/parse_query", {"query": "-foo"}))
    assert (tree["type"], tree["op"], tree["expr"]["name"]) == ("unaryExpr", "-", "foo")


def test_features(bridge: BridgeProcess) -> None:
    features = data(ask(bridge, "/features"))
    assert features["promql_functions"]["rate"] is True
    assert features["promql_functions"]["info"] is False
    assert features["promql_operators"]["limitk"] is False
    assert features["api"]["admin"] is False


def test_queries_are_written_down(bridge: BridgeProcess) -> None:
    query = 'sum(requests_total) + 0 * count({host="write me down"} or vector(1))'
    assert ask(bridge, "/query", {"query": query, "time": str(END)}).status == 200
    lines = [json.loads(line) for line in (bridge.folder / "queries.log").read_text().splitlines()]
    (line,) = (line for line in lines if line["params"]["query"] == query)
    assert line["msg"] == "promql query logged"
    assert (line["params"]["step"], line["httpRequest"]["path"]) == (0, "/api/v1/query")
    assert line["stats"]["timings"]["execTotalTime"] > 0
    assert "write me down" in bridge.log()
    assert 'msg="slow query"' in bridge.log()


@contextlib.contextmanager
def long_query(bridge: BridgeProcess) -> Iterator[socket.socket]:
    """The bridge is at work on a query of minutes; the client's connection."""
    write(bridge, *(f"m,n={n} value={n} {NOW}" for n in range(2000)))
    hundred = "(count(count_over_time(m[10m:1s]))" + " + count(count_over_time(m[10m:1s]))" * 99 + ")"
    form = encode(
        {
            "query": f"{hundred} + {hundred}" + f" + {hundred}" * 10,
            "start": str(END - 11_000),
            "end": str(END),
            "step": "1",
        }
    )
    before = cpu(bridge)
    with socket.create_connection(("127.0.0.1", bridge.port)) as client:
        client.sendall(f"GET /api/v1/query_range?{form} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until("it is at work", lambda: cpu(bridge) > before + 30)
        yield client


def cpu(bridge: BridgeProcess) -> int:
    """Hundredths of a second that it has worked."""
    fields = Path(f"/proc/{bridge.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_others_are_answered_while_a_query_runs_which_ends_when_its_client_goes(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        with long_query(bridge) as client:
            for _ in range(20):
                assert bridge.request("GET", "/-/healthy").status == 200
            assert not select.select([client], [], [], 0)[0], "it has not ended before they were answered"

        def is_idle() -> bool:
            before = cpu(bridge)
            time.sleep(0.3)
            return cpu(bridge) - before <= 3

        wait_until("it has nothing to do", is_idle)


FRAGMENTS = st.sampled_from(
    [
        "up",
        "requests_total",
        "sum",
        "rate",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "+",
        "-",
        "*",
        "/",
        "^",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "offset",
        "@",
        "5m",
        "1e999",
        "NaN",
        "-1",
        '"a"',
        "=~",
        "!=",
        '"("',
        'host="h0"',
        "topk",
        "quantile",
        "histogram_quantile",
        "0",
        ":",
        "start()",
        "end()",
        "bool",
        "and",
        "unless",
        "or",
        "10000000",
        "1s",
    ]
)


@given(
    path=st.sampled_from(["/query", "/query_range", "/query_exemplars", "/format_query", "/parse_query"]),
    query=st.one_of(st.text(max_size=30), st.lists(FRAGMENTS, max_size=14).map(" ".join)),
    params=st.dictionaries(
        st.sampled_from(["time", "start", "end", "step", "timeout", "limit", "lookback_delta", "stats"]),
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                ["0", "-1", "1e18", "1e308", "NaN", "Inf", "1s", "1ms", str(END), "9" * 25, "1e-9", "100y"]
            ),
        ),
    ),
)
def test_whatever_is_asked_it_is_answered(bridge: BridgeProcess, path: str, query: str, params: dict[str, str]) -> None:
    params = {"start": str(END - 60), "end": str(END), "step": "15", "timeout": "5s", **params, "query": query}
    assert ask(bridge, path, params).status in {200, 204, 400, 422, 503}
