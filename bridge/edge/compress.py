"""Content-Encoding of large answers."""

from isal import isal_zlib
from starlette.types import Scope

from bridge.edge.request import header

__all__ = ["compressed"]

LEVEL = 1
WBITS = 31  # the largest window, with gzip's header
WORTH_IT = 1024  # bytes; below, the header costs more than it saves
VARY = (b"vary", b"Accept-Encoding")


def compressed(scope: Scope, body: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The body as the client takes it, gzipped if it may be, and the headers that say so.

    Meant for a thread: large bodies take their time.
    """
    if len(body) < WORTH_IT or not accepts_gzip(header(scope, b"accept-encoding") or b""):
        return body, [VARY]
    return isal_zlib.compress(body, LEVEL, WBITS), [VARY, (b"content-encoding", b"gzip")]


def accepts_gzip(value: bytes) -> bool:
    """Whether an Accept-Encoding header names gzip with a quality above 0."""
    for item in value.lower().split(b","):
        name, _, params = item.strip().partition(b";")
        if name.strip() == b"gzip" and params.replace(b" ", b"") not in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"}:
            return True
    return False
