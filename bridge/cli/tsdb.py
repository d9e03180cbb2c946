"""`pushbridge tsdb`: looks into the store, also while a bridge runs on it."""

import sys
from pathlib import Path

import click

from bridge.buffer import open_read_only
from bridge.clock import SystemClock
from bridge.config import Logging
from bridge.errors import BadInput, BridgeError
from bridge.model import Matcher, parse_selector, parse_time
from bridge.telemetry import configure_logging

__all__ = ["tsdb"]


class Selector(click.ParamType[tuple[Matcher, ...]]):
    """A series selector as an option."""

    name = "selector"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Matcher, ...]:
        """Its matchers, or a usage error."""
        try:
            return parse_selector(str(value))
        except BadInput as error:
            self.fail(str(error), param, ctx)


class Instant(click.ParamType[int]):
    """A point in time as an option."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970, or a usage error."""
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group()
def tsdb() -> None:
    """Look into the store."""


@tsdb.command()
@click.option("--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data directory.")
@click.option("--match", "matchers", type=Selector(), default="{}", help="Series to print, such as '{job=\"x\"}'.")
@click.option("--from", "mint", type=Instant(), help="From this time on: Unix seconds or RFC 3339.")
@click.option("--to", "maxt", type=Instant(), help="Up to this time, inclusive.")
@click.option("--held", is_flag=True, help="Also the repetitions of pushed values that local queries see.")
def dump(data: Path, matchers: tuple[Matcher, ...], mint: int | None, maxt: int | None, held: bool) -> None:  # noqa: FBT001
    """Print what the store holds, one sample a line, as `promtool tsdb dump` does: labels, value, milliseconds.

    Takes no lock and changes nothing, so it works beside a running bridge.

    \b
    Examples:
      pushbridge tsdb dump --match '{job="backup"}'
      pushbridge tsdb dump --match 'rows{db=~"main|spare"}' --from 2026-11-23T00:00:00Z
    """
    configure_logging(Logging(level="warning"), SystemClock())
    if not (data / "tsdb").is_dir():
        raise click.ClickException(f"{data} holds no store")
    limits = {name: limit for name, limit in (("mint", mint), ("maxt", maxt)) if limit is not None}
    try:
        pieces = open_read_only(data, SystemClock()).dump(matchers, held=held, **limits)
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except (BridgeError, ValueError) as error:
        raise click.ClickException(str(error)) from None
