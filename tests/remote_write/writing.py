"""Requests as senders make them, by protobuf's own library, and the write route in front of a real store."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import snappy
from prometheus_client import CollectorRegistry

from bridge.buffer import AppendResult, Files, State, Store
from bridge.clock import Clock, SystemClock
from bridge.config import RemoteWriteReceiver
from bridge.edge import Answering, Gate
from bridge.errors import Unavailable
from bridge.native import Batch, Head, Histogram
from bridge.remote_write import REPLICAS, ReplicaMetrics, Replicas, WriteMetrics, WriteRoute
from tests.buffer.samples import dump, open_store
from tests.edge.serving import serving
from tests.remote_write.prompb import WriteRequest, WriteRequest2

__all__ = ["STALE", "V1", "V2", "Exemplar", "Metadata", "Series", "Writer", "now_ms", "v1", "v2", "writer"]

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
V1 = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
V2 = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request", "Content-Encoding": "snappy"}
KINDS = ["unspecified", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"]


def now_ms() -> int:
    """The time, as samples have it."""
    return time.time_ns() // 1_000_000


Labels = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Exemplar:
    """An exemplar at `t` ms."""

    labels: Labels
    value: float
    t: int


@dataclass(frozen=True)
class Metadata:
    """Type, help and unit."""

    kind: str = "counter"
    help: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Series:
    """A series of a request: samples are (time, value) or (time, value, start), histograms fields of the message."""

    labels: Labels
    samples: Sequence[tuple[int, float] | tuple[int, float, int]] = ()
    histograms: Sequence[Mapping[str, Any]] = ()
    exemplars: Sequence[Exemplar] = ()
    metadata: Metadata | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def pairs(labels: Labels) -> list[tuple[str, str]]:
    """Labels in their order."""
    return list(labels.items()) if isinstance(labels, Mapping) else list(labels)


def fill_histogram(message: Any, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name.endswith("_spans"):
            for offset, length in value:
                getattr(message, name).add(offset=offset, length=length)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)


def v1(*series: Series, families: Mapping[str, Metadata] | None = None) -> bytes:
    """A request of 1.0, compressed."""
    message = WriteRequest()
    for one in series:
        row = message.timeseries.add()
        for name, value in pairs(one.labels):
            row.labels.add(name=name, value=value)
        for t, number, *_ in one.samples:
            row.samples.add(value=number, timestamp=t)
        for fields in one.histograms:
            fill_histogram(row.histograms.add(), fields)
        for exemplar in one.exemplars:
            told = row.exemplars.add(value=exemplar.value, timestamp=exemplar.t)
            for name, value in pairs(exemplar.labels):
                told.labels.add(name=name, value=value)
    for family, metadata in (families or {}).items():
        message.metadata.add(
            type=KINDS.index(metadata.kind), metric_family_name=family, help=metadata.help, unit=metadata.unit
        )
    compressed: bytes = snappy.compress(message.SerializeToString())
    return compressed


def v2(*series: Series) -> bytes:
    """A request of 2.0, compressed."""
    message = message_2(*series)
    compressed: bytes = snappy.compress(message.SerializeToString())
    return compressed


def message_2(*series: Series) -> Any:
    """A request of 2.0."""
    message = WriteRequest2()
    symbols: dict[str, int] = {"": 0}

    def refs(labels: Labels) -> Iterable[int]:
        for pair in pairs(labels):
            yield from (symbols.setdefault(text, len(symbols)) for text in pair)

    for one in series:
        row = message.timeseries.add(labels_refs=refs(one.labels), **one.extra)
        for t, number, *start in one.samples:
            row.samples.add(value=number, timestamp=t, start_timestamp=start[0] if start else 0)
        for fields in one.histograms:
            fill_histogram(row.histograms.add(), fields)
        for exemplar in one.exemplars:
            row.exemplars.add(labels_refs=refs(exemplar.labels), value=exemplar.value, timestamp=exemplar.t)
        if one.metadata is not None:
            row.metadata.type = KINDS.index(one.metadata.kind)
            row.metadata.help_ref = symbols.setdefault(one.metadata.help, len(symbols))
            row.metadata.unit_ref = symbols.setdefault(one.metadata.unit, len(symbols))
    message.symbols.extend(symbols)
    return message


@dataclass
class Reply:
    """An answer to a write."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def written(self) -> tuple[int, int, int] | None:
        """Samples, histograms, exemplars; None when it does not say."""
        names = [f"X-Prometheus-Remote-Write-{kind}-Written" for kind in ("Samples", "Histograms", "Exemplars")]
        found = [self.headers.get(name) for name in names]
        if None in found:
            assert found == [None, None, None]
            return None
        samples, histograms, exemplars = (int(count or 0) for count in found)
        return samples, histograms, exemplars


class Writer:
    """A running edge and a client of it."""

    def __init__(self, store: Store, gate: Gate, session: aiohttp.ClientSession, registry: CollectorRegistry) -> None:
        self.store = store
        self.gate = gate
        self.session = session
        self.registry = registry

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST a body."""
        skip = {"Content-Type"}
        async with self.session.post("/", data=body, headers=headers, skip_auto_headers=skip) as response:
            return Reply(response.status, await response.text(), response.headers)

    async def write(self, *series: Series, families: Mapping[str, Metadata] | None = None) -> Reply:
        """A request of 1.0."""
        return await self.post(v1(*series, families=families), V1)

    async def write2(self, *series: Series) -> Reply:
        """A request of 2.0."""
        return await self.post(v2(*series), V2)

    @property
    def lines(self) -> list[str]:
        """What the store holds."""
        return dump(self.store).splitlines()

    def histograms(self, labels: Mapping[str, str], mint: int, maxt: int) -> list[tuple[int, Histogram]]:
        """Those of the series with these labels and no others."""
        selection = self.store.querier.select([(name, "=", value) for name, value in labels.items()], mint, maxt)
        (number,) = (n for n in range(len(selection)) if selection.labels(n) == labels)
        return selection.histograms(number)

    def count(self, name: str, **labels: str) -> float:
        """A counter of the edge."""
        return self.registry.get_sample_value(f"pushbridge_remote_write_{name}", labels) or 0.0


class _Breakable:
    """A store that can be told to have a full disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = False

    @property
    def head(self) -> Head:
        return self._store.head

    async def append(
        self, batch: Batch, *, max_series: int | None = None, max_new_series: int | None = None
    ) -> AppendResult:
        if self.broken:
            raise Unavailable("disk full")
        return await self._store.append(batch, max_series=max_series, max_new_series=max_new_series)


@contextlib.asynccontextmanager
async def writer(
    folder: Path, *, clock: Clock | None = None, broken: bool = False, storage: Any = None, **settings: Any
) -> AsyncIterator[Writer]:
    """A running edge; `settings` are those of the receiver; `broken`: nothing can be made durable."""
    clock = clock or SystemClock()
    store = open_store(folder, **({"settings": storage} if storage is not None else {}))
    state = State.open(folder / "state.db", [REPLICAS], Files())
    registry = CollectorRegistry()
    receiver = RemoteWriteReceiver(**settings)
    gate = Gate(receiver.max_inflight_bytes)
    replicas = Replicas(state, clock, ReplicaMetrics(registry))
    breakable = _Breakable(store)
    breakable.broken = broken
    metrics = WriteMetrics(registry, gate)
    route = WriteRoute(breakable, receiver, gate=gate, clock=clock, metrics=metrics, replicas=replicas)
    async with serving(Answering(route)) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Writer(store, gate, session, registry)
    await store.close()
    await state.close()
