"""What goes over the wire: paths, parameters, credentials, encodings; and who is found to answer."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.clock import SystemClock
from bridge.config import InfluxSink
from bridge.forward.influxdb import AutoTransport, open_transport
from bridge.forward.transport import Request, Transport
from tests.edge.serving import serving
from tests.forward import faults
from tests.forward.fake_influx import PATHS, FakeInflux

pytestmark = pytest.mark.anyio

LINE = Request(b"m value=1 1\n", {"Content-Type": "text/plain; charset=utf-8"}, 1)


@asynccontextmanager
async def transport(fake: Any, **settings: Any) -> AsyncIterator[Transport]:
    async with serving(fake) as port:
        found = open_transport(InfluxSink(name="x", url=f"http://127.0.0.1:{port}/base", **settings), SystemClock())
        try:
            yield found
        finally:
            await found.close()


class Based:
    """Serves a fake below `/base`."""

    def __init__(self, fake: FakeInflux) -> None:
        self.fake = fake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"].startswith("/base/")
        await self.fake({**scope, "path": scope["path"].removeprefix("/base")}, receive, send)


V1_CASES: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    ({"db": "d"}, {"db": "d", "precision": "ms"}, {}),
    ({"db": "d", "rp": "r"}, {"db": "d", "rp": "r", "precision": "ms"}, {}),
    ({"db": "a b&c", "username": "u", "password": "p:ä"}, {"db": "a b&c"}, {"authorization": "Basic dTpwOsOk"}),
    ({"db": "d", "token": "t"}, {}, {"authorization": "Token t"}),
    ({"db": "d", "headers": {"X-Scope": "1"}}, {}, {"x-scope": "1"}),
]


@pytest.mark.parametrize(("settings", "params", "headers"), V1_CASES)
async def test_1x(settings: dict[str, Any], params: dict[str, str], headers: dict[str, str]) -> None:
    fake = FakeInflux(version=1)
    async with transport(Based(fake), dialect="v1", **settings) as t:
        assert (await t.post(LINE)).answer.status == 204
    (write,) = fake.writes
    assert params.items() <= write.params.items()
    assert headers.items() <= write.headers.items()
    assert write.headers["user-agent"].startswith("pushbridge/")
    assert write.headers["content-type"] == "text/plain; charset=utf-8"


V2_CASES: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    ({"bucket": "b", "org": "o", "token": "t"}, {"bucket": "b", "org": "o"}, {"authorization": "Token t"}),
    ({"bucket": "d/r"}, {"bucket": "d/r", "precision": "ms"}, {}),
    ({"bucket": "b", "username": "u", "password": "p"}, {}, {"authorization": "Basic dTpw"}),
    ({"bucket": "b", "headers": {"X-Scope": "1"}}, {}, {"x-scope": "1"}),
]


@pytest.mark.parametrize(("settings", "params", "headers"), V2_CASES)
async def test_2x(settings: dict[str, Any], params: dict[str, str], headers: dict[str, str]) -> None:
    fake = FakeInflux(version=2)
    async with transport(Based(fake), dialect="v2", **settings) as t:
        assert (await t.post(LINE)).answer.status == 204
    (write,) = fake.writes
    assert params.items() <= write.params.items()
    assert headers.items() <= write.headers.items()


@pytest.mark.parametrize("version", [1, 2])
async def test_answers_are_given_as_they_are(version: Any) -> None:
    fake = FakeInflux(version=version)
    async with transport(Based(fake), dialect=f"v{version}", db="d", bucket="b") as t:
        fake.faults.append(faults.answers(429, "slow down", code="x", retry_after="7"))
        answer = (await t.post(LINE)).answer
        assert (answer.status, answer.text, answer.retry_after) == (429, "slow down", 7.0)
        fake.faults.append(faults.answers(307))
        assert (await t.post(LINE)).answer.status == 307
        fake.faults.append(faults.reset_after_commit)
        answer = (await t.post(LINE)).answer
        assert answer.status == 0
        assert answer.text


@pytest.mark.parametrize("dialect", ["v1", "v2", "auto"])
async def test_nobody_there_is_an_answer_too(dialect: Any, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    t = open_transport(InfluxSink(name="x", url=url, dialect=dialect, db="d", bucket="b"), SystemClock())
    answer = (await t.post(LINE)).answer
    assert answer.status == 0
    assert "onnect" in answer.text
    await t.close()


@pytest.mark.parametrize("version", [1, 2])
async def test_silence_ends_with_the_timeout(version: Any) -> None:
    fake = FakeInflux(version=version, always=faults.slow(1.0))
    async with transport(Based(fake), dialect=f"v{version}", db="d", bucket="b", timeout="50ms") as t:
        assert (await t.post(LINE)).answer.status == 0


async def knows_ping(version: str, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"X-Influxdb-Version": version} if version else {}
    await Response(body, 200 if body else 204, headers)(scope, receive, send)


AUTO = [
    ("1.6.7~rc0", b"", {"db": "d"}, "v1"),
    ("1.8.10", b"", {"bucket": "d/r"}, "v1"),
    ("1.8.10", b"", {"db": "d", "bucket": "b"}, "v1"),
    ("v2.7.1", b"", {"bucket": "b"}, "v2"),
    ("2.9.0", b"", {"db": "d", "bucket": "b"}, "v2"),
    ("v2.7.1", b"", {"db": "d"}, "v1"),
    ("", b'{"version":"3.10.0","revision":"x"}', {"bucket": "b"}, "v3"),
    ("", b'{"version":"3.10.0","revision":"x"}', {"db": "d"}, "v3"),
    ("", b"", {"bucket": "b"}, "v2"),
    ("", b"<html>", {"db": "d"}, "v1"),
]


@pytest.mark.parametrize(("version", "body", "settings", "dialect"), AUTO)
async def test_ping_tells_who_answers(version: str, body: bytes, settings: dict[str, str], dialect: str) -> None:
    asked: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        if scope["path"] == "/base/ping":
            await knows_ping(version, body, scope, receive, send)
        else:
            await Response(status_code=204)(scope, receive, send)

    async with transport(app, dialect="auto", **settings) as t:
        assert (await t.post(LINE)).answer.status == 204
        assert (await t.post(LINE)).answer.status == 204
        assert isinstance(t, AutoTransport)
        assert t.dialect == dialect
    told = [] if version or b"version" in body else ["/base/health"]
    assert asked == ["/base/ping", *told, *["/base" + PATHS[int(dialect[1])]] * 2]


@pytest.mark.parametrize(
    ("body", "headers", "dialect"),
    [
        (b'{"status":"pass","version":"v2.7.1"}', {}, "v2"),
        (b'{"status":"pass","version":"1.8.10"}', {}, "v1"),
        (b"OK", {"cluster-uuid": "x"}, "v3"),
        (b"OK", {}, "v2"),
    ],
)
async def test_health_tells_it_where_ping_does_not(body: bytes, headers: dict[str, str], dialect: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = {"/base/health": Response(body, 200, headers), "/base/ping": Response(b"", 401)}
        await found.get(scope["path"], Response(status_code=204))(scope, receive, send)

    async with transport(app, dialect="auto", bucket="b") as t:
        assert (await t.post(LINE)).answer.status == 204
        assert isinstance(t, AutoTransport)
        assert t.dialect == dialect


async def test_v3_says_what_it_is_sent_and_never_that_it_need_not_be_durable() -> None:
    fake = FakeInflux(version=3)
    async with transport(Based(fake), dialect="v3", db="d", token="t") as t:
        assert (await t.post(LINE)).answer.status == 204
    (write,) = fake.writes
    assert write.params == {"db": "d", "precision": "millisecond", "accept_partial": "true"}
    assert write.headers["authorization"] == "Bearer t"


async def test_a_server_that_was_upgraded_is_asked_again() -> None:
    fake = FakeInflux(version=1)
    async with transport(Based(fake), dialect="auto", db="d", bucket="b") as t:
        assert (await t.post(LINE)).answer.status == 204
        fake.version = 2
        assert (await t.post(LINE)).answer.status == 404
        assert (await t.post(LINE)).answer.status == 204
        assert isinstance(t, AutoTransport)
        assert t.dialect == "v2"


PKI = Path(__file__).parents[1] / "edge" / "pki"


@pytest.mark.parametrize("version", [1, 2])
async def test_https(version: Any) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=PKI / "ca.pem")
    server.load_cert_chain(PKI / "server.pem", PKI / "server.key")
    server.verify_mode = ssl.CERT_REQUIRED
    fake = FakeInflux(version=version)
    own = {"cert_file": str(PKI / "client.pem"), "key_file": str(PKI / "client.key")}
    async with serving(fake, tls=server) as port:

        async def status(**tls_config: str) -> int:
            url = f"https://127.0.0.1:{port}"
            t = open_transport(InfluxSink(name="x", url=url, db="d", bucket="b", tls_config=tls_config), SystemClock())
            answer = (await t.post(LINE)).answer
            await t.close()
            return answer.status

        assert await status(ca_file=str(PKI / "ca.pem"), **own) == 204
        assert await status(insecure_skip_verify="true", **own) == 204
        assert await status(**own) == 0, "nobody vouches for the server"
        assert await status(ca_file=str(PKI / "ca.pem")) == 0, "the server wants to see a certificate"


@pytest.mark.parametrize(
    ("tls_config", "text"),
    [
        ({"ca_file": "/nonexistent"}, "No such file"),
        ({"cert_file": str(PKI / "client.pem")}, "go together"),
        ({"cert_file": str(PKI / "client.pem"), "key_file": str(PKI / "server.key")}, "mismatch"),
    ],
)
def test_tls_files_that_cannot_be_used_are_found_with_the_configuration(tls_config: Any, text: str) -> None:
    with pytest.raises(ValidationError, match=f"(?i){text}"):
        InfluxSink(name="x", url="https://h", db="d", tls_config=tls_config)
