"""TLS of the server, as the web configuration file asks for it."""

import ssl
import tempfile
from pathlib import Path

import structlog

from bridge.config import TlsServer
from bridge.edge.fingerprint import Fingerprint, fingerprint
from bridge.errors import ConfigError

__all__ = ["server_context"]

logger = structlog.get_logger(__name__)

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def server_context(config: TlsServer) -> ssl.SSLContext:
    """A context whose certificate follows its files: renewing it needs no restart. Raises ConfigError."""
    context = build(config)
    if config.cert_file is not None or config.key_file is not None:
        context.sni_callback = Renewal(config, context)
    return context


class Renewal:
    """Looks at the certificate's files at each handshake, which costs a thousand times as much as the look.

    A changed pair is loaded into a context of its own, so a certificate that does not fit its key (one of two files
    written so far) never replaces a working pair. What is asked of clients stays as it was at start: OpenSSL takes
    that from the context which the connection began with.
    """

    def __init__(self, config: TlsServer, context: ssl.SSLContext) -> None:
        self._config = config
        self._context = context
        self._seen = self._look()

    def __call__(self, connection: ssl.SSLObject, _server_name: str | None, _context: ssl.SSLContext) -> None:
        """Called by OpenSSL during each handshake, whether the client names a server or not."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._context = build(self._config)
            except ConfigError as error:
                logger.error("certificate is bad, keeping the last good one", problems=error.problems)  # noqa: TRY400
            else:
                logger.info("certificate read again", file=self._config.cert_file)
        connection.context = self._context

    def _look(self) -> tuple[Fingerprint, ...]:
        return tuple(fingerprint(path) for path in (self._config.cert_file, self._config.key_file) if path)


def build(config: TlsServer) -> ssl.SSLContext:
    """A fresh context. Raises ConfigError naming the part that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[config.min_version]
    context.maximum_version = VERSIONS[config.max_version]
    context.set_alpn_protocols(["http/1.1"])
    load_pair(context, config)
    load_client_ca(context, config)
    context.verify_mode = CLIENT_AUTH[config.client_auth_type]
    return context


def load_pair(context: ssl.SSLContext, config: TlsServer) -> None:
    """The certificate chain and its key; inline texts pass through files only we can read, as OpenSSL wants files."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = config.cert_file, config.key_file
        if cert is None:
            cert = Path(folder, "cert")
            cert.write_text(config.cert or "")
        if key is None:
            key = Path(folder, "key")
            key.write_text(config.key.reveal() if config.key else "")
        try:
            context.load_cert_chain(cert, key, password=refuse_password)
        except (OSError, ValueError) as error:
            what = f"{config.cert_file or 'cert'} and {config.key_file or 'key'}"
            raise ConfigError([f"tls_server_config: cannot use {what}: {error}"]) from None


def refuse_password() -> str:
    """OpenSSL would otherwise ask on the terminal, and wait."""
    raise ValueError("the key is encrypted")


def load_client_ca(context: ssl.SSLContext, config: TlsServer) -> None:
    """Whose client certificates are accepted."""
    try:
        if config.client_ca_file is not None:
            context.load_verify_locations(cafile=config.client_ca_file)
        elif config.client_ca is not None:
            context.load_verify_locations(cadata=config.client_ca)
    except (OSError, ValueError) as error:
        raise ConfigError([f"tls_server_config: cannot use {config.client_ca_file or 'client_ca'}: {error}"]) from None
