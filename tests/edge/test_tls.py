"""TLS over real sockets, with certificates that change and clients that must show theirs."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from bridge.config import TlsServer, load_web_config
from bridge.edge import send_text, server_context
from bridge.errors import ConfigError
from tests.edge.serving import Wire, serving

pytestmark = pytest.mark.anyio

PKI = Path(__file__).parent / "pki"
PAIR = f"cert_file: {PKI}/server.pem, key_file: {PKI}/server.key"


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    await send_text(send, 200, scope["scheme"])


def tls(path: Path, text: str) -> TlsServer:
    path.write_text(text)
    config = load_web_config(path).tls_server_config
    assert config is not None
    return config


def client(*, certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=PKI / "ca.pem")
    if certificate:
        context.load_cert_chain(PKI / "client.pem", PKI / "client.key")
    return context


def peer_name(wire: Wire) -> str:
    """Whose certificate the server showed."""
    certificate = wire.writer.get_extra_info("peercert")
    return str(dict(part[0] for part in certificate["subject"])["commonName"])


async def test_files_and_inline_texts(tmp_path: Path) -> None:
    for name in ("server.pem", "server.key"):
        shutil.copy(PKI / name, tmp_path)
    files = "tls_server_config: {cert_file: server.pem, key_file: server.key}"
    texts = [
        f"  {part}: |\n" + "".join(f"    {line}\n" for line in (PKI / name).read_text().splitlines())
        for part, name in (("cert", "server.pem"), ("key", "server.key"))
    ]
    for text in (files, "tls_server_config:\n" + "".join(texts)):
        context = server_context(tls(tmp_path / "web.yml", text))
        async with serving(app, tls=context) as port, Wire.to(port, client()) as wire:
            assert (await wire.ask("GET", "/")).body == b"https\n"
            assert peer_name(wire) == "server"


async def test_versions(tmp_path: Path) -> None:
    context = server_context(tls(tmp_path / "web.yml", f"tls_server_config: {{{PAIR}, min_version: TLS13}}"))
    old = client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(app, tls=context) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with Wire.to(port, old):
                pass
        async with Wire.to(port, client()) as wire:
            assert wire.writer.get_extra_info("ssl_object").version() == "TLSv1.3"


async def test_client_certificates(tmp_path: Path) -> None:
    auth = f"client_ca_file: {PKI}/ca.pem, client_auth_type: RequireAndVerifyClientCert"
    context = server_context(tls(tmp_path / "web.yml", f"tls_server_config: {{{PAIR}, {auth}}}"))
    async with serving(app, tls=context) as port:
        async with Wire.to(port, client(certificate=True)) as wire:
            assert (await wire.ask("GET", "/")).status == 200
        # TLS 1.3 tells a client that its certificate is missing only after the handshake.
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            async with Wire.to(port, client()) as wire:
                await wire.ask("GET", "/")


async def test_a_renewed_certificate_is_used_and_a_torn_one_is_not(tmp_path: Path) -> None:
    def put(cert: str, key: str) -> None:
        for source, target in ((f"{cert}.pem", "cert.pem"), (f"{key}.key", "key.pem")):
            new = Path(shutil.copy(PKI / source, tmp_path / "new"))
            new.replace(tmp_path / target)

    put("server", "server")
    ca = f"client_ca_file: {PKI}/ca.pem, client_auth_type: RequireAndVerifyClientCert"
    text = f"tls_server_config: {{cert_file: cert.pem, key_file: key.pem, {ca}}}"
    context = server_context(tls(tmp_path / "web.yml", text))
    async with serving(app, tls=context) as port:

        async def shown() -> str:
            async with Wire.to(port, client(certificate=True)) as wire:
                assert (await wire.ask("GET", "/")).status == 200
                return peer_name(wire)

        assert await shown() == "server"
        put("renewed", "server")  # half of a renewal: the pair does not fit
        assert await shown() == "server"
        put("renewed", "renewed")
        assert [await shown(), await shown()] == ["renewed", "renewed"]
        # What is asked of clients is what it was.
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            async with Wire.to(port, client()) as wire:
                await wire.ask("GET", "/")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cert_file: none.pem, key_file: none.key", "cannot use"),
        (f"cert_file: {PKI}/server.pem, key_file: {PKI}/client.key", "cannot use"),
        (f"cert_file: {PKI}/ca.pem, key_file: {PKI}/README.md", "cannot use"),
        (f"{PAIR}, client_ca: nonsense, client_auth_type: RequireAndVerifyClientCert", "client_ca"),
        (f"cert_file: {PKI}/server.pem", "needs one of key and key_file"),
        ("client_auth_type: RequireAnyClientCert", "expected 'NoClientCert'"),
        ("client_allowed_sans: [a]", "unknown field"),
    ],
)
def test_what_cannot_work_is_said_at_start(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        server_context(tls(tmp_path / "web.yml", f"tls_server_config: {{{text}}}"))
