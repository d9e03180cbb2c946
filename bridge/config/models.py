"""Every setting of the bridge: its name, type, default and help. docs/configuration.md is made from this file.

A section appears here together with the code that obeys it; an unknown section or field is an error, never ignored.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from bridge.config.influxdb import InfluxSink
from bridge.config.receiver import RemoteWriteReceiver
from bridge.config.remote_write import RemoteWriteSink
from bridge.config.section import Section
from bridge.config.types import (
    ConfigPath,
    Count,
    Duration,
    Flag,
    HttpUrl,
    Listen,
    Percent,
    Size,
)
from bridge.native import Pattern

__all__ = [
    "Global",
    "Logging",
    "Otlp",
    "PromQL",
    "Push",
    "Reconcile",
    "Retention",
    "Settings",
    "Storage",
    "Wal",
    "WalKeep",
    "Web",
]


class Web(Section):
    """The HTTP server."""

    listen: Listen = Field(Listen("0.0.0.0", 9091), description="Address to listen on.")  # noqa: S104 - as the peers
    config_file: ConfigPath | None = Field(
        None, description="exporter-toolkit web configuration: TLS, basic auth, headers; re-read when it changes."
    )
    max_connections: Count = Field(
        4096, ge=0, description="Connections at a time; the next ones get 503. 0 sets no limit."
    )
    external_url: HttpUrl | None = Field(
        None, description="The address that others reach this bridge under, for links and redirects."
    )
    route_prefix: str | None = Field(
        None, description="Path before every route; the path of `external_url` when not given."
    )
    telemetry_path: str = Field("/metrics", description="Where own and pushed metrics are shown.")
    enable_lifecycle: Flag = Field(False, description="Allow `PUT` or `POST /-/quit`. `/-/reload` needs no permission.")
    enable_admin_api: Flag = Field(False, description="Allow `/api/v1/admin/*`, which deletes groups and data.")

    cors_origin: str = Field(
        ".*", description="Regular expression for the origins whose scripts may read `/api/v1/*`; matches the whole."
    )

    @field_validator("cors_origin")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        Pattern(value)
        return value

    @field_validator("telemetry_path", "route_prefix")
    @classmethod
    def _begins_with_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError(f'expected a path that begins with "/", got "{value}"')
        return value

    @property
    def prefix(self) -> str:
        """What stands before every route: empty, or `/path` without a slash at the end."""
        path = self.route_prefix if self.route_prefix is not None else urlsplit(self.external_url or "").path
        return path.rstrip("/")


class Push(Section):
    """The push edge, which speaks Pushgateway's protocol."""

    ttl: Duration = Field(
        Duration("0s"), description="How long a group lives after its last push; `X-Push-TTL` overrides. 0s: for ever."
    )
    hold_interval: Duration = Field(
        Duration("15s"), ge=Duration("1s"), description="How often local queries see the last pushed value repeated."
    )
    max_body: Size = Field(Size("16MiB"), ge=Size("1KiB"), description="Largest body of a push, as sent; over it: 413.")
    max_decompressed: Size = Field(
        Size("64MiB"), ge=Size("1KiB"), description="Largest body of a push after decompression; over it: 413."
    )
    max_inflight_bytes: Size = Field(
        Size("256MiB"),
        ge=Size("1KiB"),
        description="Bodies held in memory at a time, all pushes together; over it: 503.",
    )
    max_groups: Count = Field(100_000, ge=0, description="Groups in all; over it: 429. 0 sets no limit.")
    max_series: Count = Field(5_000_000, ge=0, description="Pushed series in all; over it: 429. 0 sets no limit.")
    consistency_check: Flag = Field(
        True, description="Refuse a push that contradicts other groups (400); without it a push answers 202 unchecked."
    )
    utf8_names: Flag = Field(True, description="Accept any UTF-8 in metric and label names, and `U__` in paths.")
    timestamps: Literal["refuse", "accept"] = Field(
        "refuse", description="What to do with samples that carry their own timestamp."
    )
    timestamp_max_age: Duration = Field(Duration("1h"), description="With `accept`: how far back a timestamp may lie.")
    timestamp_max_future: Duration = Field(Duration("10m"), description="With `accept`: how far ahead it may lie.")
    lenient: Flag = Field(False, description="Accept CRLF line ends and a missing final newline.")


class Wal(Section):
    """The write-ahead log, which is also the queue of every sink."""

    sync: Literal["batch", "interval", "off"] = Field(
        "batch", description="When an answer is given: after an fsync, or before one that comes regularly or never."
    )
    sync_interval: Duration = Field(
        Duration("1s"), ge=Duration("1ms"), description="With `interval`: time between two fsyncs."
    )
    segment_size: Size = Field(
        Size("128MiB"), ge=Size("64KiB"), description="Size of one log file; a multiple of 32KiB."
    )
    compression: Literal["snappy", "zstd", "none"] = Field(
        "snappy",
        description="Compression of log records. `zstd` is a quarter smaller; Prometheus before 2.46 cannot read it.",
    )

    @field_validator("segment_size")
    @classmethod
    def _whole_pages(cls, value: Size) -> Size:
        if value % (32 * 1024):
            raise ValueError(f"expected a multiple of 32KiB, got {value}")
        return value


