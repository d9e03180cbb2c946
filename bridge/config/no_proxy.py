"""Which hosts are spoken to without a proxy, read as Go's `golang.org/x/net/http/httpproxy` reads `NO_PROXY`.

A comma-separated list of host names, of domains (`.example.com` and `*.example.com`: only what is below it), addresses,
networks (`10.0.0.0/8`), each but a network with a port if wanted, or `*`. What is none of these is left out of account.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import Self

import idna

__all__ = ["NoProxy"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class NoProxy:
    """A list that was read.

    Attributes:
        everything: no host is spoken to through a proxy.
        networks: neither are addresses in these,
        addresses: nor these at a port, or at any where it is empty,
        domains: nor names that end so; of those with True also the name without its dot.
    """

    everything: bool = False
    networks: list[_Network] = field(default_factory=list)
    addresses: list[tuple[_Address, str]] = field(default_factory=list)
    domains: list[tuple[str, str, bool]] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Self:
        """As well as it goes: there are no errors."""
        found = cls()
        for entry in (part.strip().lower() for part in text.split(",")):
            if entry == "*":
                return cls(everything=True)
            found._add(entry)
        return found

    def _add(self, entry: str) -> None:
        if (network := _network(entry)) is not None:
            self.networks.append(network)
            return
        host, port = _split(entry)
        if (address := _address(host)) is not None:
            self.addresses.append((address, port))
        elif host:
            name = host.removeprefix("*") if host.startswith("*.") else host
            self.domains.append((_ascii("." + name.removeprefix(".")), port, not name.startswith(".")))

    def covers(self, host: str, port: int) -> bool:
        """True when `host` is spoken to directly, as the machine itself always is."""
        host = _ascii(host.strip().lower())
        address = _address(host)
        if self.everything or host == "localhost" or (address is not None and address.is_loopback):
            return True
        if address is None:
            return any(
                (host.endswith(domain) or (itself and host == domain[1:])) and wanted in {"", str(port)}
                for domain, wanted, itself in self.domains
            )
        return any(address in network for network in self.networks) or any(
            address == one and wanted in {"", str(port)} for one, wanted in self.addresses
        )


def _network(text: str) -> _Network | None:
    """`10.0.0.0/8`; bits behind the prefix are nothing to it."""
    address, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or "%" in address:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> _Address | None:
    """An address without its zone; an IPv4 address in the clothes of IPv6 is that IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address


def _split(entry: str) -> tuple[str, str]:
    """(host, port) of `host:port` and `[address]:port`; all of it is the host where there is no port."""
    host, colon, port = entry.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    return (host, port) if colon and ":" not in host else (entry, "")


def _ascii(name: str) -> str:
    """An international name as DNS has it; what can be none stays as it is."""
    if name.isascii():
        return name
    dot = "." if name.startswith(".") else ""
    try:
        return dot + idna.encode(name.removeprefix("."), uts46=True).decode()
    except idna.IDNAError:
        return name
