"""What a running bridge shows of itself: groups, metrics, memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.buffer import Directory, Files
from bridge.clock import SystemClock
from tests.bridge_process import BridgeProcess

__all__ = ["Key", "Memory", "group_key", "groups", "metric", "stored", "without_failure"]

Key = tuple[tuple[str, str], ...]
"""Grouping labels, sorted."""


def group_key(**labels: str) -> Key:
    """The key of a group as `groups` has it."""
    return tuple(sorted(labels.items()))


def groups(bridge: BridgeProcess) -> dict[Key, dict[str, Any]]:
    """All groups with all that the API tells about them."""
    answer = bridge.request("GET", "/api/v1/metrics")
    assert answer.status == 200
    return {group_key(**group["labels"]): group for group in json.loads(answer.body)["data"]}


def without_failure(group: dict[str, Any]) -> dict[str, Any]:
    """A group without what a refused push may change of it: when that was."""
    documented = ("push_failure_time_seconds", "last_push_successful")
    kept = {name: value for name, value in group.items() if name not in documented}
    # Pushgateway stamps the two push times together.
    kept["push_time_seconds"] = {**kept["push_time_seconds"], "time_stamp": ""}
    return kept


def metric(bridge: BridgeProcess, name: str, **labels: str) -> float:
    """One of the bridge's own metrics, summed over the labels that are not given; 0 if it is not there."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    total = 0.0
    for line in bridge.request("GET", "/metrics").text.splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(label in series for label in wanted):
            total += float(value)
    return total


def stored(data: Path, **labels: str) -> dict[Key, list[float]]:
    """Values by label set in the store of a data directory, whether a bridge runs on it or not."""
    matchers = [("__name__" if key == "name" else key, "=", value) for key, value in labels.items()]
    series = Directory(Files(), data / "tsdb", SystemClock()).select(matchers)
    return {tuple(sorted(one.labels.items())): one.values for one in series}


class Memory:
    """The memory of a process, in bytes."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        if not self._folder.exists():
            pytest.skip("there is no /proc to read a process' memory from")

    def resident(self) -> int:
        """At the moment."""
        return self._status("VmRSS")

    def anonymous(self) -> int:
        """At the moment, pages of files left out."""
        return self._status("RssAnon")

    def peak(self) -> int:
        """At most, since the start or the last `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> int:
        """Begin to look for a new peak; what is resident now."""
        (self._folder / "clear_refs").write_text("5")
        return self.resident()

    def _status(self, name: str) -> int:
        for line in (self._folder / "status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0]) << 10
        raise AssertionError(name)
