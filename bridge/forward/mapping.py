"""The schemas that samples get at an InfluxDB: named, and never changed under their name, for what is there was written
by it. What each one writes is the core's; what it is for is told here.
"""

from dataclasses import dataclass, field

from bridge.buffer import Matchers, View
from bridge.buffer.querier import QueryLimits, Selection
from bridge.errors import QueryTooLarge
from bridge.native import LineMapping, Lines, Route, encode_columns

__all__ = ["MAPPINGS", "Mapping", "Preview", "preview"]

_FIRST_MS = 60_000
_MAX_SAMPLES = 100_000
_EVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Mapping:
    """A schema, as people read about it.

    Attributes:
        name: as configured.
        like: who else writes so.
        measurement: what becomes the measurement.
        fields: what the fields are.
        merges: samples of equal tags and time share a line.
        natives: what native histograms become, unless settings say otherwise.
        choose: when to take it.
    """

    name: str
    like: str
    measurement: str
    fields: str
    merges: bool
    natives: str
    choose: str


MAPPINGS = (
    Mapping(
        "prom-value",
        "Prometheus' own names",
        "metric name",
        "value",
        merges=False,
        natives="series of a classic histogram: _bucket with le, _sum, _count",
        choose="one sample is one line, which reads back to the same series; the default",
    ),
    Mapping(
        "influx1-compat",
        "InfluxDB 1.x, /api/v1/prom/write",
        "metric name",
        "value; tag __name__ as well",
        merges=False,
        natives="as prom-value",
        choose="dashboards that were made for Prometheus' remote write to InfluxDB 1.x",
    ),
    Mapping(
        "telegraf-rw",
        "Telegraf, prometheusremotewrite (metric_version = 2)",
        "prometheus_remote_write",
        "<metric>",
        merges=True,
        natives="<metric>_sum, <metric>_count, and <metric> with tag <metric>_le",
        choose="to replace a Telegraf that Prometheus writes to; InfluxDB 3 takes 500 columns a table at most",
    ),
    Mapping(
        "telegraf-v1",
        "Telegraf, inputs.prometheus (metric_version = 1)",
        "metric family",
        "counter, gauge or value; count, sum and a field for each bound or quantile",
        merges=True,
        natives="one line: count, sum, bounds, spans, buckets, as Telegraf's prometheusremotewrite parser",
        choose="to replace a Telegraf that scrapes; needs to know what kind a metric is of",
    ),
    Mapping(
        "telegraf-v2",
        "Telegraf, inputs.prometheus (metric_version = 2)",
        "prometheus",
        "<metric>",
        merges=True,
        natives="as a classic histogram: <metric>_bucket with le, <metric>_sum, <metric>_count",
        choose="to replace a Telegraf that scrapes; InfluxDB 3 takes 500 columns a table at most",
    ),
    Mapping(
        "otel-v1",
        "OpenTelemetry Collector, influxdbexporter (telegraf-prometheus-v1)",
        "metric family",
        "counter or gauge; count, sum and a field for each bound or quantile",
        merges=True,
        natives="one line: count, sum and bounds",
        choose="to replace a Collector that exports to InfluxDB; needs to know what kind a metric is of",
    ),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What stored samples would be.

    Attributes:
        lines: the first of them.
        samples: how many samples were looked at.
        total: how many lines they give.
        unrepresentable: those that give none, by reason.
    """

    lines: list[str]
    samples: int = 0
    total: int = 0
    unrepresentable: dict[str, int] = field(default_factory=dict)


def preview(
    view: View,
    mapping: LineMapping,
    route: Route,
    matchers: Matchers = (),
    *,
    mint: int | None = None,
    maxt: int | None = None,
    limit: int,
) -> Preview:
    """The lines of the newest samples in [mint, maxt] ms of the series that match, as far as `route` sends them.

    `limit` lines at most. Blocks.

    Raises BadInput for a bad matcher, QueryTooLarge when one millisecond has too many samples, Unreadable for damage.
    """
    last = (view.head.max_time or _EVER_MS) if maxt is None else maxt
    found = _newest(view, matchers, -_EVER_MS if mint is None else mint, last)
    if found is None:
        return Preview([])
    lines = encode_columns(found.columns, 0, found.samples, mapping, route, head=view.head)
    return Preview(_first(lines, limit), found.samples, len(lines), lines.unrepresentable)


def _newest(view: View, matchers: Matchers, first: int, last: int) -> Selection | None:
    """The samples of a window that ends at `last` and is long enough to have some, but not too many."""
    empty, width, too_much = 0, _FIRST_MS, None
    while True:
        start = max(last - width + 1, first)
        try:
            found = view.querier.select(matchers, start, last, limits=QueryLimits(samples=_MAX_SAMPLES))
        except QueryTooLarge:
            if width - empty <= 1:
                raise
            too_much = width
        else:
            if found.samples:
                return found
            if start <= first:
                return None
            empty = width
        width = width * 8 if too_much is None else max((empty + too_much) // 2, empty + 1)


def _first(lines: Lines, limit: int) -> list[str]:
    return [lines.line(index).decode() for index in range(min(limit, len(lines)))]
