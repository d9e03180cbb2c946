"""Sinks behind a proxy: what it is asked, and what becomes of samples while it is in the way."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from bridge.clock import SystemClock
from bridge.config import InfluxSink
from bridge.forward.influx_admin import InfluxAdmin
from bridge.forward.influxdb import open_transport
from bridge.forward.transport import Request
from tests.edge.serving import serving, until
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_proxy import FakeProxy, proxying
from tests.forward.kinds import KINDS
from tests.forward.rig import Rig

pytestmark = pytest.mark.anyio

ALL = pytest.mark.parametrize("kind", KINDS)
PKI = Path(__file__).parents[1] / "edge" / "pki"


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PKI / "server.pem", PKI / "server.key")
    return context


@contextlib.asynccontextmanager
async def behind(
    folder: Path, kind: str, proxy: FakeProxy, fake: Any = None, *, credentials: str = "", **settings: Any
) -> AsyncIterator[Rig]:
    """A rig whose sink is reached through `proxy`."""
    async with proxying(proxy) as port:
        url = f"http://{credentials}127.0.0.1:{port}"
        fake = fake if fake is not None else KINDS[kind].fake()
        async with KINDS[kind].running(folder, fake, proxy_url=url, **settings) as r:
            yield r


@ALL
async def test_requests_to_http_go_in_absolute_form(tmp_path: Path, kind: str) -> None:
    """With credentials in each, also in the second one of a connection; headers for CONNECT are not for these."""
    proxy = FakeProxy(credentials="ü:p:w")
    extra = {"proxy_connect_header": {"X-Way": ["a"]}}
    async with behind(tmp_path, kind, proxy, credentials="%C3%BC:p%3Aw@", **extra) as r:
        for _ in range(3):
            await r.push(5)
            await r.drained()
        await r.check()
    writes = [asked for asked in proxy.asked if asked.method == "POST"]
    assert len(writes) >= 3
    assert all(asked.target.startswith("http://127.0.0.1:") for asked in writes)
    assert all("x-way" not in asked.headers for asked in writes)
    assert len({asked.connection for asked in proxy.asked}) < len(proxy.asked), "connections stay"


@contextlib.asynccontextmanager
async def tunnelled(folder: Path, kind: str, proxy: FakeProxy, fake: Any = None) -> AsyncIterator[Rig]:
    """A rig whose sink wants TLS, and is reached through `proxy`; it has not been started."""
    fake = fake if fake is not None else KINDS[kind].fake()
    async with (
        serving(fake, tls=server_tls()) as port,
        proxying(proxy) as way,
        KINDS[kind].running(folder, fake) as r,
    ):
        await r.stop_sink()
        values = {
            "url": f"https://127.0.0.1:{port}" + ("/api/v1/write" if KINDS[kind].is_remote else ""),
            "tls_config": {"ca_file": str(PKI / "ca.pem")},
            "proxy_url": f"http://u@127.0.0.1:{way}",
            "proxy_connect_header": {"X-Way": ["a", "b"]},
        }
        given = {name: getattr(r.settings, name) for name in r.settings.model_fields_set}
        r.settings = type(r.settings).model_validate(given | values)
        yield r


@ALL
async def test_requests_to_https_go_through_a_tunnel(tmp_path: Path, kind: str) -> None:
    proxy, fake = FakeProxy(credentials="u:"), KINDS[kind].fake()
    async with tunnelled(tmp_path, kind, proxy, fake) as r:
        r.start_sink()
        await r.push(20)
        await r.push(20)
        await r.check()
        host = r.settings.url.removeprefix("https://").partition("/")[0]
    assert {(asked.method, asked.target) for asked in proxy.asked} == {("CONNECT", host)}
    assert {asked.headers.get("x-way") for asked in proxy.asked} == {"a, b"}
    heads = [write.headers for write in fake.writes]
    assert not any("x-way" in head or "proxy-authorization" in head for head in heads), "these are the proxy's alone"


@ALL
async def test_a_proxy_that_is_away_for_a_while(tmp_path: Path, kind: str, free_port: int) -> None:
    fake = KINDS[kind].fake()
    async with KINDS[kind].running(tmp_path, fake, proxy_url=f"http://127.0.0.1:{free_port}") as r:
        await r.push(30)
        await until(lambda: r.sink.status().state == "retrying")
        await r.push(30)
        await r.restart()
        await until(lambda: r.sink.status().state == "retrying")
        assert r.sink.status().pending == 60
        async with proxying(FakeProxy(), port=free_port) as _:
            await r.drained()
        await r.push(30)
        await until(lambda: r.sink.status().state == "retrying")
        async with proxying(FakeProxy(), port=free_port) as _:
            await r.check()
        assert r.sink.status().account.dead_lettered == 0


# What a proxy says instead of letting a request through, and what it makes of a sink.
ANSWERS = [
    (407, "who are you?", "held"),
    (403, "<html>not on my watch</html>", "held"),
    (502, "<html>bad gateway</html>", "retrying"),
    (503, "unable to parse 'm,n=1 value=1 1': no route", "retrying"),
    (504, "", "retrying"),
    (429, "too many", "retrying"),
]


@ALL
@pytest.mark.parametrize(("status", "text", "state"), [a for a in ANSWERS if "parse" not in a[1]])
async def test_what_a_proxy_answers_is_never_blamed_on_samples(
    tmp_path: Path, kind: str, status: int, text: str, state: str
) -> None:
    proxy = FakeProxy()
    async with behind(tmp_path, kind, proxy) as r:
        await r.push(30)
        await r.drained()
        proxy.always = (status, text)
        await r.push(30)
        await until(lambda: r.sink.status().state == state)
        seen = len(proxy.asked)
        await until(lambda: len(proxy.asked) > seen + 4)
        assert (r.sink.status().pending, r.sink.status().account.dead_lettered) == (30, 0)
        proxy.always = None
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


@ALL
@pytest.mark.parametrize(("status", "text", "state"), ANSWERS)
async def test_nor_what_it_answers_to_connect(tmp_path: Path, kind: str, status: int, text: str, state: str) -> None:
    proxy = FakeProxy(always=(status, text))
    async with tunnelled(tmp_path, kind, proxy) as r:
        r.start_sink()
        await r.push(30)
        await until(lambda: r.sink.status().state == state)
        seen = len(proxy.asked)
        await until(lambda: len(proxy.asked) > seen + 4)
        assert f"the proxy answers {status}" in r.sink.status().problem
        assert (r.sink.status().pending, r.sink.status().account.dead_lettered) == (30, 0)
        proxy.always = None
        await r.check()
        assert r.sink.status().account.dead_lettered == 0


@ALL
@pytest.mark.parametrize("status", [502, 504])
async def test_nor_when_others_get_through_meanwhile(tmp_path: Path, kind: str, status: int) -> None:
    fake, searched = KINDS[kind].fake(), False

    async def gateway(sink: Any, write: Any) -> Response:
        nonlocal searched
        remote = KINDS[kind].is_remote
        series = [("n", "7") in row.labels for row in write.rows] if remote else ["n=7 " in s for s in write.lines]
        if not any(series):
            return sink.serve(write)  # type: ignore[no-any-return]
        searched = searched or len(series) == 1
        return PlainTextResponse("bad gateway", status)

    fake.always = gateway
    async with KINDS[kind].running(tmp_path, fake) as r:
        for _ in range(3):
            await r.push(20)
        await until(lambda: len(fake.writes) > 30)  # three equal answers are enough to blame a sample for 500
        assert r.sink.status().account.dead_lettered == 0
        fake.always = None
        await r.check()
        assert r.sink.status().account.dead_lettered == 0
    assert not searched


async def test_hosts_without_a_proxy(tmp_path: Path, free_port: int) -> None:
    async with KINDS["influxdb v2"].running(
        tmp_path, FakeInflux(), proxy_url=f"http://127.0.0.1:{free_port}", no_proxy="example.com"
    ) as r:
        await r.push(3)
        await r.check()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_tls_itself(scheme: str) -> None:
    proxy, fake = FakeProxy(), FakeInflux(version=1)
    sink_tls = server_tls() if scheme == "https" else None
    async with serving(fake, tls=sink_tls) as port, proxying(proxy, tls=server_tls()) as way:
        settings = InfluxSink.model_validate(
            {
                "name": "x",
                "url": f"{scheme}://localhost:1",
                "dialect": "v1",
                "db": "d",
                "proxy_url": f"https://localhost:{way}",
                "tls_config": {"ca_file": PKI / "ca.pem"},
            }
        )
        proxy.names["localhost"] = port
        transport = open_transport(settings, SystemClock())
        try:
            assert (await transport.post(Request(b"m value=1 1\n", {}, 1))).answer.status == 204
        finally:
            await transport.close()
    (asked,) = proxy.asked
    assert asked.target == {"http": "http://localhost:1/write?db=d&precision=ms", "https": "localhost:1"}[scheme]


@pytest.mark.parametrize("status", [407, 502, 503])
async def test_who_answers_is_not_guessed_from_what_a_proxy_says(status: int) -> None:
    proxy, fake = FakeProxy(always=(status, "no")), FakeInflux(version=3)
    async with serving(fake) as port, proxying(proxy) as way:
        settings = InfluxSink(name="x", url=f"http://127.0.0.1:{port}", db="d", proxy_url=f"http://127.0.0.1:{way}")
        transport = open_transport(settings, SystemClock())
        try:
            ruling = await transport.post(Request(b"m value=1 1\n", {}, 1))
            assert ruling.verdict.value == ("hold" if status == 407 else "retry")
            proxy.always = None
            assert (await transport.post(Request(b"m value=1 1\n", {}, 1))).answer.status == 204
        finally:
            await transport.close()
    assert [write.path for write in fake.writes] == ["/api/v3/write_lp"]


async def test_buckets_are_asked_about_through_it_too() -> None:
    proxy, fake = FakeProxy(credentials="u:p"), FakeInflux(version=2, keeps="2h0m0s")
    async with serving(fake) as port, proxying(proxy) as way:
        settings = InfluxSink(
            name="x",
            url=f"http://127.0.0.1:{port}",
            dialect="v2",
            org="o",
            bucket="b",
            proxy_url=f"http://u:p@127.0.0.1:{way}",
        )
        assert await InfluxAdmin(settings).retention() == 7_200_000
    assert all(asked.target.startswith(f"http://127.0.0.1:{port}/api/v2/") for asked in proxy.asked)
    assert proxy.asked
