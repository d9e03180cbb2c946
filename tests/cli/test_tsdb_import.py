"""`pushbridge tsdb import`, `list` and `analyze`, without a peer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import pushbridge

pytestmark = pytest.mark.anyio

TEXT = b"""\
# TYPE up gauge
up{job="a"} 1 1699990000
up{job="a"} 0 1699990015.5
up{job="b"} 1 1699997200
# EOF
"""


def metas(data: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted((data / "tsdb").glob("*/meta.json"))]


async def test_text_from_standard_input(tmp_path: Path) -> None:
    ran = await pushbridge("tsdb", "import", "openmetrics", "-", "--data", tmp_path, stdin=TEXT)
    assert (ran.code, ran.err) == (0, "3 samples in 2 blocks\n")
    assert [line.split()[1:] for line in ran.out.splitlines()[1:]] == [
        ["1699990000000", "1699990015501", "15.501s", "2", "1", "1", ran.out.splitlines()[1].split()[-1]],
        ["1699997200000", "1699997200001", "1ms", "1", "1", "1", ran.out.splitlines()[2].split()[-1]],
    ]
    listed = await pushbridge("tsdb", "list", "--data", tmp_path, "--blocks-only")
    assert (listed.code, listed.out) == (0, ran.out)
    assert not list((tmp_path / "import").iterdir())
    analyzed = await pushbridge("tsdb", "analyze", "--data", tmp_path, "--limit", "1")
    assert "Most common label pairs:\n1 __name__=up\n\n" in analyzed.out


async def test_blocks_do_not_say_that_the_log_need_not_be_read(tmp_path: Path) -> None:
    assert (await pushbridge("tsdb", "import", "openmetrics", "-", "--data", tmp_path, stdin=TEXT)).code == 0
    for meta in metas(tmp_path):
        assert meta["compaction"]["hints"] == ["from-out-of-order"]  # type: ignore[index]


async def test_line_protocol_with_its_precision(tmp_path: Path) -> None:
    text = b'cpu,host=a user=1i,idle=2,note="x" 1699990000\n'
    ran = await pushbridge("tsdb", "import", "line-protocol", "-", "--precision", "s", "--data", tmp_path, stdin=text)
    assert (ran.code, ran.err) == (0, "2 samples in 1 block\n1 text fields left out: they are no samples\n")
    (meta,) = metas(tmp_path)
    assert (meta["minTime"], meta["maxTime"]) == (1699990000000, 1699990000001)


async def test_longer_blocks(tmp_path: Path) -> None:
    for longest, blocks in (("2h", 2), ("5h59m", 2), ("6h", 1), ("1000d", 1)):
        data = tmp_path / longest
        options = ("--data", data, "--max-block-duration", longest)
        assert (await pushbridge("tsdb", "import", "openmetrics", "-", *options, stdin=TEXT)).code == 0
        assert len(metas(data)) == blocks, longest


async def test_samples_of_one_time(tmp_path: Path) -> None:
    text = b"up 1 5\nup 1 6\nup 2 5\nup 1 5\n# EOF\n"
    ran = await pushbridge("tsdb", "import", "openmetrics", "-", "-q", "--data", tmp_path, stdin=text)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "2 samples in 1 block\n"
        "1 samples came more than once and are kept once\n"
        "1 samples left out: an earlier one of their series has another value at their time\n"
    )


async def test_a_text_with_an_error_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "history.om"
    for text, problem in (
        (TEXT.replace(b"} 1 1699990000", b"} 1"), "2: the sample has no timestamp, which backfill needs: up"),
        (TEXT.removesuffix(b"# EOF\n"), '5: the text does not end with "# EOF": it may have been cut'),
        (TEXT.replace(b"} 0", b"} x"), "3: the value is not a number: up"),
    ):
        file.write_bytes(text)
        ran = await pushbridge("tsdb", "import", "openmetrics", file, "--data", tmp_path / "data")
        assert ran.code == 1
        assert ran.err.startswith(f"Error: {file}:{problem}")
        assert ran.err.endswith("\nNothing was imported.\n")
        assert metas(tmp_path / "data") == []
        assert list((tmp_path / "data" / "import").iterdir()) == []


async def test_what_is_refused(tmp_path: Path) -> None:
    for arguments, code, problem in (
        (("import", "openmetrics", tmp_path / "missing"), 1, f"{tmp_path / 'missing'}: No such file"),
        (("import", "openmetrics", "-", "--max-block-duration", "x"), 2, 'not a valid duration string: "x"'),
        (("import", "line-protocol", "-", "--precision", "x"), 2, "'x' is not one of"),
        (("list",), 1, f"{tmp_path} holds no store"),
        (("analyze",), 1, f"{tmp_path} holds no store"),
    ):
        ran = await pushbridge("tsdb", *arguments, "--data", tmp_path)
        assert ran.code == code, arguments
        assert problem in ran.err


async def test_directories_that_are_no_blocks_are_named(tmp_path: Path) -> None:
    assert (await pushbridge("tsdb", "import", "openmetrics", "-", "--data", tmp_path, stdin=TEXT)).code == 0
    first, second = sorted((tmp_path / "tsdb").iterdir())
    (first / "meta.json").unlink()
    (second / "meta.json").write_text("{")
    ran = await pushbridge("tsdb", "list", "--data", tmp_path)
    assert ran.code == 1
    assert [line.split(": ")[0] for line in ran.err.splitlines()] == [str(first), str(second / "meta.json")]
    ran = await pushbridge("tsdb", "analyze", "--data", tmp_path)
    assert (ran.code, "has no blocks yet" in ran.err) == (1, True)
