"""The three ways to write to InfluxDB: `/write` (1.x), `/api/v2/write` (2.x and whoever speaks it) and
`/api/v3/write_lp` (3).

All are sent lines with times in ms, and refuse them in different words.
"""

import asyncio
import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import anyio.to_thread
from isal import igzip_lib

from bridge.clock import Clock
from bridge.config import InfluxSink
from bridge.forward.answer import Answer, Ruling, Verdict
from bridge.forward.classify import Dialect, classify
from bridge.forward.influx_admin import AdminFailed, InfluxAdmin
from bridge.forward.influx_http import database_of, extra_headers, find_dialect, open_session, tls_of
from bridge.forward.payload import Load
from bridge.forward.proxy import by_proxy
from bridge.forward.transport import Request, Transport, no_answer
from bridge.native import Lines

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

__all__ = ["AutoTransport", "CreatingTransport", "InfluxV1", "InfluxV2", "InfluxV3", "open_transport"]

_MISSING = re.compile(r"(?i)(database|bucket).*not found")
_CONTENT_TYPE = "text/plain; charset=utf-8"
_WORTH_A_THREAD = 64 << 10  # bytes; compressing less takes less time than a hop to a thread and back


def open_transport(settings: InfluxSink, clock: Clock) -> Transport:
    """The transport that `settings.dialect` asks for; `clock` tells how far off the date of a `Retry-After` is."""
    kinds: dict[str, Callable[[InfluxSink, Clock], Transport]]
    kinds = {"v1": InfluxV1, "v2": InfluxV2, "v3": InfluxV3, "auto": AutoTransport}
    transport = kinds[settings.dialect](settings, clock)
    return CreatingTransport(transport, InfluxAdmin(settings)) if settings.auto_create else transport


class _LineTransport:
    """What the ways have in common: lines, compressed or not."""

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def pack(self, load: Load) -> Request:
        """Make a request of lines, in a thread when that takes long."""
        assert isinstance(load, Lines)  # noqa: S101 - the encoder makes nothing else
        headers = {"Content-Type": _CONTENT_TYPE}
        if not self._settings.gzip:
            return Request(load.body, headers, len(load))
        headers["Content-Encoding"] = "gzip"
        is_long = load.size >= _WORTH_A_THREAD
        body = await anyio.to_thread.run_sync(_gzip, load) if is_long else _gzip(load)
        return Request(body, headers, len(load))


def _gzip(lines: Lines) -> bytes:
    compressed: bytes = igzip_lib.compress(lines.view, level=1, flag=igzip_lib.COMP_GZIP)
    return compressed


class _HttpTransport(_LineTransport):
    """A write route over a keep-alive pool."""

    dialect: Dialect
    _scheme = "Token"

    def __init__(self, settings: InfluxSink, clock: Clock, path: str, params: dict[str, str]) -> None:
        super().__init__(settings, clock)
        self._url = f"{settings.url}{path}"
        self._params = params
        self._session: aiohttp.ClientSession | None = None

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:  # noqa: ARG002 - InfluxDB does not ask
        """Send lines with times in ms."""
        return classify(await self._post(request), self.dialect)

    async def _post(self, request: Request) -> Answer:
        if self._session is None:
            self._session = open_session(self._settings, self._scheme)
        try:
            async with self._session.post(
                self._url, params=self._params, data=request.body, headers=request.headers, allow_redirects=False
            ) as response:
                retry_after = response.headers.get("Retry-After")
                return Answer.read(response.status, await response.read(), retry_after, now_ms=self._clock.now_ms())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return no_answer(error)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class InfluxV1(_HttpTransport):
    """`POST /write?db&rp&precision=ms`."""

    dialect: Dialect = "v1"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        database, retention_policy = database_of(settings)
        params = {"db": database, "precision": "ms"}
        super().__init__(settings, clock, "/write", params | ({"rp": retention_policy} if retention_policy else {}))


class InfluxV3(_HttpTransport):
    """`POST /api/v3/write_lp?db&precision=millisecond&accept_partial=true`.

    Lines that are refused are named by number, and all others are stored. `no_sync` is never asked for: with it
    InfluxDB answers before anything is durable.
    """

    dialect: Dialect = "v3"
    _scheme = "Bearer"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        database, _ = database_of(settings)
        params = {"db": database, "precision": "millisecond", "accept_partial": "true"}
        super().__init__(settings, clock, "/api/v3/write_lp", params)


