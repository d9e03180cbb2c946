"""Content-Encoding of request bodies: a table of decoders, each with a limit on what comes out."""

from collections.abc import Callable, Mapping
from functools import partial

import zstandard

from bridge.edge.gate import Hold
from bridge.errors import BadInput, TooLarge, UnsupportedType
from bridge.native import TooLong, gunzip, unsnappy_framed

__all__ = ["decode_body"]

Decoder = Callable[[bytes, int], bytes]

ZSTD_WINDOW = 8 << 20  # what RFC 8878 asks every decoder to support; larger windows are memory for the asking
# Four bytes of zstd can stand for a block of 128 KiB and the decoder has no output limit of its own: input goes in by
# pieces so small that one of them overshoots the limit by 8 MiB at most.
ZSTD_PIECE = 256


def unzstd(data: bytes, limit: int) -> bytes:
    """All frames of a zstd body. Raises TooLong above `limit`, ValueError when damaged or cut short."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    parts: list[bytes] = []
    size = 0
    frame = None
    for start in range(0, len(data), ZSTD_PIECE):
        piece = data[start : start + ZSTD_PIECE]
        while piece:
            frame = frame or decompressor.decompressobj()
            try:
                part = frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise ValueError(f"zstd: {error}") from None
            size += len(part)
            if size > limit:
                raise TooLong(f"more than {int(limit)} bytes after decompression")
            parts.append(part)
            piece = b""
            if frame.eof:
                piece, frame = frame.unused_data, None
    if frame is not None:
        raise ValueError("unexpected EOF")
    return b"".join(parts)


DECODERS: Mapping[bytes, Decoder] = {b"gzip": gunzip, b"snappy": unsnappy_framed, b"zstd": unzstd}
IDENTITY = frozenset({b"", b"identity"})


async def decode_body(
    body: bytes, encoding: bytes | None, limit: int, hold: Hold, *, refuse_unknown: bool = False
) -> bytes:
    """The body without its Content-Encoding; `hold` grows by what was added.

    An unknown encoding is passed over, as Pushgateway does, or refused with UnsupportedType. Raises TooLarge above
    `limit` bytes and BadInput for a damaged body.
    """
    name = (encoding or b"").strip().lower()
    decoder = DECODERS.get(name)
    if decoder is None:
        if refuse_unknown and name not in IDENTITY:
            raise UnsupportedType(f"unknown Content-Encoding {name.decode('latin-1')!r}")
        if len(body) > limit:
            raise TooLarge(f"request body larger than {int(limit)} bytes")
        return body
    try:
        decoded = await hold.gate.run(body, partial(decoder, body, limit))
    except TooLong:
        raise TooLarge(f"request body larger than {int(limit)} bytes after decompression") from None
    except ValueError as error:
        raise BadInput(str(error)) from None
    hold.grow(len(decoded))
    return decoded
