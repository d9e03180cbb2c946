"""What no query may take more of, whatever it asks for: series, samples, bytes, time and memory."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.asking import ask, data, post, refused, write
from tests.bridge_process import BridgeProcess

NOW = int(time.time()) * 1000
END = NOW / 1000
SERIES = 400
TOO_MANY_SAMPLES = "query processing would load too many samples into memory in query execution"
TOO_MANY_SERIES = "query processing would load too many series into memory in query execution"
MAX_SAMPLES = 1_000_000
ROOM = 300 << 20  # bytes: what numpy, the interpreter and such a query take together is far below that


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """A few series, all features, and room for a million samples."""
    config = f"promql: {{max_samples: {MAX_SAMPLES}, max_result_bytes: 1MiB, timeout: 30s, experimental: true}}\n"
    with BridgeProcess(tmp_path_factory.mktemp("limits"), config) as process:
        for n in (3, 2, 1, 0):
            write(process, *(f"m,n={k} value={k} {NOW - n * 15_000}" for k in range(SERIES)))
        write(process, f"odd,n=nan value=7 {NOW}")
        yield process


def peak(bridge: BridgeProcess) -> int:
    """Bytes that the process has had at once, at most."""
    status = Path(f"/proc/{bridge.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


@pytest.mark.parametrize(
    ("config", "series"), [("promql: {max_series: 10}", 10), ("promql: {max_series: 0}", SERIES)], ids=["10", "any"]
)
def test_series_that_one_request_finds(tmp_path: Path, config: str, series: int) -> None:
    with BridgeProcess(tmp_path, f"{config}\n") as bridge:
        now = int(time.time())  # which federation has in mind too
        write(bridge, *(f"m,n={n} value=1 {now}000" for n in range(series)), f"other value=1 {now}000")
        at = {"time": str(now)}
        federate = f"/federate?{urllib.parse.urlencode({'match[]': ['m', 'other']}, doseq=True)}"
        assert len(data(ask(bridge, "/query", {"query": "m", **at}))["result"]) == series
        assert len(data(ask(bridge, "/series", {"match[]": "m"}))) == series
        if series == SERIES:
            assert bridge.request("GET", federate).text.count("\n") == SERIES + 3
            return
        for query in ("m + other", "sum({__name__=~'m|other'})", "other or m"):
            assert refused(ask(bridge, "/query", {"query": query, **at}), 422, "execution") == TOO_MANY_SERIES
        text = refused(ask(bridge, "/series", {"match[]": ["m", "other"], "limit": "1"}), 422, "execution")
        assert text == "the query takes more than 10 series"
        answer = bridge.request("GET", federate)
        assert (answer.status, answer.text.strip()) == (422, "the query takes more than 10 series")
        assert bridge.request("GET", "/federate?match[]=m").text.count("\n") == 11
        bridge.config_file.write_text("promql: {max_series: 11}\n")
        assert bridge.request("POST", "/-/reload").status == 200
        assert bridge.request("GET", federate).text.count("\n") == 13


@pytest.mark.parametrize(
    "query",
    [
        "sum_over_time(m[10y:1ms])",
        "sum_over_time(vector(1)[290y:1ms])",
        "count_over_time(rate(m[1h:1ms])[1h:1ms])",
        f"sum_over_time(({'m or ' * 100}m)[1d:1s])",
        "(m[1d:1s])",
        # A label that grows a hundredfold with each level, and others that do in one.
        "label_join(" * 20 + "m" + (', "n", "-"' + ', "n"' * 100 + ")") * 20,
        "label_replace(" * 20 + "m" + (f', "n", "{"$1" * 100}", "n", "(.*)")') * 20,
        f'label_replace(label_replace(m, "x", "{"y" * 60_000}", "", ""), "z", "{"$1" * 60_000}", "x", "(.*)")',
        f'm * on () group_left (x) label_replace(odd, "x", "{"y" * 100_000}", "", "")',
    ],
)
def test_what_takes_too_many_samples_is_refused_before_it_does(bridge: BridgeProcess, query: str) -> None:
    form = {"query": query, "time": str(END)}
    assert refused(post(bridge, "/query", form), 422, "execution") == TOO_MANY_SAMPLES
    assert peak(bridge) < ROOM


@pytest.mark.parametrize("path", ["/query", "/query_range"])
def test_an_answer_stops_where_it_is_too_long(bridge: BridgeProcess, path: str) -> None:
    long = f'label_replace(m, "x", "{"y" * 9_000}", "", "")'
    times = {"time": str(END), "start": str(END), "end": str(END), "step": "1"}
    text = refused(post(bridge, path, {"query": long, **times}), 422, "execution")
    assert text == "the result takes more than 1MiB"
    few = {"query": f"topk(5, {long})", **times}
    assert len(data(post(bridge, path, few))["result"]) == 5
    ranges = {"query": "m[5m:1s] offset -4m", "time": str(END)}
    assert refused(post(bridge, "/query", ranges), 422, "execution") == "the result takes more than 1MiB"


@pytest.mark.parametrize(
    ("start", "end", "step"),
    [("0", "1000000000", "1"), ("0", "1", "0.000000001"), ("-9e9", "9e9", "1ms"), ("0", "1e300", "1")],
)
def test_a_billion_steps(bridge: BridgeProcess, start: str, end: str, step: str) -> None:
    times = {"start": start, "end": end, "step": step}
    refused(ask(bridge, "/query_range", {"query": "m", **times}), 400, "bad_data")
    query = "sum by (n) (m)"
    refused(post(bridge, "/query_range", {"query": query, **times}), 400, "bad_data")


@pytest.mark.parametrize(
    "query",
    [
        *(f"{op}({k}, m)" for op in ("topk", "bottomk", "limitk") for k in ("1e18", "9.3e18", "Inf", "-1e300", "NaN")),
        *(f"limit_ratio({ratio}, m)" for ratio in ("NaN", "Inf", "-1e300", "1e-320")),
        *(f"quantile({q}, m)" for q in ("NaN", "Inf", "-Inf", "1e300")),
        *(f"quantile_over_time({q}, m[1m])" for q in ("NaN", "-Inf")),
        *(f"histogram_quantile({q}, m)" for q in ("NaN", "Inf")),
        "histogram_fraction(NaN, -Inf, m)",
        "clamp(m, NaN, NaN)",
        "clamp(m, Inf, -Inf)",
        "round(m, NaN)",
        "round(m, 0)",
        "predict_linear(m[1m], NaN)",
        "double_exponential_smoothing(m[1m], NaN, Inf)",
        "vector(NaN) % 0",
        "m ^ 1e300 ^ -1e300",
        "topk(scalar(m), m)",
        "count_values('x', m / 0)",
        "day_of_month(vector(1e300))",
        "days_in_month(vector(-9.3e18))",
        "year(vector(NaN))",
        "timestamp(m) * 1e308 * 10",
        "m @ NaN",
        "m @ Inf",
        "m @ 1e300",
        "m @ -9.3e18",
        "m[NaN]",
        "m[Inf]",
        "m offset NaN",
        "m offset -Inf",
        "m offset 292y",
        "m offset -292y",
        "m offset 1e300",
        "m offset (1e300 * 1e300)",
        "sum_over_time(m[292y])",
        "sum_over_time(m[1e300])",
        "sum_over_time(m[9223372036854775807ms])",
        "sum_over_time(m[292y:291y] offset 291y @ 1e15)",
        "last_over_time(m[5m:NaN])",
        "(m[1m:1ms])[5m:1h]",
        "holt_winters(m[1m], 0.5, 0.5)",
        'm{n=~"' + "a" * 100_000 + '"}',
        'm{n=~"' + "(a|" * 20_000 + "b" + ")" * 20_000 + '"}',
        'm{n=~"' + "(" * 200 + "a" + "{9}){9}" * 200 + '"}',
        'm{n=~"(.*)*.*(.*)*x{1000}"}',
        'm{n=~"(x+x+)+y"}',
        'm{n!~"' + "|".join(map(str, range(20_000))) + '"}',
        'm{n=~".*' + "a?" * 10_000 + '"}',
        'label_replace(m, "x", "$1", "n", "' + "(a|" * 20_000 + '")',
        "(" * 100_000 + "m" + ")" * 100_000,
        "-" * 100_000 + "m",
        "sum(" * 20_000 + "m" + ")" * 20_000,
        "m" + " + m" * 50_000,
        "m" + " offset 1m" * 10_000,
        "m" + "[1m:1s]" * 100,
        "m{" + 'n!="x",' * 20_000 + "}",
        "sum by (" + ",".join(f"l{n}" for n in range(20_000)) + ") (m)",
        "m" + " or m" * 190,
        "sum_over_time(" * 60 + "m" + "[1m:30s])" * 60,
        "{n=~'.+'} * ignoring (n) group_left {n=~'.+'}",
    ],
)
@pytest.mark.parametrize("path", ["/query", "/query_range"])
def test_odd_and_huge_numbers_and_texts(bridge: BridgeProcess, path: str, query: str) -> None:
    times = {"time": str(END), "start": str(END - 3600), "end": str(END), "step": "60"}
    answer = post(bridge, path, {"query": query, **times})
    assert answer.status in {200, 400, 422, 503}, answer.text
    assert json.loads(answer.body)["status"] in {"success", "error"}
    assert peak(bridge) < ROOM
    assert bridge.request("GET", "/-/healthy").status == 200
