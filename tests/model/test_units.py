"""Durations, sizes and instants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import format_duration, format_size, parse_duration, parse_size, parse_time

DURATIONS = {
    "0": 0,
    "0s": 0,
    "15s": 15_000,
    "1h30m": 5_400_000,
    "90s": 90_000,
    "5m": 300_000,
    "5ms": 5,
    "2d": 172_800_000,
    "1y2w3d4h5m6s7ms": 31_536_000_000 + 1_209_600_000 + 259_200_000 + 14_400_000 + 306_007,
}
NO_DURATIONS = ["", "5", "s", "1.5h", "30m1h", "1h1h", "-1h", "1 h", "1h ", "१h", "9" * 30 + "s", "300y"]
SIZES = {"0": 0, "1024": 1024, "10B": 10, "16MiB": 1 << 24, "512MB": 1 << 29, "2PiB": 1 << 51}
NO_SIZES = ["", "MiB", "1.5GiB", "1 GiB", "1mib", "-1", "1ZiB", "9" * 18 + "PiB"]
TIMES = {
    "0": 0,
    "1700000000": 1_700_000_000_000,
    "1700000000.5": 1_700_000_000_500,
    "-1.25": -1250,
    "2023-11-14T22:13:20Z": 1_700_000_000_000,
    "2023-11-14T23:13:20.250+01:00": 1_700_000_000_250,
}
NO_TIMES = ["", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "1e9", "nan", "9" * 20]


@pytest.mark.parametrize(("text", "milliseconds"), DURATIONS.items())
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.integers(0, 9 * 10**12))
def test_a_formatted_duration_reads_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


def test_durations_are_written_as_prometheus_writes_them() -> None:
    assert [format_duration(ms) for ms in (90_000, 86_400_000, 604_800_000, 691_200_000)] == ["1m30s", "1d", "1w", "8d"]


@pytest.mark.parametrize(("text", "size"), SIZES.items())
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", NO_SIZES)
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@given(st.integers(0, 2**63 - 1))
def test_a_formatted_size_reads_back(size: int) -> None:
    # A bare number of more than 18 digits is refused; a size that large is written with a unit or not at all.
    text = format_size(size)
    if len(text) <= 18:
        assert parse_size(text) == size


@pytest.mark.parametrize(("text", "milliseconds"), TIMES.items())
def test_times(text: str, milliseconds: int) -> None:
    assert parse_time(text) == milliseconds


@pytest.mark.parametrize("text", NO_TIMES)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(text)
