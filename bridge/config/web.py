"""The web configuration file of Prometheus' exporter-toolkit: TLS, basic auth and response headers.

What a file may ask for and this server cannot do is an error, never ignored: each of those settings guards something.
Source: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from bridge.config.section import Section
from bridge.config.types import ConfigPath, Flag, Secret

__all__ = ["HttpServer", "TlsServer", "WebConfig"]

TlsVersion = Literal["TLS12", "TLS13"]

# Header -> the values it may have; None allows any. The set is closed, as in the toolkit.
HEADERS: dict[str, tuple[str, ...] | None] = {
    "Content-Security-Policy": None,
    "Strict-Transport-Security": None,
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": None,
}
BCRYPT = re.compile(r"\$2[aby]?\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")


def check_hash(value: Secret) -> Secret:
    """The shape of a bcrypt hash; the hash itself stays out of the message."""
    if not BCRYPT.fullmatch(value.reveal()):
        raise ValueError("expected a bcrypt hash such as $2y$10$...")
    return value


class TlsServer(Section):
    """Certificate, key and what is asked of clients. Certificate and key are read again when their files change."""

    cert: str | None = None
    key: Secret | None = None
    client_ca: str | None = None
    cert_file: ConfigPath | None = None
    key_file: ConfigPath | None = None
    client_ca_file: ConfigPath | None = None
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = "NoClientCert"
    min_version: TlsVersion = "TLS12"
    max_version: TlsVersion = "TLS13"
    # Kept for files that name them: the server's order has always won in OpenSSL's defaults.
    prefer_server_cipher_suites: Flag = True

    @model_validator(mode="after")
    def _complete(self) -> "TlsServer":
        if bool(self.cert) == bool(self.cert_file):
            raise ValueError("needs one of cert and cert_file")
        if bool(self.key) == bool(self.key_file):
            raise ValueError("needs one of key and key_file")
        if self.client_ca and self.client_ca_file:
            raise ValueError("give client_ca or client_ca_file, not both")
        has_ca = bool(self.client_ca or self.client_ca_file)
        if has_ca and self.client_auth_type == "NoClientCert":
            raise ValueError("a client CA has no effect without client_auth_type")
        if not has_ca and self.client_auth_type != "NoClientCert":
            raise ValueError(f"client_auth_type {self.client_auth_type} needs client_ca or client_ca_file")
        if self.min_version > self.max_version:
            raise ValueError(f"min_version {self.min_version} is above max_version {self.max_version}")
        return self


class HttpServer(Section):
    """What is added to every response."""

    http2: Flag = True  # the server speaks HTTP/1.1 whatever stands here; the toolkit's default files name it
    headers: dict[str, str] = Field({})

    @field_validator("headers")
    @classmethod
    def _known_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name not in HEADERS:
                raise ValueError(f'HTTP header "{name}" can not be configured (known: {", ".join(HEADERS)})')
            allowed = HEADERS[name]
            if value and allowed and value not in allowed:
                raise ValueError(f'invalid value for {name}: expected {" or ".join(allowed)}, got "{value}"')
            if not value.isascii() or not value.isprintable():
                raise ValueError(f"invalid value for {name}: only printable ASCII is allowed")
        return headers


class WebConfig(Section):
    """The whole file."""

    tls_server_config: TlsServer | None = None
    http_server_config: HttpServer = HttpServer()
    basic_auth_users: dict[str, Annotated[Secret, AfterValidator(check_hash)]] = Field({})
