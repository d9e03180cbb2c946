"""The commands of `pushbridge query`."""

import json
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from bridge.cli.query.http import Server
from bridge.cli.query.result import Result
from bridge.cli.query.show import Form, show_instant, show_names, show_range, show_series
from bridge.cli.query.source import Answer, Source, Span
from bridge.cli.tsdb.options import Instant, failing_clearly, store_in
from bridge.model import parse_duration

__all__ = ["query"]

F = TypeVar("F", bound=Callable[..., object])

SPAN = 300_000  # ms of a range that says not from when, as promtool has it
POINTS = 250


class Step(click.ParamType[float]):
    """A resolution: `15s`, or seconds; in ms."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Milliseconds, or a usage error."""
        text = str(value)
        try:
            step = float(text) * 1000
        except ValueError:
            try:
                step = parse_duration(text)
            except ValueError as error:
                self.fail(str(error), param, ctx)
        if not 1 <= step < 1 << 53:
            self.fail(f"{text} is no resolution", param, ctx)
        return step


def source_options(command: F) -> F:
    """`--url`, `--data` and `-o`."""
    for decorate in (
        click.option("-o", "--output", "form", type=click.Choice(["table", "json", "csv"]), default="table"),
        click.option("--data", type=click.Path(path_type=Path), help="Read this data directory instead."),
        click.option(
            "--url",
            default="http://127.0.0.1:9091",
            show_default=True,
            envvar="PUSHBRIDGE_URL",
            show_envvar=True,
            help="The bridge, or a Prometheus, to ask.",
        ),
    ):
        command = decorate(command)
    return command


def span_options(command: F) -> F:
    """`--start` and `--end`."""
    for decorate in (
        click.option("--end", type=Instant(), help="Up to this time."),
        click.option("--start", type=Instant(), help="From this time on: Unix seconds or RFC 3339."),
    ):
        command = decorate(command)
    return command


@click.group()
def query() -> None:
    """Ask what the store holds, in PromQL: a running bridge, a Prometheus, or a data directory beside its writer.

    Warnings go to standard error. Exit code 1: the question has no answer.

    \b
    Examples:
      pushbridge query instant 'sum by (job) (rows)'
      pushbridge query range 'rate(requests_total[5m])' --start 2026-11-23T00:00:00Z --step 1m
      pushbridge query series 'rows{job="backup"}' --data /var/lib/pushbridge
    """


@query.command()
@click.argument("expr")
@click.option("--time", type=Instant(), help="When: Unix seconds or RFC 3339; now when not given.")
@source_options
def instant(expr: str, time: int | None, url: str, data: Path | None, form: Form) -> None:
    """Evaluate EXPR at one time.

    \b
    Examples:
      pushbridge query instant up
      pushbridge query instant 'topk(3, rows)' --time 1700000000 -o json
    """
    with asking(url, data) as source:
        answer = told(source.instant(expr, now() if time is None else time))
        show_instant(Result.of(answer.data), form)


@query.command("range")
@click.argument("expr")
@span_options
@click.option("--step", type=Step(), help="Between two points; when not given, what makes about 250 of them.")
@source_options
def range_(  # noqa: PLR0917 - one for each option
    expr: str, start: int | None, end: int | None, step: float | None, url: str, data: Path | None, form: Form
) -> None:
    """Evaluate EXPR from --start (5 minutes before the end) to --end (now), and plot it.

    \b
    Examples:
      pushbridge query range rows --start 2026-11-23T00:00:00Z
      pushbridge query range 'rate(requests_total[5m])' --step 15s -o csv > rates.csv
    """
    last = now() if end is None else end
    first = last - SPAN if start is None else start
    if first >= last:
        raise click.UsageError("--start is not before --end")
    resolution = step or max((last - first) // 1000 // POINTS, 1) * 1000
    with asking(url, data) as source:
        answer = told(source.range(expr, first, last, resolution))
        show_range(Result.of(answer.data), form)


@query.command()
@click.argument("selectors", nargs=-1, required=True)
@span_options
@source_options
def series(  # noqa: PLR0917 - one for each option
    selectors: tuple[str, ...], start: int | None, end: int | None, url: str, data: Path | None, form: Form
) -> None:
    """Name the series that any of the SELECTORS finds.

    \b
    Examples:
      pushbridge query series '{job="backup"}'
      pushbridge query series rows 'duration_seconds{db="main"}' -o csv
    """
    with asking(url, data) as source:
        answer = told(source.series(selectors, Span(start, end)))
        show_series(json.loads(answer.data), answer.data, form)


@query.command()
@click.argument("name", required=False)
@click.option("--match", "selectors", multiple=True, help="Of these series only.")
@span_options
@source_options
def labels(  # noqa: PLR0917 - one for each option
    name: str | None,
    selectors: tuple[str, ...],
    start: int | None,
    end: int | None,
    url: str,
    data: Path | None,
    form: Form,
) -> None:
    """List the names of labels, or the values of the label NAME.

    \b
    Examples:
      pushbridge query labels
      pushbridge query labels job --match rows
      pushbridge query labels __name__            the names of all metrics
    """
    with asking(url, data) as source:
        answer = told(source.labels(name, selectors, Span(start, end)))
        show_names(json.loads(answer.data), answer.data, form)


@contextmanager
def asking(url: str, data: Path | None) -> Iterator[Source]:
    """Whom to ask."""
    if data is None:
        yield Server(url)
        return
    from bridge.cli.query.directory import Store  # noqa: PLC0415 - the engine, which a server has for us

    with failing_clearly():
        yield Store(store_in(data))


def told(answer: Answer) -> Answer:
    """Print what the answer says beside its data."""
    say = partial(click.echo, err=True)
    for text in answer.warnings:
        say(f"warning: {text}")
    for text in answer.infos:
        say(f"info: {text}")
    return answer


def now() -> int:
    """The time, ms."""
    return clock.time_ns() // 1_000_000
