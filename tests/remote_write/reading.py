"""The read route in front of a real store, on a real socket, and a client that speaks protobuf with its own library."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import snappy
from prometheus_client import CollectorRegistry

from bridge.buffer import Store
from bridge.edge import Answering, Gate
from bridge.remote_write import ReadLimits, ReadMetrics, ReadRoute
from tests.buffer.samples import open_store
from tests.edge.serving import serving
from tests.remote_write.prompb import ChunkedReadResponse, ReadRequest, ReadResponse

__all__ = ["CHUNKS", "SAMPLES", "Matchers", "Reader", "frames", "reader", "request"]

OPERATORS = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
SAMPLES, CHUNKS = 0, 1

Matchers = Sequence[tuple[str, str, str]]


def request(*queries: tuple[int, int, Matchers], accepted: Sequence[int] = ()) -> bytes:
    """A request as Prometheus sends it; queries are (mint, maxt, matchers)."""
    message = ReadRequest(accepted_response_types=accepted)
    for mint, maxt, matchers in queries:
        query = message.queries.add(start_timestamp_ms=mint, end_timestamp_ms=maxt)
        for name, operator, value in matchers:
            query.matchers.add(type=OPERATORS[operator], name=name, value=value)
    compressed: bytes = snappy.compress(message.SerializeToString())
    return compressed


def crc32c(data: bytes) -> int:
    """CRC-32 by Castagnoli's polynomial, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frames(body: bytes, *, check: bool = True) -> Iterator[tuple[int, Any]]:
    """(length, message) of each frame of a streamed answer."""
    at = 0
    while at < len(body):
        length = shift = 0
        while True:
            byte = body[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        message = body[at + 4 : at + 4 + length]
        assert len(message) == length
        if check:
            assert int.from_bytes(body[at : at + 4], "big") == crc32c(message)
        yield length, ChunkedReadResponse.FromString(message)
        at += 4 + length


class Reader:
    """A running route and a client of it."""

    def __init__(
        self, port: int, store: Store, route: ReadRoute, session: aiohttp.ClientSession, registry: CollectorRegistry
    ) -> None:
        self.port = port
        self.store = store
        self.route = route
        self.session = session
        self.registry = registry

    async def ask(self, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes]:
        """POST; status, headers, body."""
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Read-Version": "0.1.0",
            **(headers or {}),
        }
        async with self.session.post("/api/v1/read", data=body, headers=headers) as response:
            return response.status, response.headers, await response.read()

    async def samples(self, *queries: tuple[int, int, Matchers]) -> list[Any]:
        """The results of a request for samples."""
        status, headers, body = await self.ask(request(*queries))
        assert (status, headers["Content-Type"]) == (200, "application/x-protobuf"), body
        assert headers["Content-Encoding"] == "snappy"
        return list(ReadResponse.FromString(snappy.decompress(body)).results)

    async def chunks(self, *queries: tuple[int, int, Matchers]) -> list[Any]:
        """The frames of a request for chunks."""
        status, headers, body = await self.ask(request(*queries, accepted=[CHUNKS, SAMPLES]))
        assert status == 200, body
        assert headers["Content-Type"] == "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
        assert "Content-Encoding" not in headers
        return [message for _, message in frames(body)]


@contextlib.asynccontextmanager
async def reader(
    folder: Path, *, external: Mapping[str, str] | None = None, limits: ReadLimits | None = None
) -> AsyncIterator[Reader]:
    """A running route."""
    store = open_store(folder)
    registry = CollectorRegistry()
    route = ReadRoute(store.querier, external or {}, gate=Gate(1 << 20), metrics=ReadMetrics(registry), limits=limits)
    async with (
        serving(Answering(route)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", auto_decompress=False) as session,
    ):
        yield Reader(port, store, route, session, registry)
    await store.close()
