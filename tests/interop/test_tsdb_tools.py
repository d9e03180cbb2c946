"""Our tools and Debian's promtool on the same blocks."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from tests.cli.running import pushbridge

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

Peer = Callable[[str], Path]


def lines_of_series(seed: int) -> list[list[str]]:
    """Some hours of series with odd labels and values, a list of lines each."""
    chance = random.Random(seed)
    values = ("0", "-0", "1e3", "NaN", "+Inf", "-Inf", "1e-300", "3.5", "123456789.123")
    found = []
    for metric in ("http_requests_total", "up", "a:b", "step_seconds_bucket"):
        for i in range(chance.choice((7, 11, 23))):
            odd = chance.choice(("", r',odd="x\\y\n\"} z"', ',empty=""', ',accent="é"'))
            series = f'{metric}{{instance="h{i % 5}",code="{200 + i}"{odd}}}'
            start, step = 1_700_000_000 + chance.randrange(9000), chance.choice((15, 60))
            found.append(
                [
                    f"{series} {chance.choice(values)} {start + k * step}.{chance.randrange(1000):03d}"
                    for k in range(chance.choice((1, 3, 50, 130, 700)))
                ]
            )
    return found


def by_series(seed: int) -> str:
    """The text as an exporter of history writes it."""
    return "\n".join(line for lines in lines_of_series(seed) for line in lines) + "\n# EOF\n"


def by_time(seed: int) -> str:
    """The same, ordered by time, with metadata between and exemplars behind."""
    rows = sorted((float(line.rsplit(" ", 1)[1]), line) for lines in lines_of_series(seed) for line in lines)
    text = "# HELP up Whether it is \\n up.\n"
    for i, (_, line) in enumerate(rows):
        if i % 100 == 0:
            text += "# TYPE step_seconds histogram\n# UNIT step_seconds seconds\n"
        text += line + (' # {trace_id="a} b"} 1.5 1700000000\n' if line.startswith("step_") else "\n")
    return text + "# EOF"


def run(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def promtool_dump(promtool: Path, directory: Path) -> list[str]:
    (directory / "wal").mkdir(exist_ok=True)  # without one it refuses times that blocks do not cover
    return sorted(run(promtool, "tsdb", "dump", directory).splitlines())


@pytest.mark.parametrize("make", [by_series, by_time])
@pytest.mark.parametrize("longest", ["2h", "20h"])
async def test_import_gives_the_blocks_that_promtool_makes(
    peer: Peer, tmp_path: Path, make: Callable[[int], str], longest: str
) -> None:
    promtool, text = peer("promtool"), tmp_path / "history.om"
    text.write_text(make(1))
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", text, tmp_path / "theirs")
    ran = await pushbridge("tsdb", "import", "openmetrics", text, "--data", tmp_path, "--max-block-duration", longest)
    assert (ran.code, ran.err.splitlines()[1:]) == (0, [])
    theirs = promtool_dump(promtool, tmp_path / "theirs")
    assert promtool_dump(promtool, tmp_path / "tsdb") == theirs
    assert ran.err.split()[0] == str(len(theirs))
    for block in (tmp_path / "tsdb").glob("01*"):
        assert run(promtool, "tsdb", "analyze", "--extended", tmp_path / "tsdb", block.name)


async def test_list_prints_what_promtool_prints(peer: Peer, tmp_path: Path) -> None:
    promtool, text = peer("promtool"), tmp_path / "history.om"
    text.write_text(by_series(2))
    printed = (await pushbridge("tsdb", "import", "openmetrics", text, "--data", tmp_path)).out
    for options in ((), ("-r",)):
        ours = await pushbridge("tsdb", "list", "--data", tmp_path, "--blocks-only", *options)
        theirs = run(promtool, "tsdb", "list", *options, tmp_path / "tsdb")
        assert (ours.code, ours.out) == (0, theirs)
        if not options:
            assert printed == theirs


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Title and lines. Lines of one figure come in any order from promtool, which sorts by the figure only."""
    for part in text.split("\n\n"):
        title, _, rest = part.partition("\n")
        yield title, rest.splitlines()


def figures(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines]


async def test_analyze_finds_what_promtool_finds(peer: Peer, tmp_path: Path) -> None:
    promtool, text = peer("promtool"), tmp_path / "history.om"
    text.write_text(by_series(3).replace(r"\n", ""))  # a line of the output is a line of a list
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", text, tmp_path / "tsdb")
    blocks = [path.name for path in sorted((tmp_path / "tsdb").glob("01*"))]
    assert len(blocks) > 1
    for block in blocks:
        theirs = run(promtool, "tsdb", "analyze", "--extended", "--limit", "100", tmp_path / "tsdb", block)
        theirs = theirs.replace("\nSeries:", "\nTotal Series:")  # as it was called by 2.42
        ours = await pushbridge("tsdb", "analyze", "--data", tmp_path, "--block", block, "--limit", "100")
        assert ours.code == 0
        for (title, mine), (other, yours) in zip(sections(ours.out), sections(theirs), strict=True):
            assert title == other
            if title.endswith(":") and title != "Compaction analysis:":
                assert sorted(mine) == sorted(yours)
                assert all(before >= after for before, after in pairwise(figures(mine)))
            else:
                assert mine == yours
    last = await pushbridge("tsdb", "analyze", "--data", tmp_path)
    assert last.out.startswith(f"Block ID: {blocks[-1]}\n")


async def test_a_prometheus_reads_the_blocks_at_its_start(peer: Peer, tmp_path: Path) -> None:
    prometheus, text = peer("prometheus"), tmp_path / "history.om"
    text.write_text(by_series(4))
    assert (await pushbridge("tsdb", "import", "openmetrics", text, "--data", tmp_path)).code == 0
    (tmp_path / "prometheus.yml").write_text("{}")
    command = [
        str(prometheus),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
        "--log.level=debug",
    ]
    async with await anyio.open_process(command, stdout=None) as process:
        assert process.stderr is not None
        log = b""
        with anyio.fail_after(30):
            async for piece in process.stderr:
                log += piece
                if b"Server is ready" in log:
                    break
        process.terminate()
    assert log.count(b"Found healthy block") == len(list((tmp_path / "tsdb").glob("01*")))
    assert b"level=error" not in log


async def test_promtool_reads_what_is_exported(peer: Peer, tmp_path: Path) -> None:
    promtool, text = peer("promtool"), tmp_path / "history.om"
    text.write_text(by_series(5))
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", text, tmp_path / "theirs")
    assert (await pushbridge("tsdb", "import", "tsdb", tmp_path / "theirs", "--data", tmp_path / "ours")).code == 0
    exported = await pushbridge("tsdb", "export", "--data", tmp_path / "ours")
    (tmp_path / "again.om").write_text(exported.out)
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", tmp_path / "again.om", tmp_path / "again")
    theirs = promtool_dump(promtool, tmp_path / "theirs")
    assert promtool_dump(promtool, tmp_path / "again") == theirs
    assert promtool_dump(promtool, tmp_path / "ours" / "tsdb") == theirs
    ours = await pushbridge("tsdb", "dump", "--data", tmp_path / "ours")
    assert sorted(ours.out.splitlines()) == theirs
