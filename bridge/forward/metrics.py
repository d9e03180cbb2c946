"""What sinks tell about themselves.

Sample counts come from the account, which outlives the process, so that the identity can be checked on the metrics
alone: `pushbridge_head_samples_accepted = sent + unrepresentable + expired + dead_lettered + pending` for each sink.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bridge.forward.account import Account
from bridge.forward.forecast import Forecast

__all__ = ["ForwardMetrics", "SinkMetrics", "SinkStatus"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STATES = ("up", "catching up", "retrying", "held", "stopped")


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """A sink at a glance.

    Attributes:
        name: as configured.
        target: where it writes to, without credentials.
        state: "up", "catching up" (is sent from history what the log no longer has), "retrying", "held" (waits for a
            human) or "stopped".
        problem: the last answer, while it is not up.
        account: where the samples went.
        accepted: samples that the store has accepted.
        lag_seconds: age of the newest sample sent, while others are pending.
        letters_waiting: dead letters that nobody has settled.
        letters_resent: dead letters sent again with success.
        letters_dropped: dead letters given up.
        forecast: when it will have caught up, and whether retention is faster.
        last_error: what the sink last answered when it took nothing, also after that is over; "" when it never did.
        last_error_time: when that was, ms since 1970.
        concurrency: requests that it may be sent at a time now.
        batch_samples: samples that one of them may have now.
        batch_bytes: bytes before compression that one of them may have now.
    """

    name: str
    target: str
    state: str
    problem: str
    account: Account
    accepted: int
    lag_seconds: float
    letters_waiting: int
    letters_resent: int
    letters_dropped: int
    forecast: Forecast
    last_error: str
    last_error_time: int | None
    concurrency: int
    batch_samples: int
    batch_bytes: int

    @property
    def pending(self) -> int:
        """Samples accepted and not yet accounted for."""
        return max(self.accepted - self.account.seq, 0)

    @property
    def identity_holds(self) -> bool:
        """accepted = sent + unrepresentable + expired + dead-lettered + pending."""
        return self.account.holds and self.accepted >= self.account.seq


class _Sink(Protocol):
    def status(self) -> SinkStatus: ...


class SinkMetrics:
    """Counters of one sink's requests."""

    def __init__(self, sink: str, requests: Counter, seconds: Histogram) -> None:
        self._sink = sink
        self._requests = requests
        self._seconds = seconds.labels(sink)

    def note_request(self, verdict: str, seconds: float) -> None:
        """Count a request and its answer."""
        self._requests.labels(self._sink, verdict).inc()
        self._seconds.observe(seconds)


class ForwardMetrics(Collector):
    """All sinks of a bridge; those of `add` are asked at each scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sinks: list[_Sink] = []
        self._requests = Counter(
            "pushbridge_sink_requests", "Write requests by what the answer meant.", ["sink", "class"], registry=registry
        )
        self._seconds = Histogram(
            "pushbridge_sink_request_seconds",
            "Time from sending a request to its answer.",
            ["sink"],
            buckets=_SECONDS,
            registry=registry,
        )
        registry.register(self)

    def requests_of(self, sink: str) -> SinkMetrics:
        """The counters of one sink."""
        return SinkMetrics(sink, self._requests, self._seconds)

    def add(self, sink: _Sink) -> None:
        """Show a sink."""
        self._sinks.append(sink)

    def remove(self, sink: _Sink) -> None:
        """Show a sink no longer."""
        self._sinks.remove(sink)

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known without asking the sinks."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read every sink."""
        statuses = [sink.status() for sink in self._sinks]
        yield from _samples(statuses)
        yield from _health(statuses)
        yield from _load(statuses)


