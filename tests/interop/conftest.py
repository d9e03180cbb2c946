"""What the tests against real peers may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.influxdbs import Influxd, Influxd1, Influxd2, Influxd3


@pytest.fixture(params=[Influxd1, Influxd2, Influxd3], ids=["1", "2", "3"])
def influxd(
    request: pytest.FixtureRequest, peer: Callable[[str], Path], guest: Callable[[str], Path], tmp_path: Path
) -> Iterator[Influxd]:
    """A real InfluxDB of each generation, with a database or bucket `d`."""
    kind = request.param
    program = (peer if kind is Influxd1 else guest)(kind.program)
    with kind(program, tmp_path / "influxd") as server:
        server.make("d")
        yield server
