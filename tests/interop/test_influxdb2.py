"""What only InfluxDB 2 has: organizations, and buckets in them. It was run with 2.8.0."""

from __future__ import annotations

from pathlib import Path

import pytest
from anyio import to_thread

from tests.edge.serving import until
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import rig
from tests.interop.influxdbs import Influxd2
from tests.interop.test_influxdb import HOUR, NOW

pytestmark = [
    pytest.mark.interop,
    pytest.mark.anyio,
    pytest.mark.parametrize("influxd", [Influxd2], ids=["2"], indirect=True),
]


async def test_a_bucket_that_is_not_there_is_made_in_its_organization(influxd: Influxd2, tmp_path: Path) -> None:
    influxd.call("POST", "/api/v2/orgs", {"name": "other"})
    influxd.make("new", org="other", hours=1)
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **influxd.sink("new", auto_create="true")) as r:
        await r.push(3, time=NOW - 2 * HOUR)
        await r.drained()
        assert len(await to_thread.run_sync(influxd.points, "m", "new")) == 3
        assert await to_thread.run_sync(influxd.points, "m", "new", "other") == []


async def test_a_bucket_that_is_not_there_is_waited_for(influxd: Influxd2, tmp_path: Path) -> None:
    async with rig(tmp_path / "bridge", FakeInflux(version=2), **influxd.sink("later")) as r:
        await r.push(3)
        await until(lambda: r.sink.status().state == "held")
        assert 'bucket "later" not found' in r.sink.status().problem
        await to_thread.run_sync(influxd.make, "later")
        await r.drained()
        assert len(await to_thread.run_sync(influxd.points, "m", "later")) == 3
