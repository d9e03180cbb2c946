"""Configuration: one YAML file to frozen, typed settings; every error as `file:line:col: path: what`."""

from bridge.config.flags import flags
from bridge.config.http_client import HttpClient, TlsClient
from bridge.config.influxdb import InfluxSink
from bridge.config.load import load, load_web_config, parse
from bridge.config.models import (
    Global,
    Logging,
    Otlp,
    PromQL,
    Push,
    Reconcile,
    Retention,
    Settings,
    Storage,
    Wal,
    WalKeep,
    Web,
)
from bridge.config.proxy import ProxyClient
from bridge.config.receiver import HaPairs, RemoteWriteReceiver
from bridge.config.relabel import RelabelConfig
from bridge.config.remote_write import MetadataConfig, QueueConfig, RemoteWriteSink
from bridge.config.types import Duration, Listen, Secret, Size
from bridge.config.web import HttpServer, TlsServer, WebConfig

__all__ = [
    "Duration",
    "Global",
    "HaPairs",
    "HttpClient",
    "HttpServer",
    "InfluxSink",
    "Listen",
    "Logging",
    "MetadataConfig",
    "Otlp",
    "PromQL",
    "ProxyClient",
    "Push",
    "QueueConfig",
    "Reconcile",
    "RelabelConfig",
    "RemoteWriteReceiver",
    "RemoteWriteSink",
    "Retention",
    "Secret",
    "Settings",
    "Size",
    "Storage",
    "TlsClient",
    "TlsServer",
    "Wal",
    "WalKeep",
    "Web",
    "WebConfig",
    "flags",
    "load",
    "load_web_config",
    "parse",
]