class InfluxV2(_LineTransport):
    """`POST /api/v2/write?org&bucket&precision=ms` through influxdb-client, given ready bytes.

    Its batching, retries and compression are not used: they keep samples in memory and drop them after some minutes.
    """

    dialect: Dialect = "v2"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._client: InfluxDBClientAsync | None = None
        self._opening = asyncio.Lock()

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:  # noqa: ARG002 - InfluxDB does not ask
        """Send lines with times in ms."""
        return classify(await self._post(request), self.dialect)

    async def _post(self, request: Request) -> Answer:
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - see _open: hundreds of ms, paid by who needs it
        from influxdb_client.service.write_service import WriteService  # noqa: PLC0415

        async with self._opening:
            if self._client is None:
                self._client = await self._open()
        encoding = request.headers.get("Content-Encoding")
        try:
            write = WriteService(self._client.api_client).post_write_async  # type: ignore[no-untyped-call]
            _, status, headers = await write(  # type: ignore[no-untyped-call]
                org=self._settings.org or "",
                bucket=self._settings.bucket or "",
                body=request.body,
                precision="ms",
                content_type=_CONTENT_TYPE,
                _return_http_data_only=False,
                **({"content_encoding": encoding} if encoding else {}),
            )
            return Answer.read(status, b"", headers.get("Retry-After"), now_ms=self._clock.now_ms())
        except ApiException as error:
            retry_after = error.headers.get("Retry-After") if error.headers is not None else None
            return Answer.read(error.status or 0, error.body or b"", retry_after, now_ms=self._clock.now_ms())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return no_answer(error)

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
            ssl_context=tls_of(settings),
            connection_pool_maxsize=settings.in_flight + 1,
            allow_redirects=False,
            client_session_kwargs={"headers": extra_headers(settings), "middlewares": (by_proxy(settings),)},
        )
        return client

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]
            self._client = None


class AutoTransport(_LineTransport):
    """Asks who answers before the first write, and again after the answers have stopped making sense."""

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._chosen: InfluxV1 | InfluxV2 | InfluxV3 | None = None
        self._in_doubt = False
        self._posting = 0
        self._asking = asyncio.Lock()

    @property
    def dialect(self) -> Dialect:
        """Whose answers these are: what was found, and v2 as long as nothing was."""
        return self._chosen.dialect if self._chosen is not None else "v2"

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:
        """Send lines with times in ms."""
        async with self._asking:
            if self._in_doubt and not self._posting:
                await self.close()
            if self._chosen is None:
                found = await self._ask()
                if isinstance(found, Answer):
                    return classify(found, self.dialect)
                self._chosen = found
            self._posting += 1
        try:
            ruling = await self._chosen.post(request, retries=retries)
        finally:
            self._posting -= 1
        self._in_doubt = ruling.answer.status in {404, 405}  # does another product or version answer there now?
        return ruling

    async def _ask(self) -> "InfluxV1 | InfluxV2 | InfluxV3 | Answer":
        try:
            dialect = await find_dialect(self._settings)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return no_answer(error)
        if dialect == "v2":
            return InfluxV2(self._settings, self._clock)
        return (InfluxV1 if dialect == "v1" else InfluxV3)(self._settings, self._clock)

    async def close(self) -> None:
        """Close all connections."""
        chosen, self._chosen = self._chosen, None
        self._in_doubt = False
        if chosen is not None:
            await chosen.close()


class CreatingTransport:
    """Makes the database or bucket when the sink says that there is none."""

    def __init__(self, transport: Transport, admin: InfluxAdmin) -> None:
        self._transport = transport
        self._admin = admin
        self._creating = asyncio.Lock()

    async def pack(self, load: Load) -> Request:
        """Make a request of lines."""
        return await self._transport.pack(load)

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:
        """Send lines; where they were to go is there for the next attempt."""
        ruling = await self._transport.post(request, retries=retries)
        if ruling.answer.status != 404 or not _MISSING.search(ruling.answer.text):
            return ruling
        try:
            async with self._creating:
                await self._admin.create()
        except AdminFailed as error:
            return replace(ruling, advice=f"{ruling.advice}; it could not be created: {error}")
        return replace(ruling, verdict=Verdict.RETRY)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()
