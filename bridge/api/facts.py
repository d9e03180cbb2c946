"""What the bridge is and how it was told to be: `/status/{config,flags,runtimeinfo,buildinfo}`."""

import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml

from bridge import __version__
from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.buffer import BLOCK_RANGE, block_ranges
from bridge.clock import Clock
from bridge.config import Duration, Settings

__all__ = ["COMPATIBLE_VERSION", "Facts", "Reloads"]

COMPATIBLE_VERSION = "3.14.0"
"""The Prometheus whose API this is. Clients look at the version to know what they may ask for."""


class Reloads:
    """How reading the configuration went the last time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ok = True
        self.at_ms = clock.now_ms()
        """When it was last read without a mistake."""

    def done(self, *, ok: bool) -> None:
        """It has been read."""
        self.ok = ok
        if ok:
            self.at_ms = self._clock.now_ms()


class Facts:
    """What the endpoints do. `settings` are those in force; `corruptions` counts damage found in the log at start."""

    def __init__(
        self, settings: Callable[[], Settings], reloads: Reloads, corruptions: Callable[[], float | None], clock: Clock
    ) -> None:
        self._settings = settings
        self._reloads = reloads
        self._corruptions = corruptions
        self._clock = clock
        self._started_ms = clock.now_ms()

    async def config(self, _call: Call) -> Reply:
        """The configuration in force as YAML, secrets hidden. Prometheus' sections have their names there."""
        document = self._settings().model_dump(mode="json", by_alias=True)
        return Reply.of({"yaml": yaml.safe_dump(document, sort_keys=False, allow_unicode=True)})

    async def flags(self, _call: Call) -> Reply:
        """Those of Prometheus' flags that have a setting here, with its value."""
        return Reply.of(flags(self._settings()))

    async def runtimeinfo(self, _call: Call) -> Reply:
        """How it runs."""
        return Reply.of(
            {
                "startTime": _rfc3339(self._started_ms),
                "CWD": str(Path.cwd()),
                "hostname": socket.gethostname(),
                "serverTime": _rfc3339(self._clock.now_ms()),
                "reloadConfigSuccess": self._reloads.ok,
                "lastConfigTime": _rfc3339(self._reloads.at_ms),
                "corruptionCount": int(self._corruptions() or 0),
                "storageRetention": retention(self._settings()),
            }
        )

    async def buildinfo(self, _call: Call) -> Reply:
        """What it is compatible with, and, as revision, what it is."""
        return Reply.of(
            {
                "version": COMPATIBLE_VERSION,
                "revision": f"pushbridge-{__version__}",
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": "",
            }
        )


def flags(settings: Settings) -> Mapping[str, str]:
    """By flag of Prometheus, in its notation."""
    web, storage, promql = settings.web, settings.storage, settings.promql
    ranges = block_ranges(storage.retention.time_limit, storage.max_block_duration)
    values: Mapping[str, object] = {
        "query.lookback-delta": promql.lookback_delta,
        "query.max-concurrency": promql.concurrency,
        "query.max-samples": promql.max_samples,
        "query.timeout": promql.timeout,
        "storage.tsdb.max-block-duration": Duration(max(ranges)),
        "storage.tsdb.min-block-duration": Duration(BLOCK_RANGE),
        "storage.tsdb.out-of-order-time-window": storage.out_of_order_time_window,
        "storage.tsdb.path": storage.path / "tsdb",
        "storage.tsdb.retention.size": storage.retention.size,
        "storage.tsdb.retention.time": storage.retention.time_limit,
        "storage.tsdb.wal-segment-size": storage.wal.segment_size,
        "web.config.file": web.config_file or "",
        "web.cors.origin": web.cors_origin,
        "web.enable-admin-api": web.enable_admin_api,
        "web.enable-lifecycle": web.enable_lifecycle,
        "web.external-url": web.external_url or "",
        "web.listen-address": web.listen,
        "web.max-connections": web.max_connections,
        "web.route-prefix": web.prefix or "/",
    }
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}


def retention(settings: Settings) -> str:
    """What is kept, in words."""
    kept = settings.storage.retention
    limits = [str(kept.time_limit)] if kept.time_limit else []
    if kept.percentage:
        limits.append(f"{kept.percentage:g}%")
    elif kept.size:
        limits.append(str(kept.size))
    return " or ".join(limits)


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
