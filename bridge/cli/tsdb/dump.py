"""`pushbridge tsdb dump`: the samples as text."""

import sys
from pathlib import Path

import click

from bridge.buffer import Directory, Files
from bridge.cli.tsdb.options import data_option, failing_clearly, store_in, window_options
from bridge.clock import SystemClock
from bridge.model import Matcher

__all__ = ["dump"]


@click.command()
@data_option
@window_options
@click.option("--held", is_flag=True, help="Also the repetitions of pushed values that local queries see.")
def dump(data: Path, matchers: tuple[Matcher, ...], mint: int | None, maxt: int | None, held: bool) -> None:  # noqa: FBT001
    """Print what the store holds, one sample a line, as `promtool tsdb dump` does: labels, value, milliseconds.

    Takes no lock and changes nothing, so it works beside a running bridge.

    \b
    Examples:
      pushbridge tsdb dump --match '{job="backup"}'
      pushbridge tsdb dump --match 'rows{db=~"main|spare"}' --from 2026-11-23T00:00:00Z
    """
    directory = store_in(data)
    limits = {name: limit for name, limit in (("mint", mint), ("maxt", maxt)) if limit is not None}
    with failing_clearly():
        for piece in Directory(Files(), directory, SystemClock()).querier.dump(matchers, held=held, **limits):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
