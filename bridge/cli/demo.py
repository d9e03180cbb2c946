"""`pushbridge demo`: the whole way of a sample, to watch."""

import click
from rich.console import Console

from bridge.demo import run_demo

__all__ = ["demo"]


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=30.0, show_default=True, help="How long the jobs push."
)
def demo(seconds: float) -> None:
    """Watch real jobs push through a bridge into InfluxDB, in a temporary folder.

    The InfluxDB is the one that INFLUX_URL names, or an influxd on PATH, started on a free port; without either a
    second bridge takes its place. Exits 0 only when everything that was accepted has been sent.
    """
    if not run_demo(seconds, Console()):
        raise SystemExit(1)
