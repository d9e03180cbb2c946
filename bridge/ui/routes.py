"""`/`, `/status` and the files that they are made of.

Every file is read once, at start: what can be asked for is a key of a dictionary, so no path of a request ever reaches
the file system.
"""

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.config import Web
from bridge.edge import header, send_response, send_text

__all__ = ["page_routes"]

HTML = b"text/html; charset=utf-8"
TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
GET = frozenset({"GET", "HEAD"})

# Label values and error texts of sinks are written by strangers. Should one of them ever become markup, it still finds
# no script that may run, no place to send anything to, and no frame to hide in.
CONTENT_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
)
SECURITY = [
    (b"content-security-policy", "; ".join(CONTENT_POLICY).encode()),
    (b"referrer-policy", b"no-referrer"),
]


def page_routes(web: Web) -> Mapping[str, ASGIApp]:
    """The page and its files by path, without the route prefix.

    Raises OSError when a file of the package is missing.
    """
    folder = resources.files("bridge.ui") / "static"
    markup = (folder / "index.html").read_text(encoding="utf-8")
    page = _File.of(HTML, markup.replace("{{prefix}}", html.escape(_link_prefix(web))).encode())
    files = {
        entry.name: _File.of(TYPES[suffix], entry.read_bytes())
        for entry in folder.iterdir()
        if (suffix := entry.name[entry.name.rfind(".") :]) in TYPES
    }
    routes: dict[str, ASGIApp] = {"/": page, "/status": page, "/static/{file}": _Files(files)}
    if web.prefix:
        routes[""] = page  # `/bridge` as well as `/bridge/`
    return routes


def _link_prefix(web: Web) -> str:
    """What stands before every path in a browser's eyes: a proxy may strip it before the request gets here."""
    return web.prefix if web.external_url is None else urlsplit(web.external_url).path.rstrip("/")


@dataclass(frozen=True, slots=True)
class _File:
    """ASGI endpoint: bytes that never change while the process lives."""

    content_type: bytes
    body: bytes
    etag: bytes

    @classmethod
    def of(cls, content_type: bytes, body: bytes) -> "_File":
        return cls(content_type, body, b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"')

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in GET:
            await send_text(send, 405, "Method Not Allowed", [(b"allow", b"GET, HEAD")])
            return
        # Modules import each other by name: revalidating each is what keeps an old one from meeting a new one.
        headers = [(b"etag", self.etag), (b"cache-control", b"no-cache"), *SECURITY]
        if _names(header(scope, b"if-none-match"), self.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await send_response(send, 200, self.content_type, self.body, headers)


def _names(if_none_match: bytes | None, etag: bytes) -> bool:
    """Whether the client has this version; a proxy that compressed it may have made its tag a weak one."""
    tags = [tag.strip().removeprefix(b"W/") for tag in (if_none_match or b"").split(b",")]
    return etag in tags or tags == [b"*"]


class _Files:
    """ASGI endpoint of `/static/{file}`."""

    def __init__(self, files: Mapping[str, _File]) -> None:
        self._files = files

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        file = self._files.get(scope["path_params"]["file"])
        if file is None:
            await send_text(send, 404, "Not Found")
        else:
            await file(scope, _receive, send)
