"""Talking to an InfluxDB of any generation: sessions, credentials, and which one it is."""

import base64
import json
import ssl

import aiohttp

from bridge import __version__
from bridge.config import InfluxSink
from bridge.forward.classify import Dialect
from bridge.forward.proxy import by_proxy, wants_tls

__all__ = ["database_of", "extra_headers", "find_dialect", "open_session", "tls_of"]


_OF_A_PROXY = {407, 502, 503, 504}  # statuses that say nothing of who would answer behind it


def database_of(settings: InfluxSink) -> tuple[str, str | None]:
    """(database, retention policy); a bucket called `db/rp` is how 1.8 and 2.x name the two together."""
    if settings.db:
        return settings.db, settings.rp
    database, _, retention_policy = (settings.bucket or "").partition("/")
    return database, settings.rp or retention_policy or None


def tls_of(settings: InfluxSink) -> ssl.SSLContext | None:
    """TLS as configured, for an address, or a proxy on the way there, that wants it."""
    return settings.tls_config.context() if wants_tls(settings, settings.url) else None


def open_session(settings: InfluxSink, scheme: str = "Token") -> aiohttp.ClientSession:
    """A pool of connections that carry credentials: a token by `scheme`, which InfluxDB 3 calls `Bearer`."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.in_flight + 1, ssl=tls_of(settings) or True),
        timeout=aiohttp.ClientTimeout(total=settings.timeout.seconds),
        headers=_credentials(settings, scheme) | extra_headers(settings),
        middlewares=(by_proxy(settings),),
    )


def _credentials(settings: InfluxSink, scheme: str) -> dict[str, str]:
    if settings.username:
        password = settings.password.reveal() if settings.password else ""
        both = f"{settings.username}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    return {"Authorization": f"{scheme} {settings.token.reveal()}"} if settings.token else {}


def extra_headers(settings: InfluxSink) -> dict[str, str]:
    """Ours, and those that the settings add."""
    own = {"User-Agent": f"pushbridge/{__version__}"}
    return own | {name: value.reveal() for name, value in settings.headers.items()}


async def find_dialect(settings: InfluxSink) -> Dialect:
    """Which way to write what answers there understands: by the version that `/ping` or `/health` tells, and where
    neither does, by what the settings name. Raises what aiohttp raises when nothing answers, or only a proxy."""
    if settings.dialect != "auto":
        return settings.dialect
    version = ""
    async with open_session(settings) as session:
        for path in ("/ping", "/health"):
            async with session.get(f"{settings.url}{path}", allow_redirects=False) as response:
                version = _version(response, await response.read())
            if version:
                break
            if response.status in _OF_A_PROXY:
                raise aiohttp.ClientHttpProxyError(
                    response.request_info, (), status=response.status, message=response.reason or ""
                )
    if version.startswith("3"):
        return "v3"
    return "v1" if version.startswith("1.") or not settings.bucket else "v2"


def _version(response: aiohttp.ClientResponse, body: bytes) -> str:
    """The product's version: 1.x and 2.x tell it in a header (`1.8.10`, `v2.7.1`), 3 in the body of `/ping`. Where that
    is closed to us, 3 still names its cluster."""
    version = response.headers.get("X-Influxdb-Version", "")
    if not version:
        try:
            version = str(json.loads(body)["version"])
        except (ValueError, KeyError, TypeError):
            version = ""
    if not version and "cluster-uuid" in response.headers:
        version = "3"
    return version.removeprefix("v")
