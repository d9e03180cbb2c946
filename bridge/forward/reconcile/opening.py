"""The right language for a sink."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import aiohttp

from bridge.config import InfluxSink, RemoteWriteSink
from bridge.forward.http_client import Client, NoToken
from bridge.forward.influx_http import database_of, find_dialect, open_session
from bridge.forward.outlet import SinkSettings
from bridge.forward.reconcile.census import Ask, Census, SinkSilent, asking
from bridge.forward.reconcile.flux import Flux
from bridge.forward.reconcile.influxql import InfluxQl
from bridge.forward.reconcile.promql import PromQl, query_base
from bridge.forward.reconcile.sql import Sql

__all__ = ["open_census"]


@contextlib.asynccontextmanager
async def open_census(settings: SinkSettings, query_url: str | None = None) -> AsyncIterator[Census]:
    """Counts at the sink that `settings` describe, with its credentials.

    `query_url` is where a remote-write receiver answers PromQL; by default beside its write address. Raises SinkSilent
    when an InfluxDB does not say which one it is.
    """
    if isinstance(settings, RemoteWriteSink):
        async with _prometheus(settings, query_url) as census:
            yield census
    else:
        async with _influxdb(settings) as census:
            yield census


@contextlib.asynccontextmanager
async def _prometheus(settings: RemoteWriteSink, query_url: str | None) -> AsyncIterator[Census]:
    url = f"{(query_url or query_base(settings.url)).rstrip('/')}/api/v1/query"
    client = Client(settings, url, timeout=settings.remote_timeout.seconds, connections=1)
    own = {name: value.reveal() for name, value in settings.headers.items()}

    async def post(data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            status, body, _ = await client.post(data, {**own, **headers})
        except NoToken as error:
            raise SinkSilent(str(error)) from None
        return status, body

    try:
        yield PromQl(asking(post, url), settings.external_labels)
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def _influxdb(settings: InfluxSink) -> AsyncIterator[Census]:
    try:
        dialect = await find_dialect(settings)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SinkSilent(f"{settings.url} does not answer: {str(error) or type(error).__name__}") from None
    async with open_session(settings, "Bearer" if dialect == "v3" else "Token") as session:
        database, policy = database_of(settings)
        if dialect == "v1":
            yield InfluxQl(_asking(session, f"{settings.url}/query"), database, policy)
        elif dialect == "v3":
            yield Sql(_asking(session, f"{settings.url}/api/v3/query_sql"), database)
        else:
            query = urlencode({"org": settings.org or ""})
            yield Flux(_asking(session, f"{settings.url}/api/v2/query?{query}"), settings.bucket or database)


def _asking(session: aiohttp.ClientSession, url: str) -> Ask:
    async def post(data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with session.post(url, data=data, headers=headers, allow_redirects=False) as response:
            return response.status, await response.read()

    return asking(post, url)
