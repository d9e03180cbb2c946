"""`pushbridge tsdb export`: samples as text that other tools, and `tsdb import`, read."""

import sys
from pathlib import Path

import click

from bridge.buffer import MAX_TIME, MIN_TIME, Directory, Files
from bridge.cli.tsdb.options import data_option, failing_clearly, store_in, window_options
from bridge.cli.tsdb.progress import Progress
from bridge.clock import SystemClock
from bridge.model import Matcher

__all__ = ["export"]

REASONS = {
    "nan": "NaN",
    "inf": "infinite values",
    "stale": "stale markers",
    "native_histogram": "native histograms",
    "time_range": "times that the format cannot tell",
}


@click.command()
@data_option
@window_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["openmetrics", "line-protocol", "jsonl"]),
    default="openmetrics",
    show_default=True,
    help="What to write.",
)
def export(data: Path, matchers: tuple[Matcher, ...], mint: int | None, maxt: int | None, form: str) -> None:
    """Write samples to standard output, series by series. Memory stays small, however much there is.

    Takes no lock and changes nothing, so it works beside a running bridge. Repetitions of pushed values are left out,
    as in `tsdb dump`. What the format cannot carry is counted on standard error.

    \b
    openmetrics    read by `tsdb import openmetrics` and `promtool tsdb create-blocks-from openmetrics`
    line-protocol  InfluxDB's, in milliseconds; read by `tsdb import line-protocol --precision ms`
    jsonl          an object a line with metric, values and timestamps; read by VictoriaMetrics' /api/v1/import

    \b
    Examples:
      pushbridge tsdb export --match '{job="backup"}' --from 2026-11-01T00:00:00Z > backup.om
      pushbridge tsdb export --format jsonl | curl -T - http://victoria:8428/api/v1/import
    """
    directory = store_in(data)
    bounds = (MIN_TIME if mint is None else mint, MAX_TIME if maxt is None else maxt)
    with failing_clearly(), Progress("export", None) as progress:
        pieces = Directory(Files(), directory, SystemClock()).querier.export(form, matchers, *bounds)
        left_out: list[tuple[str, int]] = []
        for piece, unrepresentable in pieces:
            sys.stdout.buffer.write(piece)
            progress.advance(len(piece))
            left_out = unrepresentable
        sys.stdout.buffer.flush()
    for reason, count in left_out:
        click.echo(f"{count} samples left out: {REASONS[reason]}", err=True)
