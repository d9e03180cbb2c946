"""What the store may keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.buffer.plan import block_ranges
from bridge.buffer.retention import Limits
from bridge.config import Settings, parse
from bridge.errors import ConfigError

DAY = 86_400_000
GIB = 1 << 30


def storage(text: str) -> Settings:
    return parse(Settings, f"storage: {text}".encode(), Path("bridge.yml"))


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("{}", Limits(time=15 * DAY)),
        ("{retention: {}}", Limits(time=15 * DAY)),
        ("{retention: {time: 30d}}", Limits(time=30 * DAY)),
        ("{retention: {time: 0s}}", Limits()),
        ("{retention: {size: 5GB}}", Limits(size=5 * GIB)),
        ("{retention: {percentage: 12.5}}", Limits(percentage=12.5)),
        ("{retention: {time: 1d, size: 1GiB, percentage: 100}}", Limits(DAY, GIB, 100)),
    ],
)
def test_fifteen_days_unless_something_else_is_said(text: str, limits: Limits) -> None:
    assert Limits.of(storage(text).storage.retention) == limits


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{retention: {percentage: 101}}", "must be at most 100"),
        ("{retention: {percentage: -1}}", 'expected a number from 0 to 100, got "-1"'),
        ("{retention: {percentage: 80%}}", 'expected a number from 0 to 100, got "80%"'),
        ("{retention: {percentage: nan}}", 'expected a number from 0 to 100, got "nan"'),
        ("{retention: {size: -5}}", "not a valid size"),
        ("{retention: {age: 5d}}", "unknown field"),
        ("{max_block_duration: 1h}", "must be at least 2h"),
        ("{wal_keep: {time: soon}}", "not a valid duration"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        storage(text)
    assert problem in str(refused.value)


def test_the_longest_block_bounds_the_ranges() -> None:
    settings = storage("{max_block_duration: 2h}").storage
    assert block_ranges(settings.retention.time_limit, settings.max_block_duration) == (2 * 3_600_000,)
