"""Requests by way of a proxy, wherever the settings of a server want one."""

from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType
from multidict import CIMultiDict
from yarl import URL

from bridge.config import ProxyClient

__all__ = ["by_proxy", "proxy_arguments", "wants_tls"]


def by_proxy(settings: ProxyClient) -> ClientMiddlewareType:
    """For a session of aiohttp: each request goes its own way, also one that follows a redirect."""

    async def choose(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        proxy = settings.proxy_for(str(request.url))
        if proxy is not None:
            headers = _headers(settings, authorization=proxy.authorization)
            request.update_proxy(URL(proxy.address), None, headers)  # these go with CONNECT only
            if proxy.authorization is not None and not request.is_ssl():
                request.headers["Proxy-Authorization"] = proxy.authorization
        return await handler(request)

    return choose


def proxy_arguments(settings: ProxyClient, url: str) -> dict[str, Any]:
    """The same for influxdb-client's synchronous half, which speaks to `url` alone through urllib3."""
    proxy = settings.proxy_for(url)
    if proxy is None:
        return {}
    own = {"Proxy-Authorization": proxy.authorization} if proxy.authorization is not None else {}
    if url.startswith("https:"):
        own |= {name: ", ".join(v.reveal() for v in values) for name, values in settings.proxy_connect_header.items()}
    return {"proxy": proxy.address, "proxy_headers": own}


def wants_tls(settings: ProxyClient, url: str) -> bool:
    """True when a connection on the way to `url` has TLS."""
    proxy = settings.proxy_for(url)
    return url.startswith("https:") or (proxy is not None and proxy.address.startswith("https:"))


def _headers(settings: ProxyClient, *, authorization: str | None) -> CIMultiDict[str]:
    headers = CIMultiDict({"Proxy-Authorization": authorization} if authorization is not None else {})
    for name, values in settings.proxy_connect_header.items():
        for value in values:
            headers.add(name, value.reveal())
    return headers
