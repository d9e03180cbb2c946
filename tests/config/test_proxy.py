"""The four settings of a proxy: what they mean together, and who is spoken to without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.config import ProxyClient, load
from bridge.errors import ConfigError

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def proxy_of(client: ProxyClient, url: str) -> str | None:
    found = client.proxy_for(url)
    return found.address if found is not None else None


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"proxy_connect_header": {"a": ["b"]}},
        "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
    ),
    (
        {"proxy_url": "http://p", "proxy_from_environment": "true"},
        "if proxy_from_environment is configured, proxy_url must not be configured",
    ),
    (
        {"no_proxy": "h", "proxy_from_environment": "true"},
        "if proxy_from_environment is configured, no_proxy must not be configured",
    ),
    ({"no_proxy": "h"}, "if no_proxy is configured, proxy_url must also be configured"),
    ({"proxy_url": "socks5://p:1"}, "other proxies are not spoken to"),
    ({"proxy_url": "p:3128"}, "expected http://"),
    ({"proxy_url": "http://p:0"}, "expected http://"),
    ({"proxy_url": "http://p:x"}, "not a valid URL of a proxy"),
    ({"proxy_url": "http://p", "proxy_connect_header": {"a b": ["c"]}}, 'not the name of a header: "a b"'),
    ({"proxy_url": "http://p", "proxy_connect_header": {"a": ["c\r\nd: e"]}}, "a value of a has control characters"),
]


@pytest.mark.parametrize(("settings", "problem"), REFUSED)
def test_what_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ProxyClient(**settings)
    assert problem in str(refusal.value)


FILE = """
remote_write:
  - url: http://h/w
    proxy_url: http://u:hid%64en@proxy:3128
    no_proxy: a,b
    proxy_connect_header: {X-One: [hidden, other]}
    oauth2: {client_id: c, client_secret: s, token_url: http://t, proxy_url: https://p}
influxdb: [{name: i, url: http://i, db: d, proxy_url: http://proxy:3128/}]
"""


def test_a_file_with_all_of_it_shows_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text(FILE)
    settings = load(file)
    shown = str(settings.model_dump(mode="json"))
    assert "http://u:<secret>@proxy:3128" in shown
    assert "hidden" not in shown + repr(settings)
    assert "hid%64en" not in shown + repr(settings)
    first = settings.remote_write[0].proxy_url
    assert first is not None
    assert first.authorization == "Basic dTpoaWRkZW4="
    assert settings.influxdb[0].proxy_for("https://x") is not None


def test_errors_name_the_setting_and_not_the_password(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("influxdb: [{name: i, url: http://i, db: d, proxy_url: 'socks5://u:secret@p'}]")
    with pytest.raises(ConfigError, match="proxy_url") as refusal:
        load(file)
    assert "secret" not in str(refusal.value)


def test_a_proxy_url_alone_is_for_everything_also_this_machine() -> None:
    client = ProxyClient(proxy_url="http://p:1")
    assert {proxy_of(client, url) for url in ("http://localhost", "https://127.0.0.1:9", "http://h")} == {"http://p:1"}


# The lists and hosts of Go's own tests (golang.org/x/net/http/httpproxy/proxy_test.go), to show the same answers.
LIST = (
    "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30,"
    " 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64"
)
HOSTS = {
    "localhost": False,
    "127.0.0.1": False,
    "127.0.0.2": False,
    "[::1]": False,
    "[::2]": True,
    "192.168.1.1": False,
    "192.168.1.2": True,
    "192.168.1.3": False,
    "192.168.1.4": True,
    "[::ffff:192.168.1.1]": False,
    "10.0.0.2": False,
    "10.0.0.4": True,
    "[2001:db8::52:0:1]": False,
    "[2001:db8::52:0:2]": True,
    "[2001:db8::52:0:3]": False,
    "[2002:db8:a::123]": False,
    "[fe80::424b:c8be:1643:a1b6]": True,
    "barbaz.net": True,
    "www.barbaz.net": False,
    "foobar.com": False,
    "FooBar.COM": False,
    "www.foobar.com": False,
    "foofoobar.com": True,
    "baz.com": True,
    "localhost.net": True,
    "local.localhost": True,
    "barbarbaz.net": True,
    "wildcard.io": True,
    "nested.wildcard.io": False,
    "awildcard.io": True,
}


@pytest.mark.parametrize(("host", "proxied"), HOSTS.items())
def test_no_proxy(host: str, proxied: bool) -> None:
    url = f"http://{host}/path"
    assert (proxy_of(ProxyClient(proxy_url="http://p", no_proxy=LIST), url) is not None) == proxied
    assert proxy_of(ProxyClient(proxy_url="http://p", no_proxy=f"{LIST}, *"), url) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("example.com", "http://example.com/", False),
        ("ample.com", "http://example.com/", True),
        (".example.com", "http://example.com/", True),
        (".示例.com", "http://www.示例.com", False),
        ("xn--fsq092h.com", "http://www.示例.com", False),
        ("示例.com", "http://www.xn--fsq092h.com", False),
        ("example.com", "http://[1000::%25.example.com]:123", True),
        ("example.com:8080", "http://example.com:8080", False),
        ("example.com:8080", "https://example.com", True),
        ("example.com:443", "https://example.com", False),
        (":1", "http://example.com", True),
        (",, ,10.0.0.0/x,10.0.0.0/33,[::1", "http://10.0.0.1", True),
        ("10.0.0.0/255.0.0.0", "http://10.0.0.1", True),
    ],
)
def test_entries_of_no_proxy(no_proxy: str, url: str, proxied: bool) -> None:
    assert (proxy_of(ProxyClient(proxy_url="http://p", no_proxy=no_proxy), url) is not None) == proxied


FROM_ENVIRONMENT: list[tuple[dict[str, str], str, str | None]] = [
    ({}, "http://h", None),
    ({"HTTP_PROXY": "127.0.0.1:8080"}, "http://h", "http://127.0.0.1:8080"),
    ({"HTTP_PROXY": "cache.corp.example.com"}, "http://h", "http://cache.corp.example.com"),
    ({"HTTP_PROXY": "https://p"}, "http://h", "https://p"),
    ({"http_proxy": "p", "HTTP_PROXY": ""}, "http://h", "http://p"),
    ({"http_proxy": "p", "HTTP_PROXY": "q"}, "http://h", "http://q"),
    ({"HTTP_PROXY": "p", "HTTPS_PROXY": "s"}, "http://h", "http://p"),
    ({"HTTP_PROXY": "p", "HTTPS_PROXY": "s"}, "https://h", "http://s"),
    ({"HTTP_PROXY": "p"}, "https://h", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": "h"}, "http://h", None),
    ({"HTTP_PROXY": "p", "no_proxy": "other"}, "http://h", "http://p"),
    ({"HTTP_PROXY": "p"}, "http://localhost:1", None),
]


@pytest.mark.parametrize(("environment", "url", "proxy"), FROM_ENVIRONMENT)
def test_from_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(ProxyClient(), url) is None, "only who asks for it"
    assert proxy_of(ProxyClient(proxy_from_environment="true"), url) == proxy


def test_a_proxy_of_the_environment_that_cannot_be_used_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://u:secret@p")
    with pytest.raises(ValidationError, match="proxy_from_environment: https_proxy: expected http://") as refusal:
        ProxyClient(proxy_from_environment="true")
    assert "secret" not in str(refusal.value)
