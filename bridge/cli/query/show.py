"""Results as a table, as JSON or as CSV."""

import csv
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from rich.console import Console
from rich.table import Table

from bridge.cli.query.plot import COLOURS, plot
from bridge.cli.query.result import NAME, Result, Series, metric_text

__all__ = ["Form", "show_instant", "show_names", "show_range", "show_series"]

Form = Literal["table", "json", "csv"]

SHOWN = 100
"""Rows of a table at most; JSON and CSV have all of them."""


def show_instant(result: Result, form: Form) -> None:
    """Values at one time; a range vector's as the series of a range."""
    if form == "table" and result.kind == "matrix":
        show_range(result, form)
    elif form == "table":
        table = Table("", "value", "time", box=None, pad_edge=False, header_style="bold")
        for one in result.series[:SHOWN]:
            point = one.points[-1]
            table.add_row(metric_text(one.labels) if one.labels else "", point.text, moment(point.t))
        finish(table, len(result.series))
    else:
        write(result.data, result.series, form)


def show_range(result: Result, form: Form) -> None:
    """Values over time: each series' least, mean, largest and last one, and a plot of the first series."""
    if form != "table":
        write(result.data, result.series, form)
        return
    console = Console(highlight=False)
    plot(console, result.series)
    table = Table("", "points", "min", "mean", "max", "last", box=None, pad_edge=False, header_style="bold")
    for n, one in enumerate(result.series[:SHOWN]):
        style = COLOURS[n] if n < len(COLOURS) else None
        table.add_row(metric_text(one.labels), str(len(one.points)), *figures(one), style=style)
    finish(table, len(result.series), console)


def show_series(series: Sequence[Mapping[str, str]], data: bytes, form: Form) -> None:
    """Label sets."""
    if form == "json":
        write(data, [], form)
    elif form == "csv":
        names = columns(series)
        rows = csv.writer(sys.stdout)
        rows.writerow(names)
        rows.writerows([labels.get(name, "") for name in names] for labels in series)
    else:
        for labels in series:
            print(metric_text(labels))


def show_names(names: Sequence[str], data: bytes, form: Form) -> None:
    """Label names or values."""
    if form == "json":
        write(data, [], form)
    elif form == "csv":
        csv.writer(sys.stdout).writerows([name] for name in names)
    else:
        for name in names:
            print(name)


def write(data: bytes, series: Sequence[Series], form: Form) -> None:
    """All of a result, for a program to read: a row a sample."""
    if form == "json":
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.flush()
        return
    names = columns([one.labels for one in series])
    rows = csv.writer(sys.stdout)
    rows.writerow([*names, "time", "value"])
    for one in series:
        labels = [one.labels.get(name, "") for name in names]
        rows.writerows([*labels, f"{point.t:.3f}", point.text] for point in one.points)


def columns(sets: Sequence[Mapping[str, str]]) -> list[str]:
    """All label names, the metric's first."""
    return sorted(set().union(*sets), key=lambda name: (name != NAME, name))


def figures(series: Series) -> list[str]:
    """Least, mean, largest and last value."""
    values = [point.value for point in series.points if math.isfinite(point.value)]
    last = series.points[-1].text
    if not values:
        return ["", "", "", last]
    return [f"{min(values):.6g}", f"{math.fsum(values) / len(values):.6g}", f"{max(values):.6g}", last]


def moment(t: float) -> str:
    """A time in UTC with milliseconds; seconds where no calendar reaches."""
    try:
        return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{t:.3f}"


def finish(table: Table, count: int, console: Console | None = None) -> None:
    """Print a table, and what is not in it."""
    console = console or Console(highlight=False)
    if table.row_count:
        console.print(table)
    if count > table.row_count:
        console.print(f"... and {count - table.row_count} more; -o json and -o csv have all of them")
    if not count:
        Console(stderr=True).print("nothing found")
