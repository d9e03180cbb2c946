"""`remote_write`, as in prometheus.yml."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from bridge.config.http_client import HttpClient
from bridge.config.relabel import RelabelConfig
from bridge.config.section import Section
from bridge.config.types import Count, Duration, Flag, Kind, Name, Secret, split_url

__all__ = ["MetadataConfig", "QueueConfig", "RemoteWriteSink"]

_RESERVED = {
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "retry-attempt",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
}


def _check_url(value: str) -> str:
    """Any http address; Prometheus takes a path and a query as they are."""
    split_url(value, "http://host[:port]/path", "basic_auth")
    return value


WriteUrl = Annotated[str, AfterValidator(_check_url), Kind("URL")]


class QueueConfig(Section):
    """How samples are sent. The queue itself is the log: nothing of it is lost, and none of it is in memory."""

    capacity: Count = Field(10_000, ge=1, description="Taken for compatibility: samples wait in the log.")
    min_shards: Count = Field(1, ge=1, le=1000, description="Requests at a time at least, as far as samples wait.")
    max_shards: Count = Field(
        50, ge=1, le=1000, description="Requests at a time at most; as many as the receiver takes well."
    )
    max_samples_per_send: Count = Field(
        2000, ge=1, le=1_000_000, description="Samples in one request at most; fewer after timeouts."
    )
    batch_send_deadline: Duration = Field(
        Duration("5s"), description="Taken for compatibility: samples are sent as soon as the receiver takes them."
    )
    min_backoff: Duration = Field(
        Duration("30ms"), ge=Duration("1ms"), description="The longest first wait before a request is sent again."
    )
    max_backoff: Duration = Field(Duration("5s"), ge=Duration("1ms"), description="What it grows to.")
    retry_on_http_429: Flag = Field(
        False, description="Taken for compatibility: after 429 a request is always sent again, never dropped."
    )
    sample_age_limit: Duration = Field(
        Duration("0s"), description="Older samples are not sent; they count as unrepresentable. 0s sets no limit."
    )

    @model_validator(mode="after")
    def _bounds(self) -> "QueueConfig":
        if self.min_shards > self.max_shards:
            raise ValueError("min_shards is greater than max_shards")
        if self.min_backoff > self.max_backoff:
            raise ValueError("min_backoff is greater than max_backoff")
        return self


class MetadataConfig(Section):
    """Type, unit and help of metrics by remote write 1.0; 2.0 has them beside each series."""

    send: Flag = Field(True, description="Send them at all.")
    send_interval: Duration = Field(Duration("1m"), ge=Duration("1s"), description="How often.")
    max_samples_per_send: Count = Field(2000, ge=1, description="Metrics in one request at most.")


class RemoteWriteSink(HttpClient):
    """A remote-write receiver that every accepted sample is forwarded to, configured as in prometheus.yml."""

    url: WriteUrl = Field(description="Address, such as `http://127.0.0.1:9090/api/v1/write`.")
    name: Name = Field(
        "", description="Name in metrics, logs and commands; the cursor is kept under it. Made of `url` when not given."
    )
    remote_timeout: Duration = Field(Duration("30s"), ge=Duration("1ms"), description="How long to wait for an answer.")
    headers: dict[str, Secret] = Field({}, description="Further request headers.")
    protobuf_message: Literal["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] = Field(
        "prometheus.WriteRequest",
        description="Remote write 1.0 or 2.0; a receiver that does not know 2.0 is sent 1.0 instead.",
    )
    send_exemplars: Flag = Field(False, description="Send exemplars, as far as they come with samples.")
    send_native_histograms: Flag = Field(
        False, description="Send native histograms; without it they count as unrepresentable."
    )
    round_robin_dns: Flag = Field(False, description="Taken for compatibility: addresses are tried in their order.")
    write_relabel_configs: tuple[RelabelConfig, ...] = Field(
        (), description="Rules that change or drop series before they are sent, external labels included."
    )
    queue_config: QueueConfig = Field(QueueConfig(), description="How samples are sent.")
    metadata_config: MetadataConfig = Field(MetadataConfig(), description="Metadata by remote write 1.0.")

    _external_labels: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("headers")
    @classmethod
    def _are_free(cls, headers: dict[str, Secret]) -> dict[str, Secret]:
        for header in headers:
            if header.lower() == "authorization":
                raise ValueError(
                    "authorization header must be changed via the basic_auth, authorization or oauth2 parameter"
                )
            if header.lower() in _RESERVED:
                raise ValueError(f"{header} is a reserved header. It must not be changed")
        return headers

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_url(cls, value: object) -> object:
        if isinstance(value, dict) and not value.get("name") and isinstance(value.get("url"), str):
            digest = hashlib.md5(value["url"].encode(), usedforsecurity=False).hexdigest()
            return value | {"name": f"remote-{digest[:6]}"}
        return value

    @property
    def external_labels(self) -> Mapping[str, str]:
        """`global.external_labels`, which each series gets that has no label of that name."""
        return self._external_labels

    def with_external_labels(self, labels: Mapping[str, str]) -> "RemoteWriteSink":
        """The same sink in a file with these."""
        sink = self.model_copy()
        sink._external_labels = dict(labels)
        return sink

    @property
    def version(self) -> int:
        """1 or 2: what is tried first."""
        return 2 if self.protobuf_message == "io.prometheus.write.v2.Request" else 1
