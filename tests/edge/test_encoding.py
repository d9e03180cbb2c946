"""Compressed bodies: all three encodings, cut, damaged, and far too large."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest
import snappy
import zstandard

from bridge.edge import Gate, decode_body
from bridge.errors import BadInput, TooLarge, UnsupportedType

pytestmark = pytest.mark.anyio

LIMIT = 1 << 20
TEXT = b'some_metric{label="value"} 3.14\n' * 100


def snappy_framed(data: bytes) -> bytes:
    return bytes(snappy.StreamCompressor().compress(data))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


ENCODERS = {b"gzip": gzip.compress, b"snappy": snappy_framed, b"zstd": zstd}


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_bodies_come_out_as_they_went_in(encoding: bytes) -> None:
    gate = Gate(1 << 30)
    for size in (0, 1, len(TEXT), LIMIT):
        body = os.urandom(size)
        with gate.hold() as hold:
            decoded = await decode_body(ENCODERS[encoding](body), encoding.upper(), LIMIT, hold)
            assert decoded == body
            assert gate.used == size
    assert gate.used == 0


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_more_than_the_limit_is_refused(encoding: bytes) -> None:
    with Gate(1 << 30).hold() as hold, pytest.raises(TooLarge, match="1048576 bytes after decompression"):
        await decode_body(ENCODERS[encoding](bytes(LIMIT + 1)), encoding, LIMIT, hold)
    assert hold.size == 0


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_damaged_bodies_are_refused(encoding: bytes) -> None:
    whole = ENCODERS[encoding](TEXT)
    with Gate(1 << 30).hold() as hold:
        for damaged in (b"nonsense", whole[: len(whole) // 2], whole[:-1], b"\0" + whole):
            with pytest.raises(BadInput):
                await decode_body(damaged, encoding, LIMIT, hold)


async def test_several_zstd_frames_are_one_body() -> None:
    with Gate(1 << 30).hold() as hold:
        frames = zstd(TEXT) + zstd(b"") + zstd(b"more")
        assert await decode_body(frames, b"zstd", LIMIT, hold) == TEXT + b"more"
        assert await decode_body(b"", b"zstd", LIMIT, hold) == b""


async def test_a_zstd_bomb_stops_near_the_limit() -> None:
    # 32 KiB that stand for 1 GiB: each block of four bytes is a run of 128 KiB.
    block = (128 << 10 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last = (128 << 10 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
    bomb = bytes.fromhex("28b52ffd") + b"\x00\x58" + block * 8191 + last
    with Gate(1 << 30).hold() as hold, pytest.raises(TooLarge):
        await decode_body(bomb, b"zstd", LIMIT, hold)


async def test_a_zstd_window_beyond_the_standard_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(TEXT) + compressor.flush()
    with Gate(1 << 30).hold() as hold, pytest.raises(BadInput, match="zstd"):
        await decode_body(body, b"zstd", LIMIT, hold)


async def test_unknown_encodings() -> None:
    with Gate(1 << 30).hold() as hold:
        for name in (None, b"", b"identity", b"br", b"\xff"):
            assert await decode_body(TEXT, name, LIMIT, hold) == TEXT
        assert await decode_body(TEXT, b"identity", LIMIT, hold, refuse_unknown=True) == TEXT
        with pytest.raises(UnsupportedType, match="unknown Content-Encoding 'br'"):
            await decode_body(TEXT, b"br", LIMIT, hold, refuse_unknown=True)
        with pytest.raises(TooLarge):
            await decode_body(TEXT, None, 10, hold)


async def test_raw_deflate_is_no_gzip() -> None:
    with Gate(1 << 30).hold() as hold, pytest.raises(BadInput):
        await decode_body(zlib.compress(TEXT), b"gzip", LIMIT, hold)
