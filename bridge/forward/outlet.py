"""What makes a sink one of its kind: how samples are encoded, sent, judged and searched, and how much at a time."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bridge.clock import Clock
from bridge.config import InfluxSink, RemoteWriteSink
from bridge.forward.bisect import Bisector, Search
from bridge.forward.delivery import Delivery
from bridge.forward.influx_admin import InfluxAdmin
from bridge.forward.influxdb import open_transport
from bridge.forward.lanes import Lanes
from bridge.forward.lines import LineEncoder
from bridge.forward.metadata import MetadataFeed
from bridge.forward.metadata_lines import MetadataLines
from bridge.forward.ordered import SeriesSearch
from bridge.forward.pace import Pace
from bridge.forward.payload import Encoder, Tally
from bridge.forward.remote_write import Dialect, OutboundEncoder, RemoteWrite, route_of
from bridge.forward.retention import Retention
from bridge.forward.throttle import Throttle
from bridge.forward.transport import Transport
from bridge.native import Head, LineTally, SampleTally

__all__ = ["Outlet", "SinkSettings", "open_outlet"]

SinkSettings = InfluxSink | RemoteWriteSink

_MAX_LINES = 8 << 20  # bytes of lines in one request: InfluxDB 3 takes 10 MiB after decompression, the others more
_MAX_MESSAGE = 8 << 20  # bytes before compression; Prometheus takes 32 MiB
_MAX_PARCEL = 20_000  # samples: what may have to be sent again, and told apart, after a crash


@dataclass(frozen=True, slots=True)
class Outlet:
    """One sink's own parts. A sink, a replay and what else sends samples are the same for all kinds.

    Attributes:
        name: as configured.
        target: where it writes to, without credentials.
        encoder: makes payloads of samples.
        transport: sends them, and judges the answers.
        search: makes of a delivery what finds refused samples.
        pace: how long to wait, if nobody says otherwise.
        throttle: how many requests at a time, and how large, as the sink takes them.
        batch: samples in a request.
        parcel: samples that are read at a time.
        in_flight: parcels under way at a time at most.
        new_tally: counts points of such payloads by stretches of so many ms, as the sink would.
        retention: how far back the sink keeps samples, where it can be asked.
        exemplars: exemplars are sent.
        ordered: a sample sent again may be refused for the newer ones behind it, so it is noted what is under way.
        beside: sends what is no sample, until cancelled: by the sink's delivery, or its search where it is lines too.
    """

    name: str
    target: str
    encoder: Encoder
    transport: Transport
    search: Callable[[Delivery, Pace], Search]
    pace: Pace
    throttle: Throttle
    batch: int
    parcel: int
    in_flight: int
    new_tally: Callable[[int], Tally[Any]]
    retention: Retention | None = None
    ordered: bool = False
    exemplars: bool = False
    beside: Callable[[Head, Delivery, Search], Coroutine[Any, Any, None]] | None = None


def open_outlet(settings: SinkSettings, clock: Clock) -> Outlet:
    """The parts that `settings` ask for; connections open with the first request."""
    if isinstance(settings, RemoteWriteSink):
        return _remote_write(settings, clock)
    retention = Retention(InfluxAdmin(settings).retention, clock, settings.name)
    transport = open_transport(settings, clock)
    return Outlet(
        name=settings.name,
        target=f"{settings.url} {_destination(settings)}",
        encoder=LineEncoder(settings, retention.oldest),
        transport=transport,
        search=lambda delivery, pace: Bisector(delivery, doubts=pace.doubts),
        pace=Pace(),
        throttle=Throttle(
            least=min(2, settings.in_flight),  # one that hangs does not stop all
            most=settings.in_flight,
            batch=settings.batch_samples,
            max_bytes=_MAX_LINES,
        ),
        batch=settings.batch_samples,
        parcel=settings.batch_samples,
        in_flight=settings.in_flight,
        new_tally=LineTally,
        retention=retention,
        exemplars=settings.send_exemplars,
        beside=MetadataLines(settings, clock).run,
    )


def _remote_write(settings: RemoteWriteSink, clock: Clock) -> Outlet:
    queue = settings.queue_config
    dialect = Dialect(settings.version)
    transport = RemoteWrite(settings, dialect, clock)

    def search(delivery: Delivery, pace: Pace) -> Lanes:
        search = SeriesSearch(delivery, doubts=pace.doubts)
        return Lanes(
            search,
            version=lambda: dialect.version,
            least=queue.min_shards,
            most=queue.max_shards,
            batch=queue.max_samples_per_send,
        )

    return Outlet(
        name=settings.name,
        target=urlunsplit(urlsplit(settings.url)._replace(query="")),
        encoder=OutboundEncoder(settings, route_of(settings), dialect, clock.now_ms),
        transport=transport,
        search=search,
        pace=Pace(first=queue.min_backoff.seconds, cap=queue.max_backoff.seconds, split=5.0),
        throttle=Throttle(
            least=queue.min_shards, most=queue.max_shards, batch=queue.max_samples_per_send, max_bytes=_MAX_MESSAGE
        ),
        batch=queue.max_samples_per_send,
        parcel=max(queue.max_samples_per_send, min(queue.max_shards * queue.max_samples_per_send, _MAX_PARCEL)),
        in_flight=2,
        new_tally=SampleTally,
        ordered=True,
        exemplars=settings.send_exemplars,
        beside=MetadataFeed(settings.metadata_config, dialect, settings.name, clock).run,
    )


def _destination(settings: InfluxSink) -> str:
    names = {"org": settings.org, "bucket": settings.bucket, "db": settings.db, "rp": settings.rp}
    return " ".join(f"{key}={value}" for key, value in names.items() if value)