class WalKeep(Section):
    """How much of the log is kept for sinks that are behind; one that falls further back goes on from blocks."""

    time: Duration = Field(
        Duration("1d"), description="How long a part of the log waits for the slowest sink. 0s sets no limit."
    )
    size: Size = Field(Size("8GiB"), description="How large the log may grow while it waits. 0 sets no limit.")


class Retention(Section):
    """How much the store keeps; what crosses a limit goes, block by block, the oldest first."""

    time: Duration | None = Field(
        None, description="Age, measured from the newest block; 0s sets no limit. Given none of the three, `15d`."
    )
    size: Size = Field(Size(0), description="Bytes of log, mapped chunks and blocks. 0 sets no limit.")
    percentage: Percent = Field(
        0,
        ge=0,
        le=100,
        description="Share of the file system that holds the store; overrides `size`. 0 sets no limit.",
    )

    @property
    def time_limit(self) -> Duration:
        """The age in force; 0 for none."""
        if self.time is not None:
            return self.time
        return Duration(0) if self.size or self.percentage else Duration("15d")


class Storage(Section):
    """The local store."""

    path: Path = Field(Path("data"), description="Data directory, from the working directory; `--data` overrides.")
    wal: Wal = Field(Wal(), description="The write-ahead log.")
    exemplars: Count = Field(100_000, ge=0, description="Exemplars kept in memory, of all series together.")
    wal_keep: WalKeep = Field(WalKeep(), description="How much of the log is kept for sinks that are behind.")
    out_of_order_time_window: Duration = Field(
        Duration("0s"),
        description="How much older than the newest sample in memory one may be that is also older than the newest of "
        "its series. `0s` refuses such samples, as in Prometheus.",
    )
    retention: Retention = Field(Retention(), description="How much the store keeps.")
    max_block_duration: Duration | None = Field(
        None,
        ge=Duration("2h"),
        description="Longest block that compaction makes; when not given, a tenth of the retention time, 31d at most. "
        "With `2h` blocks stay as they were cut, as Thanos' sidecar wants.",
    )


class PromQL(Section):
    """Queries: what one of them may take, and which language they are in."""

    lookback_delta: Duration = Field(
        Duration("5m"), ge=Duration("1ms"), description="How far back the newest sample of a series may lie."
    )
    timeout: Duration = Field(
        Duration("2m"), ge=Duration("1ms"), description="Longest time for a query, waiting for its turn included."
    )
    concurrency: Count = Field(20, ge=1, le=1000, description="Queries at a time; the others wait for their turn.")
    max_samples: Count = Field(50_000_000, ge=1, description="Samples that one query holds in memory at most.")
    max_series: Count = Field(
        1_000_000,
        ge=0,
        description="Series that one query, `/api/v1/series` or `/federate` finds at most, counted for each selector "
        "that matches them; over it: 422. 0 sets no limit.",
    )
    max_result_bytes: Size = Field(
        Size("512MiB"), ge=Size("1KiB"), description="Largest answer to a query, before compression."
    )
    experimental: Flag = Field(False, description="Functions, aggregations and modifiers that 3.14 calls experimental.")
    delayed_name_removal: Flag = Field(
        False,
        description="Names of metrics that are to go do so in the end of a query, and can be matched until then.",
    )
    per_step_stats: Flag = Field(
        False, description="Statistics of a query with `stats=all` tell what each step looked at."
    )
    query_log_file: ConfigPath | None = Field(
        None, description="File that each query is appended to, a line of JSON as Prometheus writes it."
    )
    slow_query: Duration = Field(
        Duration("10s"), description="Queries that take longer are logged as warnings. 0s logs none."
    )


class Global(Section):
    """What many parts share, under the names that Prometheus uses."""

    external_labels: dict[str, str] = Field(
        {},
        description="Labels that every series has towards others, beside its own: for remote read and `/federate`.",
    )

    @field_validator("external_labels")
    @classmethod
    def _names_are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        bad = sorted(name for name in labels if not name or name == "__name__")
        if bad:
            raise ValueError(f"not the name of a label: {', '.join(map(repr, bad))}")
        return labels


