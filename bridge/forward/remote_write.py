"""Remote write, 1.0 and 2.0: how samples become messages, and how those are sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import aiohttp
import anyio.to_thread

from bridge.clock import Clock
from bridge.config import RemoteWriteSink
from bridge.forward.answer import PAGE, Answer, Ruling, Verdict
from bridge.forward.http_client import Client, NoToken
from bridge.forward.payload import Load
from bridge.forward.remote_answer import judge
from bridge.forward.transport import Request, no_answer
from bridge.native import Columns, Head, LogSlice, Outbound, OutboundMetadata, Route, select_columns, select_slice

__all__ = ["Dialect", "OutboundEncoder", "RemoteWrite", "route_of"]

_HEADERS = {
    1: {"Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"},
    2: {
        "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "X-Prometheus-Remote-Write-Version": "2.0.0",
    },
}
_WRITTEN = ("X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written")


class Dialect:
    """The version that a receiver is spoken to in: once it has shown not to know 2.0, 1.0 as long as the sink runs."""

    def __init__(self, version: int) -> None:
        self.version = version


def route_of(settings: RemoteWriteSink) -> Route:
    """Which series a sink is sent: all, with external labels, as its rules change them."""
    return Route(
        external_labels=sorted(settings.external_labels.items()),
        rules=[config.rule() for config in settings.write_relabel_configs],
    )


class OutboundEncoder:
    """Samples as a receiver is sent them; they become a message when they are sent."""

    reach = 0

    def __init__(self, settings: RemoteWriteSink, route: Route, dialect: Dialect, now_ms: Callable[[], int]) -> None:
        self._route = route
        self._dialect = dialect
        self._histograms = settings.send_native_histograms
        self._exemplars = settings.send_exemplars
        self._age_limit = settings.queue_config.sample_age_limit
        self._now_ms = now_ms

    def begin(self, newest: int | None) -> None:
        """What was sent before is nothing to it."""

    def encode_slice(self, head: Head, piece: LogSlice) -> Outbound:
        """The samples of a piece of the log, whose references `head` knows."""
        return select_slice(
            head,
            piece,
            self._route,
            version=self._dialect.version,
            histograms=self._histograms,
            exemplars=self._exemplars,
            since=self._since(),
        )

    def abridged(self, head: Head, piece: LogSlice) -> None:
        """All samples are sent."""

    def encode_columns(self, columns: Columns, start: int, stop: int, head: Head | None) -> Outbound:  # noqa: ARG002
        """Samples `start` to `stop` of history, without metadata: of series that have gone there is none."""
        return select_columns(
            columns,
            start,
            stop,
            self._route,
            version=self._dialect.version,
            histograms=self._histograms,
            since=self._since(),
        )

    def read(self, lines: Sequence[str]) -> Outbound:
        """The samples of dead letters. Raises ValueError for a text that is no line."""
        return Outbound.from_lines(lines)

    def _since(self) -> int:
        return self._now_ms() - self._age_limit if self._age_limit else -(1 << 63)


class RemoteWrite:
    """`POST` of messages to one receiver, over a keep-alive pool."""

    def __init__(self, settings: RemoteWriteSink, dialect: Dialect, clock: Clock) -> None:
        self._dialect = dialect
        self._clock = clock
        self._headers = {name: value.reveal() for name, value in settings.headers.items()}
        self._client = Client(
            settings,
            settings.url,
            timeout=settings.remote_timeout.seconds,
            connections=settings.queue_config.max_shards + 1,
        )

    async def pack(self, load: Load) -> Request:
        """Make a message of samples, in a thread, if there is none yet; or one of metadata, which is of 1.0."""
        if isinstance(load, OutboundMetadata):
            return Request(await anyio.to_thread.run_sync(load.message), _HEADERS[1])
        assert isinstance(load, Outbound)  # noqa: S101 - the encoder makes nothing else
        version = self._dialect.version
        body = load.made(version)
        if body is None:
            body = await anyio.to_thread.run_sync(load.message, version)
        return Request(body, _HEADERS[version], len(load), version)

    async def post(self, request: Request, *, retries: int = 0) -> Ruling:
        """Send it and judge the answer."""
        headers = {"Content-Encoding": "snappy", **request.headers, **self._headers}
        if retries:
            headers["Retry-Attempt"] = str(retries)
        try:
            status, body, told = await self._client.post(request.body, headers)
        except NoToken as error:
            return Ruling(Verdict.HOLD, Answer(0, str(error), "unsent"), "check oauth2")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return judge(no_answer(error), request.version, request.samples, None)
        answer = Answer.read(status, body, told.get("Retry-After"), now_ms=self._clock.now_ms())
        if told.get("Content-Type", "").lower().startswith("text/html"):
            answer = replace(answer, code=PAGE)
        ruling = judge(answer, request.version, request.samples, _written(told))
        if ruling.verdict is Verdict.REPACK:
            self._dialect.version = 1
        if ruling.verdict is Verdict.DOUBT and not request.samples:
            return replace(ruling, verdict=Verdict.POISON)  # there are no samples that could be in doubt
        if status == 401:
            self._client.forget_token()
        return ruling

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _written(headers: Mapping[str, str]) -> int | None:
    """Samples and histograms that the receiver says it stored; None when it says nothing."""
    counts = [headers.get(name, "") for name in _WRITTEN]
    told = [int(count) for count in counts if count.isascii() and count.isdigit()]
    return sum(told) if told else None
