"""The OTLP route in front of a real store, on a real socket; requests and answers as OpenTelemetry's own messages."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client import CollectorRegistry

from bridge.buffer import AppendResult, Store
from bridge.clock import SystemClock
from bridge.config import Otlp
from bridge.edge import Gate
from bridge.errors import Unavailable
from bridge.native import Batch
from bridge.otlp import OtlpLimits, OtlpMetrics, OtlpRoute
from tests.buffer.samples import dump, open_store
from tests.edge.serving import serving

__all__ = ["JSON", "PROTOBUF", "Edge", "Told", "edge", "gauge", "message"]

JSON, PROTOBUF = "application/json", "application/x-protobuf"
T = 1_700_000_000_000


def gauge(*values: float, name: str = "g", **more: Any) -> dict[str, Any]:
    """A request, in JSON, with a gauge whose points are a second apart; `more` members of each point."""
    points = [{"timeUnixNano": str((T + 1000 * n) * 1_000_000), "asDouble": v, **more} for n, v in enumerate(values)]
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, "gauge": {"dataPoints": points}}]}]}]}


def message(request: dict[str, Any]) -> bytes:
    """A request in JSON as protobuf's own library writes it."""
    parsed = json_format.ParseDict(request, ExportMetricsServiceRequest())
    serialized: bytes = parsed.SerializeToString()
    return serialized


class Told:
    """An answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def partial(self) -> tuple[int, str]:
        """Points refused, and why."""
        answer = ExportMetricsServiceResponse()
        if self.headers["Content-Type"] == JSON:
            json_format.Parse(self.body, answer)
        else:
            answer.ParseFromString(self.body)
        return answer.partial_success.rejected_data_points, answer.partial_success.error_message

    @property
    def error(self) -> tuple[int, str]:
        """Code and text of a refusal."""
        status = Status()
        if self.headers["Content-Type"] == JSON:
            json_format.Parse(self.body, status)
        else:
            status.ParseFromString(self.body)
        return status.code, status.message


class Edge:
    """A running route and a client of it."""

    def __init__(
        self,
        store: Store,
        route: OtlpRoute,
        gate: Gate,
        session: aiohttp.ClientSession,
        registry: CollectorRegistry,
    ) -> None:
        self.store = store
        self.gate = gate
        self.route = route
        self.session = session
        self.registry = registry

    async def post(self, body: bytes | dict[str, Any], kind: str = JSON, **headers: str) -> Told:
        """POST a request, in JSON or as bytes."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode() if kind == JSON else message(body)
        headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.session.post("/api/v1/otlp/v1/metrics", data=body, headers=headers) as response:
            return Told(response.status, response.headers, await response.read())

    @property
    def lines(self) -> list[str]:
        """What the store holds."""
        return dump(self.store).splitlines()


@contextlib.asynccontextmanager
async def edge(
    folder: Path,
    settings: Mapping[str, Any] | None = None,
    *,
    limits: OtlpLimits | None = None,
    broken: bool = False,
) -> AsyncIterator[Edge]:
    """A running route; `settings` are those of the section `otlp`, `broken`: nothing can be made durable."""
    store = open_store(folder)
    registry = CollectorRegistry()

    async def append(batch: Batch) -> AppendResult:
        if broken:
            raise Unavailable("disk full")
        return await store.append(batch)

    gate = Gate(1 << 20)
    route = OtlpRoute(
        append,
        Otlp.model_validate(settings or {}),
        gate=gate,
        clock=SystemClock(),
        metrics=OtlpMetrics(registry),
        limits=limits,
    )
    async with serving(route) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Edge(store, route, gate, session, registry)
    await store.close()
