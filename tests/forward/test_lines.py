"""Samples that share a line or need none: the account, the dead letters and the sink agree all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.native import Batch
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import Rig, rig

pytestmark = pytest.mark.anyio


def fields_of(fake: FakeInflux) -> dict[tuple[str, int, str], float]:
    """(series, time, field) -> value of all that the sink was sent and took."""
    found = {}
    for (series, time), fields in fake.points.items():
        for pair in fields.split(","):
            key, _, value = pair.rpartition("=")
            found[series, time, key] = float(value)
    return found


async def push(r: Rig, t: int, metrics: int = 5) -> None:
    rows: list[tuple[dict[str, str], int | None, float]] = [
        ({"__name__": f"m{n}", "x": str(x)}, t, float(t + n)) for n in range(metrics) for x in range(3)
    ]
    await r.store.append(Batch.from_rows(rows, t))


class Merging(FakeInflux):
    """Fields of one point that come in several requests become one point."""

    def store(self, line: str) -> None:
        series, fields, time = line.rsplit(" ", 2)
        have = dict(pair.rsplit("=", 1) for pair in self.points.get((series, int(time)), "").split(",") if pair)
        have |= dict(pair.rsplit("=", 1) for pair in fields.split(","))
        self.points[series, int(time)] = ",".join(f"{key}={value}" for key, value in have.items())


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("mapping", ["telegraf-rw", "telegraf-v1", "telegraf-v2", "otel-v1"])
async def test_every_sample_arrives_whatever_lines_they_share(tmp_path: Path, version: Any, mapping: str) -> None:
    async with rig(tmp_path, Merging(version=version), mapping=mapping) as r:
        for t in range(1, 8):
            await push(r, t)
        await r.drained()
        status = r.sink.status()
        assert status.identity_holds
        assert (status.account.sent, len(fields_of(r.fake))) == (105, 105)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("kind", ["conflicting", "unparsable"])
async def test_a_field_that_a_sink_refuses_costs_the_others_of_its_line_nothing(
    tmp_path: Path, version: Any, kind: str
) -> None:
    fake = Merging(version=version)
    setattr(fake, kind, lambda line: "field type conflict" if "m3=" in line else None)
    async with rig(tmp_path, fake, mapping="telegraf-rw") as r:
        for t in range(1, 5):
            await push(r, t)
        await r.drained()
        account = r.sink.status().account
        assert r.sink.status().identity_holds
        assert (account.sent, account.dead_lettered) == (48, 12)
        letters = list(r.letters.letters())
        assert len(letters) == 12
        assert all(" m3=" in letter.line and "," not in letter.line.split(" ")[1] for letter in letters)
        assert len(fields_of(fake)) == 48
