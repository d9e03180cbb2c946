"""The HTTP proxy on the way to a server: Prometheus' four settings and their rules."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, GetCoreSchemaHandler, PrivateAttr, field_validator, model_validator
from pydantic_core import CoreSchema

from bridge.config.no_proxy import NoProxy
from bridge.config.section import Section
from bridge.config.types import Flag, Kind, Secret, scalar

__all__ = ["ProxyClient", "ProxyUrl"]

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """A proxy, written `http://[user[:password]@]host[:port]`.

    Attributes:
        address: without credentials.
        username: who asks.
        password: with what right; None with an empty `username` means that the proxy does not want to know.
    """

    kind: ClassVar[Kind] = Kind("URL")
    address: str
    username: str = ""
    password: Secret | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError, without what may be a password."""
        try:
            parts = urlsplit(text)
            valid = parts.hostname and parts.port != 0
        except ValueError:
            raise ValueError("not a valid URL of a proxy") from None
        if parts.scheme not in _PORTS or not valid:
            raise ValueError(
                "expected http://[user:password@]host[:port] or https://...; other proxies are not spoken to"
            )
        host = parts.netloc.rpartition("@")[2]
        password = Secret(unquote(parts.password)) if parts.password is not None else None
        return cls(f"{parts.scheme}://{host}", unquote(parts.username or ""), password)

    @property
    def authorization(self) -> str | None:
        """The value of `Proxy-Authorization`, if the proxy is to be sent one."""
        if not self.username and self.password is None:
            return None
        password = self.password.reveal() if self.password is not None else ""
        return f"Basic {base64.b64encode(f'{self.username}:{password}'.encode()).decode()}"

    def __str__(self) -> str:
        if self.authorization is None:
            return self.address
        return self.address.replace("://", f"://{self.username}:<secret>@", 1)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return scalar(cls, cls.parse)


@dataclass(frozen=True, slots=True)
class _Ways:
    """The proxy for addresses of each scheme, and where none is used; `no_proxy` None: it is used everywhere."""

    proxies: Mapping[str, ProxyUrl]
    no_proxy: NoProxy | None

    def proxy_for(self, url: str) -> ProxyUrl | None:
        if not self.proxies:
            return None
        parts = urlsplit(url)
        proxy = self.proxies.get(parts.scheme)
        if proxy is None or self.no_proxy is None:
            return proxy
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        return None if self.no_proxy.covers(host, port) else proxy


class ProxyClient(Section):
    """The HTTP proxy on the way to a server."""

    proxy_url: ProxyUrl | None = Field(
        None, description="HTTP proxy on the way to the server, with credentials if it wants them."
    )
    no_proxy: str = Field(
        "", description="Hosts, domains, addresses and networks that are spoken to without it, as `NO_PROXY` has them."
    )
    proxy_from_environment: Flag = Field(
        False, description="Go by the environment's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` instead."
    )
    proxy_connect_header: dict[str, tuple[Secret, ...]] = Field(
        {}, description="Headers for the proxy, sent with CONNECT on the way to an https address."
    )

    _ways: _Ways = PrivateAttr(_Ways({}, None))

    @field_validator("proxy_connect_header")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, tuple[Secret, ...]]) -> dict[str, tuple[Secret, ...]]:
        for name, values in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f'not the name of a header: "{name}"')
            if any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value.reveal()) for value in values):
                raise ValueError(f"a value of {name} has control characters")
        return headers

    @model_validator(mode="after")
    def _one_way_to_know_the_proxy(self) -> Self:
        if self.proxy_connect_header and not self.proxy_from_environment and self.proxy_url is None:
            raise ValueError(
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
            )
        if self.proxy_from_environment and self.proxy_url is not None:
            raise ValueError("if proxy_from_environment is configured, proxy_url must not be configured")
        if self.proxy_from_environment and self.no_proxy:
            raise ValueError("if proxy_from_environment is configured, no_proxy must not be configured")
        if self.proxy_url is None and self.no_proxy:
            raise ValueError("if no_proxy is configured, proxy_url must also be configured")
        if self.proxy_from_environment:
            self._ways = _from_environment(os.environ)
        elif self.proxy_url is not None:
            no_proxy = NoProxy.parse(self.no_proxy) if self.no_proxy else None
            self._ways = _Ways(dict.fromkeys(_PORTS, self.proxy_url), no_proxy)
        return self

    def proxy_for(self, url: str) -> ProxyUrl | None:
        """The proxy on the way to `url`; None when it is spoken to directly."""
        return self._ways.proxy_for(url)


def _from_environment(environment: Mapping[str, str]) -> _Ways:
    """As Go reads it, but for a proxy that cannot be used: Go goes without one then."""
    proxies = {}
    for scheme in _PORTS:
        name, text = _first(environment, f"{scheme.upper()}_PROXY", f"{scheme}_proxy")
        if not text:
            continue
        try:
            proxies[scheme] = ProxyUrl.parse(text if "://" in text else f"http://{text}")
        except ValueError as error:
            raise ValueError(f"proxy_from_environment: {name}: {error}") from None
    _, no_proxy = _first(environment, "NO_PROXY", "no_proxy")
    return _Ways(proxies, NoProxy.parse(no_proxy))


def _first(environment: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first of the variables that is set to something, and to what."""
    return next(((name, text) for name in names if (text := environment.get(name))), ("", ""))
