"""The two ways to write to InfluxDB: `/write` (1.x) and `/api/v2/write` (2.x, 3, and whoever speaks it).

A transport posts one ready body and returns the answer, whatever it is: no retries, no judgement. That no answer came
is an answer too.
"""

import asyncio
import base64
import importlib
import json
import ssl
from typing import TYPE_CHECKING, Protocol

import aiohttp
import anyio.to_thread

from bridge import __version__
from bridge.clock import Clock
from bridge.config import InfluxSink
from bridge.forward.classify import Answer, Dialect

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

__all__ = ["AutoTransport", "InfluxV1", "InfluxV2", "Transport", "open_transport"]

_CONTENT_TYPE = "text/plain; charset=utf-8"


class Transport(Protocol):
    """A write route of one sink. Belongs to one event loop; connections open with the first post."""

    @property
    def dialect(self) -> Dialect:
        """Whose answers these are."""

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send lines with times in ms."""

    async def close(self) -> None:
        """Close all connections."""


def open_transport(settings: InfluxSink, clock: Clock) -> Transport:
    """The transport that `settings.dialect` asks for; `clock` tells how far off the date of a `Retry-After` is."""
    if settings.dialect == "v1":
        return InfluxV1(settings, clock)
    if settings.dialect == "v2":
        return InfluxV2(settings, clock)
    return AutoTransport(settings, clock)


class InfluxV1:
    """`POST /write?db&rp&precision=ms` over a keep-alive pool."""

    dialect: Dialect = "v1"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        database, retention_policy = _database(settings)
        self._url = f"{settings.url}/write"
        self._params = {"db": database, "precision": "ms"}
        if retention_policy:
            self._params["rp"] = retention_policy
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send lines with times in ms."""
        if self._session is None:
            self._session = _session(self._settings)
        headers = {"Content-Type": _CONTENT_TYPE}
        if gzipped:
            headers["Content-Encoding"] = "gzip"
        try:
            async with self._session.post(
                self._url, params=self._params, data=body, headers=headers, allow_redirects=False
            ) as response:
                retry_after = response.headers.get("Retry-After")
                return Answer.read(response.status, await response.read(), retry_after, now_ms=self._clock.now_ms())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _no_answer(error)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class InfluxV2:
    """`POST /api/v2/write?org&bucket&precision=ms` through influxdb-client, given ready bytes.

    Its batching, retries and compression are not used: they keep samples in memory and drop them after some minutes.
    """

    dialect: Dialect = "v2"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: InfluxDBClientAsync | None = None
        self._opening = asyncio.Lock()

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send lines with times in ms."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - see _open: hundreds of ms, paid by who needs it
        from influxdb_client.service.write_service import WriteService  # noqa: PLC0415

        async with self._opening:
            if self._client is None:
                self._client = await self._open()
        encoding = {"content_encoding": "gzip"} if gzipped else {}
        try:
            write = WriteService(self._client.api_client).post_write_async  # type: ignore[no-untyped-call]
            _, status, headers = await write(  # type: ignore[no-untyped-call]
                org=self._settings.org or "",
                bucket=self._settings.bucket or "",
                body=body,
                precision="ms",
                content_type=_CONTENT_TYPE,
                _return_http_data_only=False,
                **encoding,
            )
            return Answer.read(status, b"", headers.get("Retry-After"), now_ms=self._clock.now_ms())
        except ApiException as error:
            retry_after = error.headers.get("Retry-After") if error.headers is not None else None
            return Answer.read(error.status or 0, error.body or b"", retry_after, now_ms=self._clock.now_ms())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _no_answer(error)

    async def _open(self) -> "InfluxDBClientAsync":
        # The import takes 300 ms: in a thread, so that pushes are answered meanwhile.
        name = "influxdb_client.client.influxdb_client_async"
        module = await anyio.to_thread.run_sync(importlib.import_module, name)
        settings = self._settings
        token = settings.token.reveal() if settings.token else None
        password = settings.password.reveal() if settings.password else ""
        client: InfluxDBClientAsync = module.InfluxDBClientAsync(
            url=settings.url,
            # With a user name it would otherwise ask InfluxDB 2 for a session first.
            token=f"{settings.username}:{password}" if settings.username else token,
            auth_basic=settings.username is not None,
            timeout=int(settings.timeout),
            ssl_context=_tls(settings),
            connection_pool_maxsize=settings.in_flight + 1,
            allow_redirects=False,
            client_session_kwargs={"headers": _extra_headers(settings)},
        )
        return client

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]
            self._client = None


