"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests.bridge_process import free_port

# The data of a failing example is small; the database of examples would be a file nobody commits. How long an example
# takes says something about the machine. The fast ones are the same each time, so that what fails is what has changed.
UNHURRIED = hypothesis.settings(deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("fast", UNHURRIED, max_examples=30, derandomize=True)
hypothesis.settings.register_profile("slow", UNHURRIED, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this suite."""
    parser.addoption("--require-peers", action="store_true", help="a peer that is not on PATH fails, not skips, a test")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on the loop that the server runs on."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(scope="session")
def peer(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    """Ask for a real peer by the name of its program: `peer("influxd")` is its path, or skips, or fails."""

    def find(program: str) -> Path:
        path = shutil.which(program)
        if path is not None:
            return Path(path)
        if pytestconfig.getoption("--require-peers"):
            pytest.fail(f"{program} is not on PATH")
        pytest.skip(f"{program} is not on PATH")

    return find


@pytest.fixture(scope="session")
def guest() -> Callable[[str], Path]:
    """Ask likewise for a peer that Debian does not have: a test without it is always skipped."""

    def find(program: str) -> Path:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is not on PATH")
        return Path(path)

    return find


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    """A loopback port that nobody listens on."""
    return free_port()
