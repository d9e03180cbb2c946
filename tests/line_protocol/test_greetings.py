"""What clients ask before they write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.line_protocol.edge import edge

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_ping(tmp_path: Path, method: str) -> None:
    async with edge(tmp_path) as e, e.session.request(method, "/ping?verbose=true") as response:
        assert (response.status, response.headers["X-Influxdb-Version"]) == (204, "1.8.10")


async def test_health(tmp_path: Path) -> None:
    async with edge(tmp_path) as e, e.session.get("/health") as response:
        assert (response.status, (await response.json())["status"]) == (200, "pass")


QUERIES = [
    ({"q": 'CREATE DATABASE "telegraf"'}, {"statement_id": 0}),
    ({"q": 'create retention policy "r" on "d" duration 1d replication 1 default'}, {"statement_id": 0}),
    (
        {"q": "SHOW DATABASES", "db": "d"},
        {"statement_id": 0, "series": [{"name": "databases", "columns": ["name"], "values": [["d"]]}]},
    ),
]


@pytest.mark.parametrize(("query", "want"), QUERIES)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_setting_up_a_database(
    tmp_path: Path, method: str, query: dict[str, str], want: dict[str, object]
) -> None:
    where = {"params": query} if method == "GET" else {"data": query}
    async with edge(tmp_path) as e, e.session.request(method, "/query", **where) as response:  # type: ignore[arg-type]
        assert (response.status, await response.json()) == (200, {"results": [want]})


async def test_other_queries_are_sent_to_promql(tmp_path: Path) -> None:
    query = {"q": "CREATE DATABASE d; SELECT * FROM cpu"}
    async with edge(tmp_path) as e, e.session.get("/query", params=query) as response:
        first, second = (await response.json())["results"]
        assert first == {"statement_id": 0}
        assert "PromQL" in second["error"]


async def test_a_query_must_be_there(tmp_path: Path) -> None:
    async with edge(tmp_path) as e, e.session.get("/query") as response:
        assert (response.status, await response.json()) == (400, {"error": 'missing required parameter "q"'})
