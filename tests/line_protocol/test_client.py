"""A real client writes to us as it would to InfluxDB 2, and to InfluxDB 1.8 through its compatibility API."""

from __future__ import annotations

from pathlib import Path

import pytest
from anyio import to_thread
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from tests.line_protocol.edge import edge

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("gzip", [True, False])
async def test_influxdb_client_writes_points(tmp_path: Path, gzip: bool) -> None:
    async with edge(tmp_path) as e:

        def write() -> None:
            with InfluxDBClient(e.url, token="user:password", org="o", enable_gzip=gzip) as client:
                assert client.ping()
                points = [
                    {
                        "measurement": "cpu",
                        "tags": {"host": f"h {n}"},
                        "fields": {"usage": n / 2, "busy": True},
                        "time": n,
                    }
                    for n in range(3)
                ]
                client.write_api(write_options=SYNCHRONOUS).write("d/autogen", record=points, write_precision="s")

        await to_thread.run_sync(write)
        assert len(e.lines) == 6
        assert '{__name__="cpu_usage", host="h 1"} 0.5 1000' in e.lines


async def test_influxdb_client_shows_what_is_wrong(tmp_path: Path) -> None:
    async with edge(tmp_path) as e:

        def write() -> None:
            with InfluxDBClient(e.url, token="t", org="o") as client:
                client.write_api(write_options=SYNCHRONOUS).write("b", record=b"cpu v=")

        with pytest.raises(ApiException) as caught:
            await to_thread.run_sync(write)
        assert caught.value.status == 400
        assert caught.value.message == "unable to parse 'cpu v=': missing field value (line 1)"
