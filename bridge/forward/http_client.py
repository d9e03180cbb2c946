"""Requests as a `http_config` wants them: credentials, TLS, proxy, redirects."""

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from bridge import __version__
from bridge.config import HttpClient, ProxyClient, TlsClient
from bridge.forward.proxy import by_proxy, wants_tls

__all__ = ["Client", "NoToken"]

_MAX_ANSWER = 1 << 20  # bytes; what a server says beyond that is not worth its memory
_EARLY = 10.0  # seconds: a token is not used so shortly before its end


class NoToken(Exception):
    """The OAuth 2 server gave no token; the text says what it said instead."""


class Client:
    """Connections to one server. Belongs to one event loop; opens them with the first request."""

    def __init__(self, settings: HttpClient, url: str, *, timeout: float, connections: int) -> None:
        """For requests to `url` that may take `timeout` seconds."""
        self._settings = settings
        self._url = url
        self._timeout = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._token_until = 0.0
        self._asking = asyncio.Lock()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of the answer. Raises aiohttp.ClientError, OSError, TimeoutError, NoToken."""
        settings = self._settings
        if self._session is None:
            self._session = _session(settings, settings.tls_config, self._url, self._timeout, self._connections)
        async with self._session.post(
            self._url,
            data=body,
            headers={"User-Agent": f"pushbridge/{__version__}", **headers, **await self._credentials()},
            allow_redirects=settings.follow_redirects,
            **_server_name(settings.tls_config, self._url),
        ) as response:
            return response.status, await _to_its_end(response), response.headers

    async def _credentials(self) -> dict[str, str]:
        settings = self._settings
        if settings.basic_auth is not None:
            password = settings.basic_auth.password.reveal() if settings.basic_auth.password else ""
            return {"Authorization": f"Basic {_base64(f'{settings.basic_auth.username}:{password}')}"}
        if settings.authorization is not None and settings.authorization.credentials is not None:
            return {"Authorization": f"{settings.authorization.type} {settings.authorization.credentials.reveal()}"}
        if settings.oauth2 is not None:
            async with self._asking:
                if time.monotonic() >= self._token_until:
                    await self._ask_for_token()
            return {"Authorization": f"Bearer {self._token}"}
        return {}

    async def _ask_for_token(self) -> None:
        """The grant of client credentials, RFC 6749, 4.4."""
        oauth2 = self._settings.oauth2
        assert oauth2 is not None  # noqa: S101 - asked by the caller
        secret = oauth2.client_secret.reveal() if oauth2.client_secret else ""
        form = {"grant_type": "client_credentials", **oauth2.endpoint_params}
        if oauth2.scopes:
            form["scope"] = " ".join(oauth2.scopes)
        session = _session(oauth2, oauth2.tls_config, oauth2.token_url, self._timeout, 1)
        try:
            async with session.post(
                oauth2.token_url,
                data=form,
                headers={"Authorization": f"Basic {_base64(f'{oauth2.client_id}:{secret}')}"},
                **_server_name(oauth2.tls_config, oauth2.token_url),
            ) as response:
                if response.status != 200:
                    text = (await response.content.read(500)).decode(errors="replace")
                    raise NoToken(f"{oauth2.token_url} answers {response.status}: {text}")
                answer = await response.json(content_type=None)
                self._token = str(answer["access_token"])
                lasts = float(answer.get("expires_in", 3600.0))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NoToken(f"{oauth2.token_url} answers with no token: {error!r}") from None
        finally:
            await session.close()
        self._token_until = time.monotonic() + max(lasts - _EARLY, 1.0)

    def forget_token(self) -> None:
        """Ask for another one before the next request."""
        self._token_until = 0.0

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _to_its_end(response: aiohttp.ClientResponse) -> bytes:
    """The body, or its beginning when it is long: an answer that ends too early is none."""
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece[: _MAX_ANSWER - len(content)]
    return bytes(content)


def _session(
    settings: ProxyClient, tls: TlsClient, url: str, timeout: float, connections: int
) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls.context() if wants_tls(settings, url) else True),
        timeout=aiohttp.ClientTimeout(total=timeout),
        middlewares=(by_proxy(settings),),
    )


def _server_name(tls: TlsClient, url: str) -> dict[str, Any]:
    return {"server_hostname": tls.server_name} if tls.server_name and url.startswith("https:") else {}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
