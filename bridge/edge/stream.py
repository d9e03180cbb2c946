"""Answers that are sent while they are made: long ones take no more memory than a piece."""

from collections.abc import Iterator

from anyio import CapacityLimiter, to_thread
from isal import isal_zlib
from starlette.types import Scope, Send

from bridge.edge.compress import LEVEL, VARY, WBITS, WORTH_IT, accepts_gzip
from bridge.edge.request import header
from bridge.edge.responses import NOSNIFF, send_response

__all__ = ["send_pieces"]


async def send_pieces(
    scope: Scope, send: Send, content_type: bytes, pieces: Iterator[bytes], limiter: CapacityLimiter | None = None
) -> None:
    """Send `pieces`, each made and compressed in a thread of `limiter`; what fits in one is sent in one."""

    def first() -> tuple[bytes, bytes | None]:
        return next(pieces, b""), next(pieces, None)

    beginning, more = await to_thread.run_sync(first, limiter=limiter)
    gzipped = len(beginning) >= WORTH_IT and accepts_gzip(header(scope, b"accept-encoding") or b"")
    headers = [VARY, (b"content-encoding", b"gzip")] if gzipped else [VARY]
    if more is None:
        body = isal_zlib.compress(beginning, LEVEL, WBITS) if gzipped else beginning
        await send_response(send, 200, content_type, body, headers)
        return
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, WBITS) if gzipped else None

    def packed(piece: bytes) -> bytes:
        return piece if packer is None else packer.compress(piece)

    def next_packed() -> bytes | None:
        piece = next(pieces, None)
        return None if piece is None else packed(piece)

    start = {"type": "http.response.start", "status": 200}
    await send({**start, "headers": [(b"content-type", content_type), NOSNIFF, *headers]})
    part: bytes | None = await to_thread.run_sync(lambda: packed(beginning) + packed(more), limiter=limiter)
    while part is not None:
        if part:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        part = await to_thread.run_sync(next_packed, limiter=limiter)
    await send({"type": "http.response.body", "body": b"" if packer is None else packer.flush()})
