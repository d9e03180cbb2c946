"""What a sink's database or bucket is like, and making it where there is none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio.to_thread

from bridge.config import InfluxSink
from bridge.forward.influx_http import database_of, find_dialect, open_session, tls_of
from bridge.forward.proxy import proxy_arguments

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.domain.bucket import Bucket

__all__ = ["AdminFailed", "InfluxAdmin", "parse_go_duration"]

_ID = re.compile("[0-9a-f]{16}")  # of an organization of 2.x, which may stand for its name
_UNITS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "ns": 1e-6}


class AdminFailed(Exception):
    """The sink did not do what it was asked, or does not tell."""


class InfluxAdmin:
    """Asks with the sink's own credentials. Belongs to one event loop; every call has connections of its own."""

    def __init__(self, settings: InfluxSink) -> None:
        self._settings = settings

    async def create(self) -> None:
        """Make the database or bucket; nothing happens to one that is there. Raises AdminFailed."""
        with _told():
            dialect = await find_dialect(self._settings)
            database, _ = database_of(self._settings)
            if dialect == "v2":
                await anyio.to_thread.run_sync(self._create_bucket)
            elif dialect == "v1":
                await self._query(f"CREATE DATABASE {_quoted(database)}")
            else:
                await self._configure(database)

    async def retention(self) -> int | None:
        """How long samples are kept, ms; None for ever. Raises AdminFailed."""
        with _told():
            dialect = await find_dialect(self._settings)
            database, policy = database_of(self._settings)
            if dialect == "v2":
                return await anyio.to_thread.run_sync(self._bucket_retention)
            if dialect == "v1":
                answer = await self._query(f"SHOW RETENTION POLICIES ON {_quoted(database)}")
                return _policy_retention(answer, policy)
            return await self._database_retention(database)

    # -- 1.x ----------------------------------------------------------------------------------------------------------

    async def _query(self, query: str) -> dict[str, Any]:
        async with (
            open_session(self._settings) as session,
            session.post(f"{self._settings.url}/query", params={"q": query}, allow_redirects=False) as response,
        ):
            answer: dict[str, Any] = await _json(response)
        for result in answer["results"]:
            if "error" in result:
                raise AdminFailed(result["error"])
        return answer

    # -- 2.x ----------------------------------------------------------------------------------------------------------

    def _client(self) -> "InfluxDBClient":
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415 - takes 300 ms, in a thread

        settings = self._settings
        secret = settings.password.reveal() if settings.password else ""
        token = settings.token.reveal() if settings.token else ""
        return InfluxDBClient(
            url=settings.url,
            token=f"{settings.username}:{secret}" if settings.username else token,
            org=settings.org or "",
            timeout=int(settings.timeout),
            ssl_context=tls_of(settings),
            **proxy_arguments(settings, settings.url),
        )

    def _find_bucket(self, client: "InfluxDBClient") -> "Bucket | None":
        """The bucket of the sink's organization; others may have one of the same name. What is missing is 404 there,
        or an empty list without an organization, or where the token may not read it."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - see _client

        org = self._settings.org
        where = {"org_id" if _ID.fullmatch(org) else "org": org} if org else {}
        try:
            find = client.buckets_api().find_buckets
            found = find(name=self._settings.bucket, **where).buckets  # type: ignore[no-untyped-call]
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found[0] if found else None

    def _create_bucket(self) -> None:
        with self._client() as client:
            if self._find_bucket(client) is None:
                client.buckets_api().create_bucket(bucket_name=self._settings.bucket, org=self._settings.org)

    def _bucket_retention(self) -> int | None:
        with self._client() as client:
            bucket = self._find_bucket(client)
        if bucket is None:
            raise AdminFailed(f"there is no bucket {self._settings.bucket}")
        seconds = [rule.every_seconds for rule in bucket.retention_rules if rule.every_seconds]
        return min(seconds) * 1000 if seconds else None

    # -- 3 ------------------------------------------------------------------------------------------------------------

    async def _configure(self, database: str) -> None:
        url = f"{self._settings.url}/api/v3/configure/database"
        async with (
            open_session(self._settings, "Bearer") as session,
            session.post(url, json={"db": database}, allow_redirects=False) as response,
        ):
            if response.status not in {200, 201, 204, 409}:
                raise AdminFailed(f"{response.status} {(await response.text())[:500]}")

    async def _database_retention(self, database: str) -> int | None:
        """As the table of databases has it, which there is from 3.2 on. A token for one database alone may not read it;
        it may ask with InfluxQL, which tells that from 3.9 on."""
        name = database.replace("'", "''")
        table = f"SELECT retention_period_ns FROM system.databases WHERE NOT deleted AND database_name = '{name}'"  # noqa: S608
        async with open_session(self._settings, "Bearer") as session:
            with suppress(AdminFailed):
                rows = await self._rows(session, "query_sql", "_internal", table)
                nanoseconds = rows[0].get("retention_period_ns") if rows else None
                return nanoseconds // 1_000_000 if nanoseconds else None
            policies = f"SHOW RETENTION POLICIES ON {_quoted(database)}"
            rows = await self._rows(session, "query_influxql", database, policies)
        return parse_go_duration(rows[0]["duration"])

    async def _rows(
        self, session: aiohttp.ClientSession, language: str, database: str, query: str
    ) -> list[dict[str, Any]]:
        url = f"{self._settings.url}/api/v3/{language}"
        params = {"db": database, "q": query, "format": "json"}
        async with session.get(url, params=params, allow_redirects=False) as response:
            rows: list[dict[str, Any]] = await _json(response)
        return rows


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


async def _json(response: aiohttp.ClientResponse) -> Any:  # noqa: ANN401 - JSON
    if response.status != 200:
        raise AdminFailed(f"{response.status} {(await response.text())[:500]}")
    return await response.json(content_type=None)


def _policy_retention(answer: dict[str, Any], policy: str | None) -> int | None:
    """The duration of the policy of that name, or of the default one, out of 1.x's answer."""
    (series,) = answer["results"][0]["series"]
    rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    wanted = [row for row in rows if (row["name"] == policy if policy else row["default"])]
    return parse_go_duration(wanted[0]["duration"])


def parse_go_duration(text: str) -> int | None:
    """`168h0m0s` in ms; None for `0s`, which means for ever. Raises ValueError."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"not a duration: {text!r}")
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts)) or None


@contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong inside is AdminFailed."""
    try:
        yield
    except AdminFailed:
        raise
    except Exception as error:
        raise AdminFailed(str(error) or type(error).__name__) from error
