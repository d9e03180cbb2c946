"""How the bridge speaks to others over HTTP: Prometheus' `http_config`, as far as it is not about clouds."""

import ssl
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bridge.config.proxy import ProxyClient
from bridge.config.section import Section
from bridge.config.types import ConfigPath, Flag, HttpUrl, Secret, SecretFile

__all__ = ["Authorization", "BasicAuth", "HttpClient", "OAuth2", "TlsClient"]

TlsVersion = Literal["TLS10", "TLS11", "TLS12", "TLS13"]

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


class TlsClient(Section):
    """TLS towards a server, under the names that Prometheus uses."""

    ca_file: ConfigPath | None = Field(
        None, description="Certificates of the authorities to trust, instead of the system's."
    )
    cert_file: ConfigPath | None = Field(None, description="Certificate that the bridge shows; needs `key_file`.")
    key_file: ConfigPath | None = Field(None, description="Its private key.")
    server_name: str | None = Field(
        None, description="Name that the server's certificate must have, if not the host's."
    )
    insecure_skip_verify: Flag = Field(False, description="Accept any certificate.")
    min_version: TlsVersion | None = Field(None, description="The oldest version of TLS that will do.")
    max_version: TlsVersion | None = Field(None, description="The newest one.")

    @model_validator(mode="after")
    def _can_be_used(self) -> "TlsClient":
        if self.ca_file or self.cert_file or self.key_file:
            self.context()
        return self

    def context(self) -> ssl.SSLContext:
        """The files as they are now. Raises ValueError when they cannot be used."""
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"TLS files cannot be used: {error}") from None
        if self.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.min_version is not None:
            context.minimum_version = _VERSIONS[self.min_version]
        if self.max_version is not None:
            context.maximum_version = _VERSIONS[self.max_version]
        return context


def _given(value: Secret | None, info: ValidationInfo) -> Secret | None:
    """A secret wherever it came from: the field itself, or the file that the field before it names."""
    file = info.data.get(f"{info.field_name}_file")
    if file is None:
        return value
    if value is not None:
        raise ValueError(f"at most one of {info.field_name} & {info.field_name}_file must be configured")
    secret: Secret = file.secret
    return secret


class BasicAuth(Section):
    """User name and password in each request."""

    username: str = Field("", description="User name.")
    password_file: SecretFile | None = Field(None, description="File with the password, instead of `password`.")
    password: Annotated[Secret | None, Field(validate_default=True)] = Field(None, description="Password.")

    _from_file = field_validator("password")(_given)


class Authorization(Section):
    """Credentials in each request."""

    type: str = Field("Bearer", description="What stands before the credentials in the `Authorization` header.")
    credentials_file: SecretFile | None = Field(None, description="File with them, instead of `credentials`.")
    credentials: Annotated[Secret | None, Field(validate_default=True)] = Field(None, description="The credentials.")

    _from_file = field_validator("credentials")(_given)

    @field_validator("type")
    @classmethod
    def _is_not_basic(cls, value: str) -> str:
        if value.strip().lower() == "basic":
            raise ValueError('authorization type cannot be set to "basic", use "basic_auth" instead')
        return value.strip()


class OAuth2(ProxyClient):
    """A token from an OAuth 2 server, by client credentials."""

    client_id: str = Field(description="Who asks.")
    client_secret_file: SecretFile | None = Field(None, description="File with the secret, instead of `client_secret`.")
    client_secret: Annotated[Secret | None, Field(validate_default=True)] = Field(None, description="The secret.")
    scopes: tuple[str, ...] = Field((), description="What the token is for.")
    token_url: HttpUrl = Field(description="Where tokens are given.")
    endpoint_params: dict[str, str] = Field({}, description="Further parameters of the request for a token.")
    tls_config: TlsClient = Field(TlsClient(), description="TLS, when the address is https.")

    _from_file = field_validator("client_secret")(_given)


class HttpClient(ProxyClient):
    """What requests to one server have in common."""

    basic_auth: BasicAuth | None = Field(None, description="User name and password in each request.")
    authorization: Authorization | None = Field(None, description="Credentials in each request.")
    oauth2: OAuth2 | None = Field(None, description="A token from an OAuth 2 server in each request.")
    tls_config: TlsClient = Field(TlsClient(), description="TLS, when the address is https.")
    follow_redirects: Flag = Field(True, description="Go where the server points to.")
    enable_http2: Flag = Field(True, description="Taken for compatibility: requests are always made with HTTP/1.1.")

    @model_validator(mode="after")
    def _one_way_to_authenticate(self) -> "HttpClient":
        if sum(way is not None for way in (self.basic_auth, self.authorization, self.oauth2)) > 1:
            raise ValueError("at most one of basic_auth, oauth2 & authorization must be configured")
        return self
