"""The page and its files, through HTTP: Pushgateway's rows M1-4 and U1, headers, what must not be found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bridge_process import BridgeProcess

STATIC = resources.files("bridge.ui") / "static"
FILES = sorted(entry.name for entry in STATIC.iterdir() if not entry.name.endswith(".html"))


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path_factory.mktemp("page")) as process:
        yield process


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    config = "web: {route_prefix: /foobar/}\n"
    with BridgeProcess(tmp_path_factory.mktemp("prefixed"), config, prefix="/foobar") as process:
        yield process


class Markup(HTMLParser):
    """What a document links to, and what it would run by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            if name in {"src", "href"} and value and not value.startswith("#"):
                self.links.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}={value}")
        if tag == "style":
            self.inline.append(tag)

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._script = False


# -- M1-4 and U1 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/status", "/?x=1"])
def test_page_is_found(bridge: BridgeProcess, path: str) -> None:
    answer = bridge.request("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '"/static/app.js"' in answer.text
    assert "{{" not in answer.text


@pytest.mark.parametrize("name", FILES)
def test_m1_m3_files_are_found(bridge: BridgeProcess, prefixed: BridgeProcess, name: str) -> None:
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for answer in (bridge.request("GET", f"/static/{name}"), prefixed.request("GET", f"/foobar/static/{name}")):
        assert answer.status == 200
        assert answer.body == (STATIC / name).read_bytes()
        assert answer.headers["content-type"] == types[name.rpartition(".")[2]]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_m2_m4_other_files_are_not(bridge: BridgeProcess, prefixed: BridgeProcess) -> None:
    assert bridge.request("GET", "/static/missing.js").status == 404
    assert prefixed.request("GET", "/foobar/static/missing.js").status == 404
    assert prefixed.request("GET", "/static/app.js").status == 404, "nothing is outside the prefix"
    assert prefixed.request("GET", "/").status == 404


@pytest.mark.parametrize("path", ["/foobar", "/foobar/", "/foobar/status"])
def test_u1_page_under_a_prefix(prefixed: BridgeProcess, path: str) -> None:
    answer = prefixed.request("GET", path)
    assert answer.status == 200
    links = Markup(answer.text).links
    assert any(link.startswith("/foobar/static/") for link in links)
    for link in links:
        assert prefixed.request("GET", link).status == 200, link


def test_links_follow_the_external_address(tmp_path: Path) -> None:
    """A proxy that strips its prefix: the browser must be told the path that the proxy knows."""
    with BridgeProcess(tmp_path, 'web: {external_url: "https://metrics.test/out/", route_prefix: /}\n') as bridge:
        assert '"/out/static/app.js"' in bridge.request("GET", "/").text
        assert bridge.request("GET", "/static/app.js").status == 200


def test_a_prefix_is_no_markup(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "web: {external_url: 'http://h/\"><img src=x>', route_prefix: /}\n") as bridge:
        text = bridge.request("GET", "/").text
        assert "&quot;&gt;&lt;img" in text
        assert "<img src=x>" not in text


def test_a_telemetry_path_is_stronger_than_the_page(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, "web: {telemetry_path: /}\n") as bridge:
        assert "pushbridge_" in bridge.request("GET", "/").text
        assert "/static/app.js" in bridge.request("GET", "/status").text


# -- what must not be found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static",
        "/static/",
        "/static/.",
        "/static/..",
        "/static/../routes.py",
        "/static/..%2froutes.py",
        "/static/%2e%2e/routes.py",
        "/static/%2e%2e%2froutes.py",
        "/static/..%5croutes.py",
        "/static/../static/app.js",
        "/static/./app.js",
        "/static//app.js",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.js/",
        "/static/app.js%00",
        "/static/app.js%00.css",
        "/static/APP.JS",
        "/static/index.html",
        "/static/__init__.py",
        "//static/app.js",
        "/index.html",
        "/status/",
    ],
)
def test_traversal_finds_nothing(bridge: BridgeProcess, path: str) -> None:
    answer = bridge.request("GET", path)
    assert answer.status == 404, answer.text[:200]
    assert len(answer.body) < 100


@pytest.mark.parametrize("path", ["/", "/status", "/static/app.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(bridge: BridgeProcess, method: str, path: str) -> None:
    answer = bridge.request(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


# -- headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/status", "/static/app.js", "/static/style.css", "/static/icon.svg"])
def test_security_headers(bridge: BridgeProcess, path: str) -> None:
    headers = bridge.request("GET", path).headers
    policy = dict(part.partition(" ")[::2] for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_a_client_that_has_a_file_gets_none(bridge: BridgeProcess) -> None:
    first = bridge.request("GET", "/static/app.js")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache", "an old module must never meet a new one"
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = bridge.request("GET", "/static/app.js", headers={"If-None-Match": tags})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    other = bridge.request("GET", "/static/app.js", headers={"If-None-Match": '"other"'})
    assert (other.status, other.body) == (200, first.body)
    assert bridge.request("GET", "/static/dom.js").headers["etag"] != etag


def test_head_tells_the_length(bridge: BridgeProcess) -> None:
    answer = bridge.request("HEAD", "/static/app.js")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len((STATIC / "app.js").read_bytes())


# -- the files themselves ----------------------------------------------------------------------------------------------


def test_page_runs_nothing_inline(bridge: BridgeProcess) -> None:
    markup = Markup(bridge.request("GET", "/").text)
    assert markup.inline == []
    assert not [link for link in markup.links if urlsplit(link).netloc], "everything comes from the bridge"


def test_every_module_is_there() -> None:
    for name in FILES:
        if name.endswith(".js"):
            text = (STATIC / name).read_text()
            for imported in re.findall(r'from "([^"]+)"', text):
                assert imported.startswith("./")
                assert imported[2:] in FILES, f"{name} imports {imported}"
            assert not re.search(r"(inner|outer|insertAdjacent)HTML|document\.write|\beval\b|new Function", text), name


def test_every_place_that_modules_ask_for_is_on_the_page(bridge: BridgeProcess) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', bridge.request("GET", "/").text))
    modules = [(STATIC / name).read_text() for name in FILES if name.endswith(".js")]
    asked = {place for text in modules for place in re.findall(r'byId\("([^"]+)"\)', text)}
    assert len(asked) > 20
    assert asked <= ids


def test_flags_that_the_page_depends_on(bridge: BridgeProcess) -> None:
    flags = json.loads(bridge.request("GET", "/api/v1/status").body)["data"]["flags"]
    assert flags["web.enable_admin_api"] == "False"
    assert flags["push.utf8_names"] == "True"
    assert flags["web.telemetry_path"] == "/metrics"


def test_no_secret_is_among_the_settings(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush-1")
    sinks = [
        "{name: a, url: 'http://127.0.0.1:1', db: d, token_file: token, headers: {X-Key: hush-2}}",
        "{name: b, url: 'http://127.0.0.1:1', db: d, username: u, password: hush-3}",
        "{name: c, url: 'http://127.0.0.1:1', db: d, token: hush-4}",
    ]
    with BridgeProcess(tmp_path, f"influxdb: [{', '.join(sinks)}]\n") as bridge:
        text = bridge.request("GET", "/api/v1/status").text
    flags = json.loads(text)["data"]["flags"]
    assert "hush" not in text
    assert flags["influxdb.0.token_file"] == str(tmp_path / "token")
    assert flags["influxdb.0.headers.X-Key"] == flags["influxdb.1.password"] == flags["influxdb.2.token"] == "<secret>"
    assert flags["web.listen"] == f"127.0.0.1:{bridge.port}"
