"""InfluxDB sinks."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bridge.config.http_client import TlsClient
from bridge.config.proxy import ProxyClient
from bridge.config.relabel import RelabelConfig
from bridge.config.types import Count, Duration, Flag, HttpUrl, Name, Secret, SecretFile, Selector
from bridge.model import Matcher, parse_selector

__all__ = ["InfluxSink"]


class InfluxSink(ProxyClient):
    """An InfluxDB that accepted samples are forwarded to."""

    name: Name = Field(description="Name in metrics, logs and commands; the cursor is kept under it.")
    url: HttpUrl = Field(description="Base address, such as `http://127.0.0.1:8086`.")
    dialect: Literal["auto", "v1", "v2", "v3"] = Field(
        "auto",
        description="Write API: `/write` (v1), `/api/v2/write` (v2) or `/api/v3/write_lp` (v3); `auto` asks `/ping`"
        " and `/health` who answers.",
    )
    org: str | None = Field(None, description="v2: organisation.")
    bucket: str | None = Field(None, description="v2: bucket.")
    db: str | None = Field(None, description="v1 and v3: database.")
    rp: str | None = Field(None, description="v1: retention policy; the default one when not given.")
    token_file: SecretFile | None = Field(None, description="File with the token, instead of `token`.")
    token: Annotated[Secret | None, Field(validate_default=True)] = Field(None, description="API token.")
    username: str | None = Field(None, description="User name for basic auth.")
    password_file: SecretFile | None = Field(None, description="File with the password, instead of `password`.")
    password: Annotated[Secret | None, Field(validate_default=True)] = Field(None, description="Password.")
    headers: dict[str, Secret] = Field({}, description="Further request headers.")
    tls_config: TlsClient = Field(TlsClient(), description="TLS, when the address is https.")
    auto_create: Flag = Field(
        False, description="Create the database or bucket when there is none. Needs credentials that may."
    )
    match: tuple[Selector, ...] = Field(
        (), description='Send only series that one of these selectors finds, such as `{job=~"a|b"}`; none: all series.'
    )
    write_relabel_configs: tuple[RelabelConfig, ...] = Field(
        (), description="Rules that change or drop series before they become lines."
    )
    mapping: Literal["prom-value", "influx1-compat", "telegraf-rw", "telegraf-v1", "telegraf-v2", "otel-v1"] = Field(
        "prom-value", description="Schema of the lines; `pushbridge mapping list` explains them."
    )
    name_tag: Flag = Field(False, description="`prom-value` with the metric's name as tag too: `influx1-compat`.")
    native_histograms: Literal["buckets", "lossless", "omit"] = Field(
        "buckets",
        description="As the mapping has classic ones (`buckets`), one line with all of it (`lossless`), or not at all.",
    )
    non_finite: Literal["omit", "text", "sentinel"] = Field(
        "omit",
        description="NaN and infinities: not sent, a field `<field>_text`, or `nan_sentinel` and the largest numbers.",
    )
    nan_sentinel: float = Field(-1.0, allow_inf_nan=False, description="The number for NaN.")
    stale: Literal["omit", "marker"] = Field(
        "omit", description="Stale markers: not sent, or a boolean field `<field>_stale`."
    )
    send_exemplars: Flag = Field(False, description="Send exemplars, as lines of `<metric>_exemplar`, as they come in.")
    send_metadata: Flag = Field(
        False, description="Send type, unit and help of each metric, as lines of `prom_metadata`."
    )
    metadata_interval: Duration = Field(Duration("1h"), ge=Duration("1s"), description="How often.")
    send_unchanged: Flag = Field(
        True, description="Send every sample; else one of a value that stays the same in each `heartbeat`."
    )
    heartbeat: Duration = Field(
        Duration("5m"), ge=Duration("1s"), description="How often a value that stays the same is sent."
    )
    gzip: Flag = Field(True, description="Compress request bodies.")
    batch_samples: Count = Field(
        5000, ge=1, le=1_000_000, description="Samples in one request at most; fewer after timeouts."
    )
    in_flight: Count = Field(4, ge=1, le=64, description="Requests at a time at most; as many as the sink takes well.")
    timeout: Duration = Field(Duration("30s"), ge=Duration("1ms"), description="How long to wait for an answer.")

    @property
    def wanted(self) -> list[tuple[Matcher, ...]]:
        """The matchers of each selector in `match`."""
        return [parse_selector(selector) for selector in self.match]

    @field_validator("token", "password")
    @classmethod
    def _or_from_file(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        """After loading, `token` and `password` hold the secret wherever it came from."""
        file = info.data.get(f"{info.field_name}_file")
        if file is None:
            return value
        if value is not None:
            raise ValueError(f"give {info.field_name} or {info.field_name}_file, not both")
        secret: Secret = file.secret
        return secret

    @model_validator(mode="after")
    def _has_a_destination(self) -> "InfluxSink":
        if self.dialect == "v1" and not self.db:
            raise ValueError("dialect v1 needs db")
        if self.dialect == "v2" and not self.bucket:
            raise ValueError("dialect v2 needs bucket")
        if self.dialect == "v3" and not self.db:
            raise ValueError("dialect v3 needs db")
        if self.name_tag and self.mapping not in {"prom-value", "influx1-compat"}:
            raise ValueError(f"mapping {self.mapping} has no name_tag")
        if not self.db and not self.bucket:
            raise ValueError("needs a bucket (InfluxDB 2) or a db (InfluxDB 1)")
        if self.token and self.username:
            raise ValueError("give a token or a username, not both")
        if self.password and not self.username:
            raise ValueError("a password needs a username")
        return self
