"""When an answer is compressed."""

from __future__ import annotations

import gzip

import pytest

from bridge.edge import compressed

BODY = b"a line of text\n" * 100


def scope(accept: bytes | None) -> dict[str, object]:
    return {"type": "http", "headers": [] if accept is None else [(b"accept-encoding", accept)]}


@pytest.mark.parametrize("accept", [b"gzip", b"deflate, GZIP;q=0.5", b"br, gzip ; q=1.0"])
def test_whoever_takes_gzip_gets_it(accept: bytes) -> None:
    body, headers = compressed(scope(accept), BODY)
    assert (b"content-encoding", b"gzip") in headers
    assert gzip.decompress(body) == BODY


@pytest.mark.parametrize("accept", [None, b"", b"identity", b"gzip;q=0", b"gzip; q=0.0", b"xgzip", b"br"])
def test_others_get_it_as_it_is(accept: bytes | None) -> None:
    assert compressed(scope(accept), BODY) == (BODY, [(b"vary", b"Accept-Encoding")])


def test_small_bodies_stay_as_they_are() -> None:
    assert compressed(scope(b"gzip"), b"small") == (b"small", [(b"vary", b"Accept-Encoding")])
