"""`pushbridge query` against a bridge in its own process, and against a directory beside it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator

import pytest

from tests.api.asking import write
from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

NOW = int(time.time()) * 1000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """A load of two hosts, every 15 s in the last five minutes."""
    with BridgeProcess(tmp_path_factory.mktemp("query")) as process:
        for n in range(20, -1, -1):
            t = NOW - n * 15_000
            write(process, f"load,host=a value={n} {t}", f"load,host=b\\,c value={2 * n} {t}")
        yield process


@pytest.mark.parametrize("where", ["--url", "--data"])
async def test_series_and_labels(bridge: BridgeProcess, where: str) -> None:
    source = [where, bridge.url if where == "--url" else bridge.data]
    ran = await pushbridge("query", "series", "load", *source)
    assert ran.out == 'load{host="a"}\nload{host="b,c"}\n'
    ran = await pushbridge("query", "series", 'load{host="a"}', "nothing", *source, "-o", "json")
    assert json.loads(ran.out) == [{"__name__": "load", "host": "a"}]
    ran = await pushbridge("query", "series", "load", "-o", "csv", *source)
    assert list(csv.reader(io.StringIO(ran.out))) == [["__name__", "host"], ["load", "a"], ["load", "b,c"]]
    ran = await pushbridge("query", "series", "load", "--end", "1000", *source)
    assert (ran.code, ran.out) == (0, "")
    ran = await pushbridge("query", "labels", *source)
    assert ran.out == "__name__\nhost\n"
    ran = await pushbridge("query", "labels", "host", "--match", 'load{host!="a"}', *source)
    assert ran.out == "b,c\n"
    ran = await pushbridge("query", "series", "load{", *source)
    assert (ran.code, ran.out) == (1, "")
    assert "parse error: unexpected end of input inside braces" in ran.err


async def test_who_cannot_be_asked(bridge: BridgeProcess) -> None:
    ran = await pushbridge("query", "series", "load", "--url", "http://127.0.0.1:1")
    assert ran.code == 1
    assert ran.err.startswith("Error: http://127.0.0.1:1: ")
    ran = await pushbridge("query", "labels", "--url", f"{bridge.url}/elsewhere")
    assert (ran.code, "404" in ran.err) == (1, True)
    ran = await pushbridge("query", "labels", "--data", bridge.folder / "nothing")
    assert ran.err == f"Error: {bridge.folder / 'nothing'} holds no store\n"


@pytest.mark.parametrize("where", ["--url", "--data"])
async def test_values_at_one_time(bridge: BridgeProcess, where: str) -> None:
    source = [where, bridge.url if where == "--url" else bridge.data]
    at = ["--time", str(NOW / 1000 - 15)]
    ran = await pushbridge("query", "instant", "load + 1", *at, *source)
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [['{host="a"}', "2"], ['{host="b,c"}', "3"]]
    ran = await pushbridge("query", "instant", "sum(load)", *at, *source, "-o", "json")
    assert json.loads(ran.out)["result"][0]["value"][1] == "3"
    ran = await pushbridge("query", "instant", "load", *at, *source, "-o", "csv")
    assert ran.out.splitlines() == [
        "__name__,host,time,value",
        f"load,a,{NOW / 1000 - 15:.3f},1",
        f'load,"b,c",{NOW / 1000 - 15:.3f},2',
    ]
    ran = await pushbridge("query", "instant", "1 + 1", *source)
    assert ran.out.split()[-2] == "2"
    ran = await pushbridge("query", "instant", "rate(load[1m])", *at, *source)
    assert "info: PromQL info: metric might not be a counter" in ran.err
    ran = await pushbridge("query", "instant", "load +", *source)
    assert (ran.code, ran.out) == (1, "")
    assert "parse error: unexpected end of input" in ran.err
    ran = await pushbridge("query", "instant", "nothing", *source)
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing found\n")


@pytest.mark.parametrize("where", ["--url", "--data"])
async def test_values_over_time(bridge: BridgeProcess, where: str) -> None:
    source = [where, bridge.url if where == "--url" else bridge.data]
    span = ["--start", str(NOW / 1000 - 300), "--end", str(NOW / 1000), "--step", "15s"]
    ran = await pushbridge("query", "range", "load", *span, *source)
    rows = [line.split() for line in ran.out.splitlines()]
    assert ['load{host="a"}', "21", "0", "10", "20", "0"] in rows
    assert ['load{host="b,c"}', "21", "0", "20", "40", "0"] in rows
    drawn = [line for line in ran.out.splitlines() if "┤" in line]
    assert (len(drawn), drawn[0].split("┤")[0].strip(), drawn[-1].split("┤")[0].strip()) == (10, "40", "0")
    assert any("\u2801" <= character <= "\u28ff" for character in ran.out)
    ran = await pushbridge("query", "range", "load", *span, *source, "-o", "csv")
    assert len(ran.out.splitlines()) == 1 + 2 * 21
    ran = await pushbridge("query", "range", "load", "--start", "5", "--end", "5", *source)
    assert (ran.code, "--start is not before --end" in ran.err) == (2, True)
    ran = await pushbridge("query", "range", "load", *span[:4], "--step", "x", *source)
    assert ran.code == 2
