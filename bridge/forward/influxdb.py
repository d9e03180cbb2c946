"""The two ways to write to InfluxDB: `/write` (1.x) and `/api/v2/write` (2.x, 3, and whoever speaks it).

Both are sent lines with times in ms, and may refuse them in different words.
"""

import asyncio
import base64
import importlib
import json
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING

import aiohttp
import anyio.to_thread
from isal import igzip_lib

from bridge import __version__
from bridge.clock import Clock
from bridge.config import InfluxSink
from bridge.forward.answer import Answer, Ruling
from bridge.forward.classify import Dialect, classify
from bridge.forward.payload import Payload
from bridge.forward.transport import Request, Transport, no_answer
from bridge.native import Columns, Head, Lines, LogSlice, encode_columns, encode_lines

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

__all__ = ["AutoTransport", "InfluxV1", "InfluxV2", "LineEncoder", "open_transport"]

_CONTENT_TYPE = "text/plain; charset=utf-8"
_WORTH_A_THREAD = 64 << 10  # bytes; compressing less takes less time than a hop to a thread and back


def open_transport(settings: InfluxSink, clock: Clock) -> Transport:
    """The transport that `settings.dialect` asks for; `clock` tells how far off the date of a `Retry-After` is."""
    if settings.dialect == "v1":
        return InfluxV1(settings, clock)
    if settings.dialect == "v2":
        return InfluxV2(settings, clock)
    return AutoTransport(settings, clock)


class LineEncoder:
    """Samples as lines of line protocol, each with one field."""

    def __init__(self, *, name_tag: bool) -> None:
        self._name_tag = name_tag

    def encode_slice(self, head: Head, piece: LogSlice) -> Lines:
        """The samples of a piece of the log, whose references `head` knows."""
        return encode_lines(head, piece, name_tag=self._name_tag)

    def encode_columns(self, columns: Columns, start: int, stop: int) -> Lines:
        """Samples `start` to `stop` of history."""
        return encode_columns(columns, start, stop, name_tag=self._name_tag)

    def read(self, lines: Sequence[str]) -> Lines:
        """The samples of dead letters."""
        return Lines.from_text("\n".join(lines).encode())


class _LineTransport:
    """What the ways have in common: lines, compressed or not."""

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def pack(self, payload: Payload) -> Request:
        """Make a request of lines, in a thread when that takes long."""
        assert isinstance(payload, Lines)  # noqa: S101 - the encoder makes nothing else
        body, headers = payload.body, {"Content-Type": _CONTENT_TYPE}
        if self._settings.gzip:
            headers["Content-Encoding"] = "gzip"
            is_long = len(body) >= _WORTH_A_THREAD
            body = await anyio.to_thread.run_sync(_gzip, body) if is_long else _gzip(body)
        return Request(body, headers, len(payload))


def _gzip(body: bytes) -> bytes:
    compressed: bytes = igzip_lib.compress(body, level=1, flag=igzip_lib.COMP_GZIP)
    return compressed


class InfluxV1(_LineTransport):
    """`POST /write?db&rp&precision=ms` over a keep-alive pool."""

    dialect: Dialect = "v1"

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        super().__init__(settings, clock)
        database, retention_policy = _database(settings)
        self._url = f"{settings.url}/write"
        self._params = {"db": database, "precision": "ms"}
        if retention_policy:
            self._params["rp"] = retention_policy
        self._session: aiohttp.ClientSession | None = None

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:  # noqa: ARG002 - InfluxDB does not ask
        """Send lines with times in ms."""
        return classify(await self._post(request), self.dialect)

    async def _post(self, request: Request) -> Answer:
        if self._session is None:
            self._session = _session(self._settings)
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


class AutoTransport(_LineTransport):
    """Asks `/ping` who answers before the first write, and again after the answers have stopped making sense."""

    def __init__(self, settings: InfluxSink, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._chosen: InfluxV1 | InfluxV2 | None = None
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

    async def _ask(self) -> "InfluxV1 | InfluxV2 | Answer":
        session = _session(self._settings)
        try:
            async with session.get(f"{self._settings.url}/ping", allow_redirects=False) as response:
                version = _version(response.headers.get("X-Influxdb-Version", ""), await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return no_answer(error)
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
