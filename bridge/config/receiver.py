"""Settings of the remote-write receiver."""

from typing import Literal

from pydantic import Field, model_validator

from bridge.config.section import Section
from bridge.config.types import Count, Duration, Size

__all__ = ["HaPairs", "RemoteWriteReceiver"]


class HaPairs(Section):
    """Senders that come in pairs: of each cluster one replica is heard, and its label taken off."""

    cluster_label: str = Field("cluster", min_length=1, description="Label that all replicas of a cluster share.")
    replica_label: str = Field("__replica__", min_length=1, description="Label that tells the replicas apart.")
    failover_timeout: Duration = Field(
        Duration("30s"),
        ge=Duration("1ms"),
        description="How long the replica that is heard may be silent before another one takes its place.",
    )
    max_clusters: Count = Field(
        1000, ge=1, description="Clusters in all; samples of further ones are refused with 400."
    )

    @model_validator(mode="after")
    def _labels_differ(self) -> "HaPairs":
        if self.cluster_label == self.replica_label:
            raise ValueError("cluster_label and replica_label must differ")
        return self


class RemoteWriteReceiver(Section):
    """The remote-write edge, `/api/v1/write`."""

    max_body: Size = Field(Size("16MiB"), ge=Size("1KiB"), description="Largest request, as sent; over it: 413.")
    max_decompressed: Size = Field(
        Size("32MiB"), ge=Size("1KiB"), description="Largest request after decompression; over it: 413."
    )
    max_inflight_bytes: Size = Field(
        Size("256MiB"), ge=Size("1KiB"), description="Requests held in memory at a time; over it: 503."
    )
    max_samples: Count = Field(
        100_000,
        ge=0,
        description="Samples in one request, and as many series, exemplars, metadata; over it: 413. 0 sets no limit.",
    )
    max_series: Count = Field(
        5_000_000,
        ge=0,
        description="Series in memory; samples of further ones are left out, and the answer is 400. 0 sets no limit.",
    )
    max_new_series_per_minute: Count = Field(
        0,
        ge=0,
        description="New series in a minute; samples of further ones are left out, and the answer is 429. "
        "0 sets no limit.",
    )
    max_labels: Count = Field(
        256, ge=0, description="Labels of a series; one with more is left out, and the answer is 400. 0 sets no limit."
    )
    max_label_name: Size = Field(
        Size("1KiB"), ge=Size(0), description="Length of a label's name; the same for longer ones. 0 sets no limit."
    )
    max_label_value: Size = Field(
        Size("64KiB"), ge=Size(0), description="Length of a label's value; the same for longer ones. 0 sets no limit."
    )
    start_timestamps: Literal["ignore", "zero_sample"] = Field(
        "ignore",
        description="What to do with the start times of 2.0: `zero_sample` stores a 0 there, once, so that a rate sees "
        "what a counter had counted before its first sample.",
    )
    ha: HaPairs | None = Field(None, description="Senders that come in pairs; `{}` for these defaults.")
