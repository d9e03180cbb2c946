"""`pushbridge tsdb verify` on sound and on damaged files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess
from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

LINE = re.compile(r"(.+): offset (\d+)(?:, (\d+) bytes)?: (.+)")


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A store with a log and a block, closed."""
    with BridgeProcess(tmp_path) as bridge:
        for n in range(50):
            assert bridge.request("PUT", f"/metrics/job/j{n}", "x 1\ny 2\n").status == 200
        ran = await pushbridge("tsdb", "verify", "--data", bridge.data)
        assert (ran.code, ran.out) == (0, ""), "beside a running bridge"
        assert bridge.stop() == 0
    text = "".join(f'up{{n="{n}"}} {t} {1_700_000_000 + t}\n' for n in range(20) for t in range(0, 3000, 15))
    text += "# EOF\n"
    assert (
        await pushbridge("tsdb", "import", "openmetrics", "-", "--data", bridge.data, stdin=text.encode())
    ).code == 0
    return bridge.data


async def test_a_sound_store(data: Path) -> None:
    ran = await pushbridge("tsdb", "verify", "--data", data)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("read, no damage\n")


@pytest.mark.parametrize("kind", ["0*/index", "0*/chunks/000001", "0*/tombstones", "wal/0*"])
async def test_a_flipped_byte_is_in_the_range_that_is_named(data: Path, kind: str) -> None:
    (path,) = [path for path in (data / "tsdb").glob(kind) if path.suffix == ""]
    sound = path.read_bytes()
    used = len(sound.rstrip(b"\0"))
    for at in {0, used // 3, used // 2, used - 1}:
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x55]) + sound[at + 1 :])
        ran = await pushbridge("tsdb", "verify", "--data", data)
        assert ran.code == 1
        found = [LINE.fullmatch(line) for line in ran.out.splitlines()]
        ranges = [(int(m[2]), int(m[3] or 1)) for m in found if m is not None and m[1] == str(path)]
        assert any(offset <= at < offset + length for offset, length in ranges), (at, ran.out)
    path.write_bytes(sound)


async def test_what_is_missing_is_named(data: Path) -> None:
    (block,) = (data / "tsdb").glob("0*/meta.json")
    wrong = block.read_text().replace('"numSeries": 20', '"numSeries": 21')
    for change, problem in (
        ((block.parent / "index").unlink, "index: offset 0: the file is missing"),
        (lambda: block.write_text(wrong), "it says that there are 21 series, and there are 20"),
        (block.unlink, "without meta.json this is no block"),
    ):
        copy = data.with_name("copy")
        shutil.copytree(data, copy)
        change()
        ran = await pushbridge("tsdb", "verify", "--data", data)
        assert ran.code == 1
        assert problem in ran.out
        shutil.rmtree(data)
        copy.rename(data)


async def test_no_store(tmp_path: Path) -> None:
    ran = await pushbridge("tsdb", "verify", "--data", tmp_path)
    assert (ran.code, ran.err) == (1, f"Error: {tmp_path} holds no store\n")
