"""`/federate` as another Prometheus would scrape it."""

from __future__ import annotations

import gzip
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.api.asking import write
from tests.bridge_process import Answer, BridgeProcess, wait_until

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


@pytest.fixture(scope="module")
def ago() -> int:
    """A minute before this module's turn, ms."""
    return int(time.time()) * 1000 - 60_000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, ago: int) -> Iterator[BridgeProcess]:
    config = (
        "global: {external_labels: {dc: x, host: never}}\npush: {hold_interval: 1s}\npromql: {lookback_delta: 30m}\n"
    )
    with BridgeProcess(tmp_path_factory.mktemp("federate"), config) as process:
        write(process, f"load,host=a value=1 {ago}", f"load,host=a value=2.5 {ago + 1}")
        write(process, f"load,host=old value=1 {ago - 2_640_000}")
        write(process, f"a.b value=7 {ago}")
        write(process, *(f"many,n={n} value={n} {ago}" for n in range(20_000)))
        assert process.request("PUT", "/metrics/job/backup", "rows 5\n").status == 200
        yield process


def federate(bridge: BridgeProcess, *selectors: str, **headers: str) -> Answer:
    query = urllib.parse.urlencode({"match[]": selectors}, doseq=True)
    return bridge.request("GET", f"/federate?{query}", headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_the_newest_sample_with_its_time_and_external_labels(bridge: BridgeProcess, ago: int) -> None:
    answer = federate(bridge, "load", 'load{host="a"}', '{__name__="a.b"}')
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert answer.text == (
        f'# TYPE a_b untyped\na_b{{dc="x",host="never",instance=""}} 7 {ago}\n'
        f'# TYPE load untyped\nload{{host="a",dc="x",instance=""}} 2.5 {ago + 1}\n'
    )


def test_names_as_the_client_can_read_them(bridge: BridgeProcess, ago: int) -> None:
    answer = federate(bridge, '{"a.b"}', Accept="text/plain;version=1.0.0;escaping=allow-utf-8")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
    assert answer.text.splitlines()[1] == f'{{"a.b",dc="x",host="never",instance=""}} 7 {ago}'
    answer = federate(bridge, '{"a.b"}', Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4;")
    answer = federate(bridge, '{"a.b"}', Accept=PROTOBUF)
    assert answer.headers["content-type"].startswith("application/vnd.google.protobuf;")
    assert b"a_b" in answer.body


def test_a_held_value_has_the_time_of_its_last_tick(bridge: BridgeProcess) -> None:
    def shown() -> int:
        line = federate(bridge, "rows").text.splitlines()[1]
        head, value, t = line.split()
        assert (head, value) == ('rows{job="backup",dc="x",host="never",instance=""}', "5")
        return int(t)

    first = shown()
    wait_until("another tick", lambda: shown() > first)


def test_a_series_that_has_ended_is_left_out(bridge: BridgeProcess) -> None:
    assert bridge.request("PUT", "/metrics/job/gone", "ended 1\n").status == 200
    assert "ended" in federate(bridge, "ended").text
    assert bridge.request("DELETE", "/metrics/job/gone").status == 202
    assert federate(bridge, "ended").body == b""


def test_long_answers_come_in_pieces(bridge: BridgeProcess) -> None:
    plain = federate(bridge, "many")
    assert "content-length" not in plain.headers
    lines = plain.text.splitlines()
    assert len(lines) == 20_001
    assert lines[0] == "# TYPE many untyped"
    packed = federate(bridge, "many", Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("selector", ["load{", '{a=~"("}', "sum(load)", ""])
def test_what_is_no_selector(bridge: BridgeProcess, selector: str) -> None:
    assert federate(bridge, selector).status == 400


def test_nothing_asked_for_nothing_given(bridge: BridgeProcess) -> None:
    answer = federate(bridge)
    assert (answer.status, answer.body) == (200, b"")
    assert bridge.request("POST", "/federate").status == 405
    assert bridge.request("GET", "/federate?match[]=%ff").status == 400
