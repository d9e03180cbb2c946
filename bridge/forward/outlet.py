"""What makes a sink one of its kind: how samples are encoded, sent and judged, and how much at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.clock import Clock
from bridge.config import InfluxSink
from bridge.forward.influx_admin import InfluxAdmin
from bridge.forward.influxdb import open_transport
from bridge.forward.lines import LineEncoder
from bridge.forward.payload import Encoder, Tally
from bridge.forward.retention import Retention
from bridge.forward.transport import Transport
from bridge.native import LineTally

__all__ = ["Outlet", "SinkSettings", "open_outlet"]

SinkSettings = InfluxSink

_MAX_LINES = 8 << 20  # bytes of lines in one request: InfluxDB 3 takes 10 MiB after decompression, the others more


@dataclass(frozen=True, slots=True)
class Outlet:
    """One sink's own parts. A sink, a replay and what else sends samples are the same for all kinds.

    Attributes:
        name: as configured.
        target: where it writes to, without credentials.
        encoder: makes payloads of samples.
        transport: sends them, and judges the answers.
        batch: samples in a request at most.
        max_bytes: bytes in a request at most, before compression.
        in_flight: requests at a time at most.
        new_tally: counts points of such payloads by stretches of so many ms, as the sink would.
        retention: how far back the sink keeps samples, where it can be asked.
    """

    name: str
    target: str
    encoder: Encoder
    transport: Transport
    batch: int
    max_bytes: int
    in_flight: int
    new_tally: Callable[[int], Tally[Any]]
    retention: Retention | None = None


def open_outlet(settings: SinkSettings, clock: Clock) -> Outlet:
    """The parts that `settings` ask for; connections open with the first request."""
    retention = Retention(InfluxAdmin(settings).retention, clock, settings.name)
    return Outlet(
        name=settings.name,
        target=f"{settings.url} {_destination(settings)}",
        encoder=LineEncoder(settings, retention.oldest),
        transport=open_transport(settings, clock),
        batch=settings.batch_samples,
        max_bytes=_MAX_LINES,
        in_flight=settings.in_flight,
        new_tally=LineTally,
        retention=retention,
    )


def _destination(settings: InfluxSink) -> str:
    names = {"org": settings.org, "bucket": settings.bucket, "db": settings.db, "rp": settings.rp}
    return " ".join(f"{key}={value}" for key, value in names.items() if value)
