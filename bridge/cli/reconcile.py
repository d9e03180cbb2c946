"""`pushbridge reconcile`: whether a sink has what it was sent, and what it lacks sent again."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio.to_thread
import click
from rich.console import Console
from rich.table import Table

from bridge.buffer import Directory, Files
from bridge.cli.check import check_file
from bridge.cli.moment import Moment, instant, show
from bridge.cli.sinks import pick_sink
from bridge.cli.tsdb.options import failing_clearly
from bridge.clock import SystemClock
from bridge.forward import DeadLetters, SinkSettings, StoredHistory, open_outlet
from bridge.forward.reconcile import HOUR, Repair, Report, compare, open_census

__all__ = ["reconcile"]

_MOST_ROWS = 100


@click.command()
@click.option("--sink", "name", help="Name of the sink in the configuration; needed when it has several.")
@click.option("--from", "since", type=Moment(), required=True, help="From the beginning of this hour on.")
@click.option("--to", "until", type=Moment(), default="-10m", show_default=True, help="Up to this time, inclusive.")
@click.option("--repair", is_flag=True, help="Send the hours again in which the sink lacks points, and count again.")
@click.option("--query-url", help="Where a remote-write receiver answers PromQL; by default beside its write address.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), required=True, help="Configuration file.")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory, before `storage.path`.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def reconcile(  # noqa: PLR0917 - click passes what the decorators name
    name: str | None,
    since: str,
    until: str,
    repair: bool,  # noqa: FBT001
    query_url: str | None,
    config_file: Path,
    data: Path | None,
    output: str,
) -> None:
    """Count what the store has for a sink and what the sink has, metric by metric and hour by hour.

    Samples are counted as the sink is sent them: through its filters and its mapping, without those that it cannot be
    sent. Dead letters are not missing, nor is what a sink with `send_unchanged: false` shows without having it. What
    came in the last minutes may still be on its way: that is why --to is not now. Works beside a running bridge or
    without one.

    Times are RFC 3339 (2026-11-23T10:00:00Z), Unix seconds (1700000000), back from now (-24h, -30m) or `now`.

    Exits 0 when nothing is missing, 1 when something is, or the sink cannot be asked.

    \b
    Examples:
      pushbridge reconcile --config bridge.yml --from -24h
      pushbridge reconcile --config bridge.yml --sink main --from 2026-11-01T00:00:00Z --repair
      pushbridge reconcile --config bridge.yml --sink vm --from -7d --query-url http://vm:8428 -o json
    """
    with failing_clearly():
        settings = check_file(config_file)
        path = data or settings.storage.path
        if not (path / "tsdb").is_dir():
            raise click.ClickException(f"{path} holds no store")
        span = _span(since, until)
        run = _Run(pick_sink(settings, name), path, span, query_url)
        reports, sent = asyncio.run(run.go(repair=repair))
    if output == "json":
        click.echo(json.dumps([_document(report) for report in reports]))
    else:
        _show(reports, sent)
    if any(report.missing for report in reports):
        raise SystemExit(1)


class _Run:
    """One comparison, and a second one behind a repair."""

    def __init__(self, sink: SinkSettings, path: Path, span: tuple[int, int], query_url: str | None) -> None:
        self._sink = sink
        self._path = path
        self._span = span
        self._query_url = query_url
        self._clock = SystemClock()
        self._console = Console(stderr=True)

    async def go(self, *, repair: bool) -> tuple[list[Report], int | None]:
        """The hours as they are at the end, and how many samples were sent again."""
        view = await anyio.to_thread.run_sync(Directory, Files(), self._path / "tsdb", self._clock)
        for problem in view.problems:
            click.echo(problem, err=True)
        history = StoredHistory(view.querier)
        reports = await self._compare(history)
        if not repair or not any(report.missing for report in reports):
            return reports, None
        mending = Repair(self._sink, history, reports, self._clock)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, mending.stop)
        with self._saying("sending again what is missing"):
            if not await mending.run():
                raise click.ClickException("stopped: the same command goes on with what is still missing")
        for reason, count in mending.state.refused.items():
            click.echo(f"{count} samples refused: {reason}", err=True)
        return await self._compare(history), mending.state.sent

    async def _compare(self, history: StoredHistory) -> list[Report]:
        letters = DeadLetters(Files(), self._path / "rejected" / self._sink.name)
        outlet = open_outlet(self._sink, self._clock)
        reports = []
        try:
            async with open_census(self._sink, self._query_url) as census:
                with self._saying("counting"):
                    async for report in compare(outlet, census, history, letters, self._span):
                        reports.append(report)  # noqa: PERF401 - one at a time, so that the console lives
        finally:
            await outlet.transport.close()
        return reports

    def _saying(self, what: str) -> contextlib.AbstractContextManager[object]:
        return self._console.status(what) if self._console.is_terminal else contextlib.nullcontext()


def _span(since: str, until: str) -> tuple[int, int]:
    now = SystemClock().now_ms()
    mint, maxt = instant(since, now), instant(until, now)
    mint -= mint % HOUR
    if mint > maxt:
        raise click.UsageError(f"--from {show(mint)} is later than --to {show(maxt)}")
    return mint, maxt


def _document(report: Report) -> dict[str, object]:
    return {
        "from": report.span[0],
        "to": report.span[1],
        "stored": report.stored,
        "found": report.found,
        "missing": report.missing,
        "surplus": report.surplus,
        "unchanged": report.unchanged,
        "differences": [
            {
                "measurement": one.place.measurement,
                "field": one.place.field,
                "hour": one.place.start,
                "stored": one.stored,
                "found": one.found,
                "dead_letters": one.refused,
                "unchanged": one.unchanged,
                "missing": one.missing,
            }
            for one in report.differences
        ],
    }


def _show(reports: Sequence[Report], sent: int | None) -> None:
    rows = [one for report in reports for one in report.differences]
    if rows:
        table = Table("hour", "measurement", "field")
        for title in ("stored", "found", "dead letters", "unchanged", "missing"):
            table.add_column(title, justify="right")
        for one in rows[:_MOST_ROWS]:
            numbers = (f"{number:,}" for number in (one.stored, one.found, one.refused, one.unchanged, one.missing))
            table.add_row(show(one.place.start), one.place.measurement, one.place.field, *numbers)
        Console().print(table)
    for line in _summary(reports, len(rows), sent):
        click.echo(line)


def _summary(reports: Sequence[Report], rows: int, sent: int | None) -> Iterator[str]:
    if rows > _MOST_ROWS:
        yield f"and {rows - _MOST_ROWS:,} differences more: -o json shows all"
    if sent is not None:
        yield f"{sent:,} samples sent again"
    totals = {
        "stored for the sink": sum(report.stored for report in reports),
        "found there": sum(report.found for report in reports),
        "missing": sum(report.missing for report in reports),
    }
    yield f"{len(reports)} hours: " + ", ".join(f"{total:,} {what}" for what, total in totals.items())
    unchanged = sum(report.unchanged for report in reports)
    if unchanged:
        yield f"{unchanged:,} points need not be there: the sink shows their values all the same"
    surplus = sum(report.surplus for report in reports)
    if surplus:
        yield f"{surplus:,} points more than stored: others write there, or what was stored has been deleted"
    if totals["missing"] and sent is None:
        yield "--repair sends the hours again in which points are missing"