class AutoTransport:
    """Asks `/ping` who answers before the first write, and again after the answers have stopped making sense."""

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._chosen: InfluxV1 | InfluxV2 | None = None
        self._in_doubt = False
        self._posting = 0
        self._asking = asyncio.Lock()

    @property
    def dialect(self) -> Dialect:
        """Whose answers these are: what was found, and v2 as long as nothing was."""
        return self._chosen.dialect if self._chosen is not None else "v2"

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send lines with times in ms."""
        async with self._asking:
            if self._in_doubt and not self._posting:
                await self.close()
            if self._chosen is None:
                found = await self._ask()
                if isinstance(found, Answer):
                    return found
                self._chosen = found
            self._posting += 1
        try:
            answer = await self._chosen.post(body, gzipped=gzipped)
        finally:
            self._posting -= 1
        self._in_doubt = answer.status in {404, 405}  # does another product or version answer there now?
        return answer

    async def _ask(self) -> "InfluxV1 | InfluxV2 | Answer":
        session = _session(self._settings)
        try:
            async with session.get(f"{self._settings.url}/ping", allow_redirects=False) as response:
                version = _version(response.headers.get("X-Influxdb-Version", ""), await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _no_answer(error)
        finally:
            await session.close()
        if version.startswith("1.") or not self._settings.bucket:
            return InfluxV1(self._settings, self._clock)
        return InfluxV2(self._settings, self._clock)

    async def close(self) -> None:
        """Close all connections."""
        chosen, self._chosen = self._chosen, None
        self._in_doubt = False
        if chosen is not None:
            await chosen.close()


def _version(header: str, body: bytes) -> str:
    """The product's version: 1.x and 2.x tell it in a header (`1.8.10`, `v2.7.1`), 3 in the body as well."""
    if not header:
        try:
            header = str(json.loads(body)["version"])
        except (ValueError, KeyError, TypeError):
            return ""
    return header.removeprefix("v")


def _database(settings: InfluxSink) -> tuple[str, str | None]:
    """(database, retention policy); a bucket called `db/rp` is how 1.8 and 2.x name the two together."""
    if settings.db:
        return settings.db, settings.rp
    database, _, retention_policy = (settings.bucket or "").partition("/")
    return database, settings.rp or retention_policy or None


def _tls(settings: InfluxSink) -> ssl.SSLContext | None:
    return settings.tls_config.context() if settings.url.startswith("https:") else None


def _session(settings: InfluxSink) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.in_flight + 1, ssl=_tls(settings) or True),
        timeout=aiohttp.ClientTimeout(total=settings.timeout.seconds),
        headers=_credentials(settings) | _extra_headers(settings),
    )


def _credentials(settings: InfluxSink) -> dict[str, str]:
    if settings.username:
        password = settings.password.reveal() if settings.password else ""
        both = f"{settings.username}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    return {"Authorization": f"Token {settings.token.reveal()}"} if settings.token else {}


def _extra_headers(settings: InfluxSink) -> dict[str, str]:
    own = {"User-Agent": f"pushbridge/{__version__}"}
    return own | {name: value.reveal() for name, value in settings.headers.items()}


def _no_answer(error: Exception) -> Answer:
    return Answer(0, str(error) or type(error).__name__)
