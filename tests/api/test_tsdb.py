"""The administration of blocks over HTTP, with what Prometheus 2.42 answers."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api import BlockStatus, TsdbAdmin
from bridge.buffer.administration import Administration
from bridge.buffer.deletions import Deletions
from bridge.buffer.maintenance import Maintenance
from bridge.clock import SystemClock
from bridge.config import Retention, Storage
from bridge.edge import Answering, Gate
from tests.buffer.block_model import Workshop
from tests.buffer.faults import FaultyFiles
from tests.buffer.memory_model import MemoryModel

pytestmark = pytest.mark.anyio

ADMIN = "/api/v1/admin/tsdb/"


class Endpoint:
    """An ASGI callable as a route of Starlette's router."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


@asynccontextmanager
async def serving(
    tmp_path: Path, *, enabled: bool = True, files: FaultyFiles | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, Workshop]]:
    """Three blocks of series a and b over [0, 60) ms, and one sample in memory."""
    (tmp_path / "tsdb").mkdir()
    shop = Workshop(tmp_path / "tsdb", files)
    for start in (0, 20, 40):
        shop.cut(start, start + 20, "a", "b")
    async with administering(tmp_path, shop, enabled=enabled) as client:
        yield client, shop


@asynccontextmanager
async def administering(tmp_path: Path, shop: Workshop, *, enabled: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    memory, clock, settings = MemoryModel(("a", 65)), SystemClock(), Storage(retention=Retention(time="0s"))
    keeper = Maintenance(shop.blocks, memory, shop.compactor, settings, files=shop.files, metrics=shop.metrics)
    store = Administration(
        shop.blocks,
        memory,
        keeper,
        Deletions(shop.blocks, shop.compactor, clock=clock, metrics=shop.metrics),
        files=shop.files,
        snapshots=tmp_path / "tsdb" / "snapshots",
        clock=clock,
    )
    admin = TsdbAdmin(store, Gate(1 << 20), enabled=enabled)
    apps: dict[str, ASGIApp] = {
        ADMIN + "delete_series": admin.delete_series,
        ADMIN + "clean_tombstones": admin.clean_tombstones,
        ADMIN + "snapshot": admin.snapshot,
        "/api/v1/status/tsdb/blocks": BlockStatus(lambda: [block.meta.document() for block in shop.blocks.loaded]),
    }
    app = Answering(Router([Route(path, Endpoint(app)) for path, app in apps.items()]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client
    keeper.close()


def bad(text: str) -> dict[str, Any]:
    return {"status": "error", "errorType": "bad_data", "error": text}


async def test_the_blocks_are_their_metas(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, shop):
        answer = await client.get("/api/v1/status/tsdb/blocks")
        assert answer.status_code == 200
        blocks = answer.json()["data"]["blocks"]
        assert [(block["ulid"], block["minTime"], block["maxTime"]) for block in blocks] == [
            (block.meta.ulid, block.meta.mint, block.meta.maxt) for block in shop.blocks.loaded
        ]
        assert blocks[0]["stats"] == {"numSamples": 8, "numFloatSamples": 8, "numSeries": 2, "numChunks": 2}
        assert (await client.post("/api/v1/status/tsdb/blocks")).status_code == 405


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_series_are_deleted_by_selector_and_time(tmp_path: Path, method: str) -> None:
    async with serving(tmp_path) as (client, shop):
        answer = await client.request(
            method, ADMIN + "delete_series", params={"match[]": ["a", "b"], "start": "0.010", "end": "0.029"}
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert {t for _, t in shop.samples()} == {0, 5, 30, 35, 40, 45, 50, 55}
        answer = await client.request(method, ADMIN + "clean_tombstones")
        assert (answer.status_code, answer.content) == (204, b"")
        assert {t for _, t in shop.samples()} == {0, 5, 30, 35, 40, 45, 50, 55}
        assert not any(block.reader.tombstones for block in shop.blocks.loaded)


async def test_a_form_may_come_in_the_body(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, shop):
        answer = await client.post(ADMIN + "delete_series?start=1970-01-01T00:00:00.020Z", data={"match[]": "a"})
        assert answer.status_code == 204
        assert {t for name, t in shop.samples() if name == "a"} == {0, 5, 10, 15}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("delete_series", "no match[] parameter provided"),
        ("delete_series?match[]=a{", 'invalid parameter "match[]": '),
        ("delete_series?match[]=a&match[]={__name__=~'x'}", 'invalid parameter "match[]": unknown operator =~'),
        ("delete_series?match[]=b&start=x", 'invalid parameter "start": not a valid time: "x"'),
        ("delete_series?match[]=b&end=x", 'invalid parameter "end": not a valid time: "x"'),
        ("delete_series?match[]=b&start=5&end=4", "end timestamp must not be before start time"),
        ("delete_series?match[]=b&match[]=%ff", "error parsing form values: "),
        ("snapshot?skip_head=maybe", 'invalid parameter "skip_head": unable to parse boolean: "maybe"'),
    ],
)
async def test_what_makes_no_sense_is_refused(tmp_path: Path, path: str, text: str) -> None:
    async with serving(tmp_path) as (client, shop):
        before = {sample for sample in shop.samples() if sample[0] == "b"}
        answer = await client.post(ADMIN + path)
        assert answer.status_code == 400
        assert answer.json() == bad(answer.json()["error"])
        assert answer.json()["error"].startswith(text)
        assert before <= shop.samples()


async def test_a_snapshot_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, shop):
        answer = await client.post(ADMIN + "snapshot")
        assert answer.status_code == 200
        name = answer.json()["data"]["name"]
        copy = Workshop(tmp_path / "tsdb" / "snapshots" / name)
        assert copy.samples() == shop.samples() | {("a", 65)}
        answer = await client.put(ADMIN + "snapshot?skip_head=true")
        copy = Workshop(tmp_path / "tsdb" / "snapshots" / answer.json()["data"]["name"])
        assert copy.samples() == shop.samples()


@pytest.mark.parametrize("path", ["delete_series?match[]=a", "clean_tombstones", "snapshot"])
async def test_only_who_may(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, enabled=False) as (client, shop):
        before = shop.samples()
        answer = await client.post(ADMIN + path)
        assert answer.status_code == 500
        assert answer.json() == {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"}
        assert shop.samples() == before
        answer = await client.get(ADMIN + path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, PUT")


async def test_a_damaged_block_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, _):
        await client.post(ADMIN + "delete_series?match[]=a")
        for chunks in (tmp_path / "tsdb").glob("*/chunks/000002"):
            chunks.write_bytes(b"[")
        async with administering(tmp_path, Workshop(tmp_path / "tsdb")) as again:
            answer = await again.post(ADMIN + "clean_tombstones")
            assert answer.status_code == 500
            assert answer.json()["errorType"] == "internal"
            assert "Expecting value" in answer.json()["error"]


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with serving(tmp_path, files=files) as (client, shop):
        before = shop.samples()
        files.break_down("create", error=errno.ENOSPC)
        answer = await client.post(ADMIN + "delete_series?match[]=a")
        assert answer.status_code == 500
        assert answer.json() == {
            "status": "error",
            "errorType": "internal",
            "error": "[Errno 28] No space left on device",
        }
        assert shop.samples() == before