class Otlp(Section):
    """How OTLP metrics become series, under Prometheus' names and with its defaults."""

    translation_strategy: Literal[
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ] = Field(
        "UnderscoreEscapingWithSuffixes",
        description="Names: escaped to what Prometheus 2 allows or not, those of metrics with unit and type or not.",
    )
    promote_all_resource_attributes: Flag = Field(
        False, description="Make labels of all resource attributes but those of `ignore_resource_attributes`."
    )
    promote_resource_attributes: tuple[str, ...] = Field((), description="Resource attributes that become labels.")
    ignore_resource_attributes: tuple[str, ...] = Field(
        (), description="With `promote_all_resource_attributes`: those that do not."
    )
    keep_identifying_resource_attributes: Flag = Field(
        False, description="Keep what `job` and `instance` are made of as labels of `target_info` too."
    )
    convert_histograms_to_nhcb: Flag = Field(
        False, description="Store histograms as native ones with custom buckets, not as `_bucket`, `_sum`, `_count`."
    )
    promote_scope_metadata: Flag = Field(
        False, description="Make labels `otel_scope_*` of a scope's name, version, schema URL and attributes."
    )
    label_name_underscore_sanitization: Flag = Field(
        True, description="Put `key` before names of labels that begin with one underscore, where names are escaped."
    )
    label_name_preserve_multiple_underscores: Flag = Field(
        True, description="Keep several underscores in a row in names of labels, where names are escaped."
    )
    delta_to_cumulative: Flag = Field(
        False, description="Add deltas up in memory, as Prometheus' feature `otlp-deltatocumulative`; else refuse them."
    )
    start_timestamps: Literal["ignore", "zero_sample"] = Field(
        "ignore",
        description="What to do with the start times of counters, histograms and summaries: `zero_sample` stores a 0 "
        "there, once, so that a rate sees what had been counted before the first sample.",
    )

    @field_validator("promote_resource_attributes", "ignore_resource_attributes")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip() for name in names)
        if "" in names:
            raise ValueError("empty resource attribute")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"duplicated resource attribute: {', '.join(twice)}")
        return names

    @model_validator(mode="after")
    def _one_way_to_promote(self) -> "Otlp":
        if self.promote_all_resource_attributes and self.promote_resource_attributes:
            raise ValueError("promote_all_resource_attributes and promote_resource_attributes cannot go together")
        if self.ignore_resource_attributes and not self.promote_all_resource_attributes:
            raise ValueError("ignore_resource_attributes needs promote_all_resource_attributes: true")
        return self


class Reconcile(Section):
    """Sinks compared with the store from time to time, as `pushbridge reconcile` does."""

    interval: Duration = Field(Duration("0s"), description="How often every sink is compared; 0s: never.")
    window: Duration = Field(Duration("1d"), ge=Duration("1m"), description="How much of the past is compared.")
    delay: Duration = Field(Duration("10m"), description="How much of the newest is left out: it may be on its way.")
    repair: Flag = Field(False, description="Send the hours again in which a sink lacks points.")
    query_urls: dict[str, HttpUrl] = Field(
        {}, description="Where remote-write sinks answer PromQL, by name; by default beside the address of writes."
    )


class Logging(Section):
    """Log lines, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    format: Literal["logfmt", "json"] = Field("logfmt", description="One line an event, in this notation.")


Sink = InfluxSink | RemoteWriteSink


class Settings(Section):
    """The whole file. Without one the bridge runs on these defaults: a local store in `./data` and no sink."""

    global_: Global = Field(Global(), alias="global", description="What many parts share.")
    web: Web = Field(Web(), description="The HTTP server.")
    push: Push = Field(Push(), description="The push edge.")
    remote_write_receiver: RemoteWriteReceiver = Field(RemoteWriteReceiver(), description="The remote-write edge.")
    storage: Storage = Field(Storage(), description="The local store.")
    promql: PromQL = Field(PromQL(), description="Queries.")
    otlp: Otlp = Field(Otlp(), description="How OTLP metrics become series.")
    influxdb: tuple[InfluxSink, ...] = Field((), description="InfluxDB sinks.")
    remote_write: tuple[RemoteWriteSink, ...] = Field((), description="Remote-write sinks.")
    reconcile: Reconcile = Field(Reconcile(), description="Sinks compared with the store.")
    logging: Logging = Field(Logging(), description="Log lines.")

    @field_validator("influxdb", "remote_write")
    @classmethod
    def _names_differ_in_a_list(cls, sinks: tuple[Sink, ...]) -> tuple[Sink, ...]:
        _check_names(sinks)
        return sinks

    @model_validator(mode="after")
    def _names_differ(self) -> "Settings":
        _check_names(self.sinks)
        return self

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """All of them."""
        labels = self.global_.external_labels
        return (*self.influxdb, *(sink.with_external_labels(labels) for sink in self.remote_write))


def _check_names(sinks: Iterable[Sink]) -> None:
    names = [sink.name for sink in sinks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each sink needs a name of its own: {', '.join(twice)}")
