"""`pushbridge replay`, beside a running store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from bridge.cli.moment import instant
from tests.cli.running import Ran, pushbridge
from tests.edge.serving import serving, until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio

CONFIG = """
storage: {{path: {path}}}
influxdb:
  - {{name: main, url: "http://127.0.0.1:1", db: d}}
  - {{name: second, url: "http://127.0.0.1:{port}", bucket: b, batch_samples: 5}}
"""


class Place:
    """A store in use, a configuration, and a sink to replay to."""

    def __init__(self, r: Rig, fake: FakeInflux, config: Path) -> None:
        self.rig = r
        self.fake = fake
        self.config = config
        self.progress = r.folder / "replay" / "second" / "progress.json"

    async def replay(self, *arguments: str) -> Ran:
        return await pushbridge("replay", "--config", self.config, "--sink", "second", *arguments)


@asynccontextmanager
async def place(folder: Path, fake: FakeInflux | None = None) -> AsyncIterator[Place]:
    fake = fake or FakeInflux(version=2)
    async with rig(folder / "data") as r, serving(fake) as port:
        for n in range(20):
            await r.push(10, time=1_700_000_000_000 + n * 60_000)
        config = folder / "bridge.yml"
        config.write_text(CONFIG.format(path=r.folder, port=port))
        yield Place(r, fake, config)


async def test_a_stretch_is_sent_again(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        ran = await p.replay("--from", "1700000060", "--to", "2023-11-14T22:16:20Z", "--match", 'm{n=~"[1-4]"}')
        assert (ran.code, ran.err) == (0, ""), ran
        assert ran.out == "12 sent\n0 refused\n0 unrepresentable\n"
        assert {key for key, _ in p.fake.points} == {f"m,n={n}" for n in range(1, 5)}
        assert {t for _, t in p.fake.points} == {1_700_000_000_000 + n * 60_000 for n in range(1, 4)}
        assert not p.progress.exists()


async def test_what_is_refused_is_told(tmp_path: Path) -> None:
    refusing = FakeInflux(
        version=2, conflicting=lambda line: "field type conflict" if line.startswith("m,n=7 ") else None
    )
    async with place(tmp_path, refusing) as p:
        ran = await p.replay("--from", "1700000000")
        assert ran.code == 1
        assert ran.out.splitlines()[:2] == ["180 sent", "20 refused"]
        assert "field type conflict" in ran.out


async def test_after_ctrl_c_the_same_command_goes_on(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        command = [sys.executable, "-m", "bridge", "replay", "--config", str(p.config), "--sink", "second"]
        arguments = ["--from", "1700000000", "--to", "1700003600"]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        process = subprocess.Popen(
            [*command, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        await until(lambda: len(p.fake.points) >= 100)
        p.fake.always = faults.answers(503)
        process.send_signal(signal.SIGINT)
        out, err = await anyio.to_thread.run_sync(process.communicate)
        assert process.returncode == 130, (out, err)
        assert "the same command goes on from 2023-11-14T22:" in err
        left = json.loads(p.progress.read_text())["state"]["left"]
        assert left[0][0] > 1_700_000_000_000

        other = await p.replay("--from", "1700000000")
        assert other.code == 1
        assert "another replay to this sink is not finished (--from 1700000000 --to 1700003600" in other.err

        p.fake.always = None
        ran = await p.replay(*arguments)
        assert (ran.code, ran.out.splitlines()[0]) == (0, "200 sent")
        assert len(p.fake.points) == 200


async def test_restart_forgets(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        p.progress.parent.mkdir(parents=True)
        p.progress.write_text("{}")
        damaged = await p.replay("--from", "1700000000")
        assert (damaged.code, "--restart" in damaged.err) == (1, True)
        ran = await p.replay("--from", "1700000000", "--restart")
        assert (ran.code, ran.out.splitlines()[0]) == (0, "200 sent")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "yesterday"], "not a valid time"),
        (["--from", "-24x"], "not a valid"),
        (["--from", "now", "--to", "-1h"], "later than --to"),
        (["--from", "-1h", "--match", "{"], "bad selector"),
        (["--from", "-1h", "--match", 'm{a=~"("}'], "("),
        (["--from", "-1h", "--sink", "third"], "no such sink: third (configured: main, second)"),
        (["--from", "-1h", "--data", "nowhere"], "nowhere holds no store"),
        ([], "Missing option '--from'"),
    ],
)
async def test_mistakes_are_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    async with place(tmp_path) as p:
        ran = await p.replay(*arguments)
        assert ran.code in {1, 2}
        assert told in ran.err
        assert "Traceback" not in ran.err


def test_times() -> None:
    assert instant("now", 5) == 5
    assert instant("-1d12h", 10**12) == 10**12 - 36 * 3_600_000
    assert instant("-5", 10**12) == -5_000, "Unix seconds before 1970"
    assert instant("1970-01-01T00:00:01Z", 0) == 1_000
    for wrong in ("", "-", "24h", "+1h", "-1h30", "then"):
        with pytest.raises(ValueError, match="not a valid"):
            instant(wrong, 0)