def _samples(statuses: list[SinkStatus]) -> Iterator[Metric]:
    sent = CounterMetricFamily("pushbridge_sink_sent", "Samples that the sink has answered for.", labels=["sink"])
    lost = CounterMetricFamily(
        "pushbridge_sink_unrepresentable", "Samples that the sink cannot be sent.", labels=["sink", "reason"]
    )
    expired = CounterMetricFamily(
        "pushbridge_sink_expired",
        "Samples older than what the sink keeps, or no longer stored when they could be sent.",
        labels=["sink"],
    )
    resent = CounterMetricFamily(
        "pushbridge_sink_resent",
        "Samples sent again, for they lay in the time of others that had left the log.",
        labels=["sink"],
    )
    exemplars = CounterMetricFamily(
        "pushbridge_sink_exemplars_lost",
        "Exemplars that are not sent, for they had left the log before the sink came to them.",
        labels=["sink"],
    )
    dead = CounterMetricFamily(
        "pushbridge_sink_dead_lettered", "Samples that the sink refused for good.", labels=["sink"]
    )
    letters = GaugeMetricFamily(
        "pushbridge_sink_dead_letters", "What became of the dead-lettered ones.", labels=["sink", "state"]
    )
    for status in statuses:
        account = status.account
        sent.add_metric([status.name], account.sent)
        for reason, count in account.unrepresentable.items():
            lost.add_metric([status.name, reason], count)
        expired.add_metric([status.name], account.expired)
        resent.add_metric([status.name], account.resent)
        exemplars.add_metric([status.name], account.exemplars_lost)
        dead.add_metric([status.name], account.dead_lettered)
        letters.add_metric([status.name, "waiting"], status.letters_waiting)
        letters.add_metric([status.name, "resent"], status.letters_resent)
        letters.add_metric([status.name, "dropped"], status.letters_dropped)
    return iter((sent, lost, expired, resent, exemplars, dead, letters))


def _health(statuses: list[SinkStatus]) -> Iterator[Metric]:
    pending = GaugeMetricFamily("pushbridge_sink_pending", "Samples not yet accounted for.", labels=["sink"])
    lag = GaugeMetricFamily(
        "pushbridge_sink_lag_seconds", "Age of the newest sample sent, while others are pending.", labels=["sink"]
    )
    eta = GaugeMetricFamily(
        "pushbridge_sink_eta_seconds",
        "Time until nothing is pending, if all goes on as it does; +Inf when that is never.",
        labels=["sink"],
    )
    outrun = GaugeMetricFamily(
        "pushbridge_sink_retention_outruns_seconds",
        "Time until retention deletes samples that the sink was not sent; +Inf when that does not happen.",
        labels=["sink"],
    )
    state = GaugeMetricFamily("pushbridge_sink_state", "1 for the state that the sink is in.", labels=["sink", "state"])
    identity = GaugeMetricFamily(
        "pushbridge_sink_identity_ok",
        "1 while accepted = sent + unrepresentable + expired + dead_lettered + pending.",
        labels=["sink"],
    )
    for status in statuses:
        pending.add_metric([status.name], status.pending)
        lag.add_metric([status.name], status.lag_seconds)
        eta.add_metric([status.name], _seconds(status.forecast.eta_seconds))
        outrun.add_metric([status.name], _seconds(status.forecast.outrun_seconds))
        for name in _STATES:
            state.add_metric([status.name, name], float(status.state == name))
        identity.add_metric([status.name], float(status.identity_holds))
    return iter((pending, lag, eta, outrun, state, identity))


def _load(statuses: list[SinkStatus]) -> Iterator[Metric]:
    concurrency = GaugeMetricFamily(
        "pushbridge_sink_concurrency", "Requests that the sink may be sent at a time now.", labels=["sink"]
    )
    samples = GaugeMetricFamily(
        "pushbridge_sink_batch_samples", "Samples that one request may have now.", labels=["sink"]
    )
    size = GaugeMetricFamily(
        "pushbridge_sink_batch_bytes", "Bytes before compression that one request may have now.", labels=["sink"]
    )
    for status in statuses:
        concurrency.add_metric([status.name], status.concurrency)
        samples.add_metric([status.name], status.batch_samples)
        size.add_metric([status.name], status.batch_bytes)
    return iter((concurrency, samples, size))


def _seconds(forecast: float | None) -> float:
    return math.inf if forecast is None else forecast
