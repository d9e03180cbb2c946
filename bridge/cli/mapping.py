"""`pushbridge mapping`: which schemas there are, and what lines stored series would give by one."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from bridge.buffer import Directory, Files
from bridge.cli.check import check_file
from bridge.cli.sinks import pick_sink
from bridge.cli.tsdb.options import failing_clearly, store_in, window_options
from bridge.clock import SystemClock
from bridge.config import InfluxSink
from bridge.forward import MAPPINGS, Preview, line_mapping, line_route, preview
from bridge.model import Matcher
from bridge.native import LineMapping, Route

__all__ = ["mapping"]

_TIMEOUT = 30.0


@click.group()
def mapping() -> None:
    """See how samples become line protocol.

    \b
    Examples:
      pushbridge mapping list
      pushbridge mapping preview --mapping telegraf-v1 --match '{job="backup"}'
      pushbridge mapping preview --config bridge.yml --sink main
    """


@mapping.command("list")
def list_mappings() -> None:
    """Explain each mapping."""
    for known in MAPPINGS:
        click.echo(known.name)
        rows = {
            "as": known.like,
            "measurement": known.measurement,
            "fields": known.fields,
            "lines": "samples of equal tags and time share one" if known.merges else "one for each sample",
            "native histograms": known.natives,
            "for": known.choose,
        }
        for key, told in rows.items():
            click.echo(f"  {key + ':':19}{told}")


def _line_options(command: Callable[..., None]) -> Callable[..., None]:
    """What a sink's settings say besides the mapping's name."""
    for decorate in (
        click.option("--sentinel", type=float, help="The number for NaN, with --non-finite sentinel; else -1."),
        click.option("--stale", type=click.Choice(["omit", "marker"])),
        click.option("--non-finite", type=click.Choice(["omit", "text", "sentinel"])),
        click.option("--histograms", type=click.Choice(["buckets", "lossless", "omit"])),
        click.option(
            "--mapping",
            "name",
            type=click.Choice([known.name for known in MAPPINGS]),
            help="Else that of the sink, or prom-value.",
        ),
        click.option("--sink", help="As this sink would: through its filters and rules, and by its settings."),
        click.option("--config", "config_file", type=click.Path(path_type=Path), help="Where --sink is configured."),
    ):
        command = decorate(command)
    return command


@mapping.command("preview")
@_line_options
@window_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Lines at most.")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory; ./data when no --url is given.")
@click.option("--url", help="A running bridge instead, such as http://127.0.0.1:9091.")
def preview_lines(
    *,
    sink: str | None,
    config_file: Path | None,
    matchers: tuple[Matcher, ...],
    mint: int | None,
    maxt: int | None,
    limit: int,
    data: Path | None,
    url: str | None,
    **ways: str | float | None,
) -> None:
    """Print the lines that the newest stored samples would give.

    Changes nothing, and works beside a running bridge. What gives no line is counted on standard error.
    """
    if data is not None and url is not None:
        raise click.UsageError("give --data or --url, not both")
    given = {key: way for key, way in ways.items() if way is not None}
    with failing_clearly():
        if url is not None:
            bounds = {key: f"{t / 1000:.3f}" for key, t in (("start", mint), ("end", maxt)) if t is not None}
            query = {"mapping" if key == "name" else key: way for key, way in given.items()} | bounds
            query |= {"sink": sink} if sink is not None else {}
            found = _ask(url, {"match[]": _selector(matchers), "limit": limit, **query})
        else:
            how, route = _ways_of(config_file, sink, given)
            view = Directory(Files(), store_in(data or Path("data")), SystemClock())
            found = preview(view, how, route, matchers, mint=mint, maxt=maxt, limit=limit)
    _show(found)


def _ways_of(config_file: Path | None, name: str | None, given: Mapping[str, Any]) -> tuple[LineMapping, Route]:
    """How samples become lines, and which of them do. Raises click.UsageError."""
    if config_file is None and name is None:
        return LineMapping(**given), Route()
    if config_file is None:
        raise click.UsageError("--sink needs --config, or --url for a running bridge")
    sink = pick_sink(check_file(config_file), name)
    if not isinstance(sink, InfluxSink):
        raise click.UsageError(f"sink {sink.name} is no InfluxDB")
    return line_mapping(sink, given), line_route(sink)


def _selector(matchers: tuple[Matcher, ...]) -> str:
    return "{" + ",".join(f"{name}{operator}{json.dumps(value)}" for name, operator, value in matchers) + "}"


def _ask(url: str, query: Mapping[str, Any]) -> Preview:
    """What a running bridge says. Raises ClickException."""
    address = f"{url.rstrip('/')}/api/v1/mapping/preview?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:  # noqa: S310 - the user's own address
            told = json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise click.ClickException(f"{url}: {error.code} {error.read().decode(errors='replace').strip()}") from None
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(f"{url}: {error}") from None
    return Preview(told["lines"], told["samples"], told["total"], told["unrepresentable"])


def _show(found: Preview) -> None:
    for line in found.lines:
        click.echo(line)
    if not found.samples:
        click.echo("no samples", err=True)
    if found.total > len(found.lines):
        click.echo(f"{found.total - len(found.lines)} more lines", err=True)
    for reason, count in found.unrepresentable.items():
        click.echo(f"{count} samples give no line: {reason}", err=True)
