"""`pushbridge tsdb export`, `dump` and `import tsdb`: what comes out can go in again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

ODD = r"""# a text of other times beside what the log holds
odd{label="x\"\\\n} z"} -0 1000000000.001
odd{label="x\"\\\n} z"} 1e-300 1000000000.005
odd{label="é"} NaN -1.005
odd +Inf 1234567890.123
odd -Inf 1234567890.999
{"my.metric","a.b"="c"} 1 2000000000
"""


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A store with samples in its log and in blocks."""
    with BridgeProcess(tmp_path) as bridge:
        for n in range(20):
            assert bridge.request("PUT", f"/metrics/job/j{n}", f"x {n}.5\ny 2\n").status == 200
        assert bridge.request("PUT", "/metrics/job/j1", "x 1\n").status == 200
        text = ODD.split("\n", 1)[1] + "# EOF\n"
        ran = await pushbridge("tsdb", "import", "openmetrics", "-", "--data", bridge.data, stdin=text.encode())
        assert (ran.code, ran.err) == (0, "6 samples in 4 blocks\n")
        assert bridge.stop() == 0
    return bridge.data


async def dump(data: Path, *options: str) -> list[str]:
    ran = await pushbridge("tsdb", "dump", "--data", data, *options)
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


async def test_dump_shows_log_and_blocks(data: Path) -> None:
    lines = await dump(data)
    assert len(lines) > 6 + 40
    assert r'{__name__="odd", label="x\"\\\n} z"} -0 1000000000001' in lines
    assert '{__name__="odd", label="é"} NaN -1004' in lines  # cut off, as Prometheus does
    assert '{__name__="x", job="j7"} 7.5' in "\n".join(lines)
    assert await dump(data, "--match", "odd", "--from", "1234567890.123", "--to", "1234567890.5") == [
        '{__name__="odd"} +Inf 1234567890123'
    ]


async def test_openmetrics_comes_back(data: Path, tmp_path: Path) -> None:
    exported = await pushbridge("tsdb", "export", "--data", data)
    assert (exported.code, exported.err) == (0, "")
    assert exported.out.endswith("\n# EOF\n")
    other = tmp_path / "other"
    ran = await pushbridge("tsdb", "import", "openmetrics", "-", "--data", other, stdin=exported.out.encode())
    assert ran.code == 0, ran.err
    assert await dump(other) == await dump(data)


async def test_line_protocol_comes_back_but_for_what_it_cannot_carry(data: Path, tmp_path: Path) -> None:
    exported = await pushbridge("tsdb", "export", "--format", "line-protocol", "--data", data)
    assert exported.code == 0
    assert "1 samples left out: NaN\n2 samples left out: infinite values\n" in exported.err
    other = tmp_path / "other"
    command = ("tsdb", "import", "line-protocol", "-", "--precision", "ms", "--data", other)
    assert (await pushbridge(*command, stdin=exported.out.encode())).code == 0
    kept = [line for line in await dump(data) if line.split()[-2] not in {"NaN", "+Inf", "-Inf"}]
    assert await dump(other) == kept


async def test_json(data: Path) -> None:
    exported = await pushbridge("tsdb", "export", "--format", "jsonl", "--data", data, "--match", '{label!=""}')
    assert [json.loads(line) for line in exported.out.splitlines()] == [
        {
            "metric": {"__name__": "odd", "label": 'x"\\\n} z'},
            "values": [-0.0, 1e-300],
            "timestamps": [1000000000001, 1000000000005],
        },
        {"metric": {"__name__": "odd", "label": "é"}, "values": [None], "timestamps": [-1004]},
    ]


async def test_another_directory_is_imported_with_its_log(data: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert (await pushbridge("tsdb", "import", "tsdb", data, "--data", whole)).code == 0
    assert await dump(whole) == await dump(data)
    window = ("--match", '{job=~"j1|j2"}', "--from", "2001-01-01T00:00:00Z")
    assert (await pushbridge("tsdb", "import", "tsdb", data / "tsdb", "--data", part, *window)).code == 0
    assert await dump(part) == await dump(data, *window)
    assert len(await dump(part)) > 4


async def test_no_directory_no_samples(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = await pushbridge("tsdb", "import", "tsdb", tmp_path / "empty", "--data", tmp_path / "data")
    assert (ran.code, "holds no samples" in ran.err) == (1, True)
    ran = await pushbridge("tsdb", "export", "--data", tmp_path)
    assert (ran.code, ran.err) == (1, f"Error: {tmp_path} holds no store\n")
