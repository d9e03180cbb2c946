"""`pushbridge mapping`: the schemas explained, and lines of stored series, from a directory and from a bridge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.forward import MAPPINGS
from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

TEXT = """# TYPE done_total counter
done_total{x="1"} 7
# TYPE load gauge
load{x="1"} NaN
load{x="2"} 0.5
"""


async def preview(*options: str | Path) -> tuple[list[str], str]:
    """Lines without their times, and what is said besides."""
    ran = await pushbridge("mapping", "preview", *options)
    assert ran.code == 0, ran.err
    return [line.rsplit(" ", 1)[0] for line in ran.out.splitlines()], ran.err


async def test_list_explains_every_mapping() -> None:
    ran = await pushbridge("mapping", "list")
    assert ran.code == 0
    for known in MAPPINGS:
        assert f"\n{known.name}\n" in f"\n{ran.out}"
        assert known.choose in ran.out


async def test_a_directory_and_a_running_bridge_give_the_same_lines(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path) as bridge:
        assert bridge.request("PUT", "/metrics/job/j", TEXT).status == 200
        selector = '{__name__=~"done.*|load",job="j"}'
        for place in (("--data", bridge.data), ("--url", f"http://127.0.0.1:{bridge.port}")):
            lines, said = await preview("--match", selector, "--mapping", "telegraf-v1", *place)
            assert sorted(lines) == ["done_total,job=j,x=1 counter=7", "load,job=j,x=2 gauge=0.5"]
            assert said == "1 samples give no line: nan\n"
            lines, said = await preview("--match", selector, "--limit", "1", "--non-finite", "text", *place)
            assert len(lines) == 1
            assert said == "2 more lines\n"
            assert await preview("--match", "{job='x'}", *place) == ([], "no samples\n")
            assert await preview("--match", selector, "--to", "1000", *place) == ([], "no samples\n")
        assert bridge.stop() == 0
    lines, _ = await preview("--match", selector, "--mapping", "telegraf-rw", "--data", bridge.data)
    assert sorted(lines) == [
        "prometheus_remote_write,job=j,x=1 done_total=7",
        "prometheus_remote_write,job=j,x=2 load=0.5",
    ]


@pytest.mark.parametrize(
    "query", ["mapping=x", "limit=0", "limit=x", "match[]={", "start=x", "sentinel=x", "stale=keep"]
)
async def test_a_bad_question_is_refused_with_a_reason(tmp_path: Path, query: str) -> None:
    with BridgeProcess(tmp_path) as bridge:
        answer = bridge.request("GET", f"/api/v1/mapping/preview?{query}")
        assert answer.status == 400
        assert json.loads(answer.body)["errorType"] == "bad_data"
        assert bridge.request("POST", "/api/v1/mapping/preview").status == 405


CONFIG = """influxdb:
  - name: few
    url: http://127.0.0.1:9
    db: d
    mapping: telegraf-rw
    match: ['{job="j"}']
    write_relabel_configs:
      - {source_labels: [__name__], regex: load, action: drop}
      - {regex: job, action: labeldrop}
remote_write:
  - {name: other, url: "http://127.0.0.1:9/write"}
"""


async def test_a_sinks_own_lines_are_those_that_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "bridge.yml").write_text(CONFIG)
    selector = '{__name__=~"done.*|load"}'
    with BridgeProcess(tmp_path, config=CONFIG) as bridge:
        assert bridge.request("PUT", "/metrics/job/j", TEXT).status == 200
        directory = ("--data", bridge.data, "--config", tmp_path / "bridge.yml")
        for place in (directory, ("--url", f"http://127.0.0.1:{bridge.port}")):
            lines, said = await preview("--match", selector, "--sink", "few", *place)
            assert lines == ["prometheus_remote_write,x=1 done_total=7"]
            assert said == "2 samples give no line: filtered\n"
            lines, _ = await preview("--match", selector, "--sink", "few", "--mapping", "prom-value", *place)
            assert lines == ["done_total,x=1 value=7"]
            for name in ("other", "none"):
                ran = await pushbridge("mapping", "preview", "--sink", name, *place)
                assert ran.code != 0
                assert name in ran.err
        assert bridge.stop() == 0
    ran = await pushbridge("mapping", "preview", "--sink", "few", "--data", bridge.data)
    assert ran.code != 0
    assert "--sink needs --config" in ran.err


async def test_a_wrong_address_is_told(tmp_path: Path) -> None:
    ran = await pushbridge("mapping", "preview", "--url", "http://127.0.0.1:1")
    assert ran.code == 1
    assert "127.0.0.1:1" in ran.err
    ran = await pushbridge("mapping", "preview", "--data", tmp_path / "none")
    assert ran.code == 1
    assert "holds no store" in ran.err
