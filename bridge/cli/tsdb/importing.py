"""`pushbridge tsdb import`: samples of any age become blocks."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from bridge.buffer import (
    BLOCK_RANGE,
    MAX_TIME,
    MIN_TIME,
    Directory,
    Drafts,
    Files,
    Imported,
    TextImport,
    block_ranges,
    find_blocks,
)
from bridge.cli.tsdb.options import data_option, failing_clearly, window_options
from bridge.cli.tsdb.progress import Progress
from bridge.cli.tsdb.tables import block_table
from bridge.clock import SystemClock
from bridge.model import Matcher, parse_duration
from bridge.native import Backfill, BadText

__all__ = ["import_group"]

PIECE = 1 << 20


class Duration(click.ParamType[int]):
    """A duration as an option."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds, or a usage error."""
        try:
            return value if isinstance(value, int) else parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_max_block_duration = click.option(
    "--max-block-duration",
    "longest",
    type=Duration(),
    default="2h",
    show_default=True,
    help="Longest time that a block may span: 2h, 6h, 18h, 54h... are made. Longer blocks suit old history.",
)
_human_readable = click.option("-r", "--human-readable", is_flag=True, help="Dates and sizes for people.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="Do not print the blocks.")
_file = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@click.group("import")
def import_group() -> None:
    """Turn samples of any age into blocks of a data directory.

    The samples come into the store all together, when the last one has been read; a text with an error changes nothing.
    A running bridge finds them within a minute, and its retention applies to them: what is older than it keeps is
    deleted again. Importing the same samples twice does no harm: they are merged.
    """


@import_group.command(short_help="Import OpenMetrics text.")
@_file
@data_option
@_max_block_duration
@_human_readable
@_quiet
def openmetrics(file: Path, data: Path, longest: int, human_readable: bool, quiet: bool) -> None:  # noqa: FBT001
    """Import OpenMetrics text from FILE, or from standard input with `-`.

    As for `promtool tsdb create-blocks-from openmetrics`, each sample needs a timestamp, in seconds, and the text ends
    with a line `# EOF`. Samples may come in any order; text that is grouped by series or by time is read fastest.
    TYPE, HELP, UNIT and exemplars are checked and not kept: blocks have no place for them.

    \b
    Examples:
      pushbridge tsdb import openmetrics history.om
      zstdcat history.om.zst | pushbridge tsdb import openmetrics - --max-block-duration 54h
    """
    with failing_clearly():
        _import(Backfill.openmetrics(_range(longest)), file, data, human_readable=human_readable, quiet=quiet)


@import_group.command("line-protocol", short_help="Import InfluxDB line protocol.")
@_file
@data_option
@click.option(
    "--precision",
    type=click.Choice(["ns", "us", "ms", "s", "m", "h"]),
    default="ns",
    show_default=True,
    help="Unit of the timestamps.",
)
@_max_block_duration
@_human_readable
@_quiet
def line_protocol(  # noqa: PLR0917 - click passes what the decorators name
    file: Path,
    data: Path,
    precision: str,
    longest: int,
    human_readable: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
) -> None:
    """Import InfluxDB line protocol from FILE, or from standard input with `-`.

    A number or boolean field is a sample of the series `measurement_field`, or `measurement` when the field is called
    `value`; tags are labels. Text fields are no samples and are counted. A line without a timestamp is of now.

    \b
    Examples:
      influx_inspect export -database jobs -lponly -out /dev/stdout | grep -v '^#' \\
        | pushbridge tsdb import line-protocol -
      pushbridge tsdb import line-protocol --precision ms points.txt
    """
    with failing_clearly():
        text = Backfill.line_protocol(_range(longest), precision, SystemClock().now_ms())
        _import(text, file, data, human_readable=human_readable, quiet=quiet)
        if text.skipped:
            click.echo(f"{text.skipped} text fields left out: they are no samples", err=True)


@import_group.command("tsdb", short_help="Import another TSDB directory.")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@data_option
@window_options
@_human_readable
@_quiet
def tsdb_directory(  # noqa: PLR0917 - click passes what the decorators name
    directory: Path,
    data: Path,
    matchers: tuple[Matcher, ...],
    mint: int | None,
    maxt: int | None,
    human_readable: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
) -> None:
    """Import blocks and log of another TSDB directory: a Prometheus', or a bridge's data directory.

    Native histograms and deletions come along. The directory is only read; whoever writes to it may go on.

    \b
    Examples:
      pushbridge tsdb import tsdb /var/lib/prometheus/metrics2
      pushbridge tsdb import tsdb old/data --match '{job="backup"}' --from 2026-01-01T00:00:00Z
    """
    source = directory / "tsdb" if (directory / "tsdb").is_dir() else directory
    bounds = (MIN_TIME if mint is None else mint, MAX_TIME if maxt is None else maxt)
    with failing_clearly(), Drafts.begin(Files(), data, SystemClock()) as drafts:
        found = Directory(Files(), source, SystemClock())
        if not found.blocks and found.head.max_time is None:
            raise click.ClickException(f"{source} holds no samples: is it a TSDB directory?")
        with Progress("import", sum(block.size for block in found.blocks)) as progress:
            for builder in found.copies(matchers, *bounds, block_range=BLOCK_RANGE):
                drafts.write(builder, progress.advance)
        imported = Imported(drafts.publish(), drafts.samples, 0, 0)
    _report(imported, data, human_readable=human_readable, quiet=quiet)


def _range(longest: int) -> int:
    return max(length for length in block_ranges(0, longest) if length <= max(longest, BLOCK_RANGE))


def _import(text: Backfill, file: Path, data: Path, *, human_readable: bool, quiet: bool) -> None:
    name = "standard input" if str(file) == "-" else str(file)
    with _opened(file) as source, Drafts.begin(Files(), data, SystemClock()) as drafts:
        size = os.fstat(source.fileno()).st_size or None
        run = TextImport(text, drafts)
        try:
            with Progress(f"import {name}", size) as progress:
                piece = memoryview(bytearray(PIECE))
                while count := source.readinto(piece):  # type: ignore[attr-defined]  # a file without a buffer has it
                    run.feed(piece[:count])
                    progress.advance(count)
            imported = run.finish()
        except BadText as error:
            raise click.ClickException(f"{name}:{error.line}: {error.reason}\nNothing was imported.") from None
    _report(imported, data, human_readable=human_readable, quiet=quiet)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as source:
            yield source
    else:
        with file.open("rb", buffering=0) as source:
            yield source


def _report(imported: Imported, data: Path, *, human_readable: bool, quiet: bool) -> None:
    if not quiet:
        found = find_blocks(Files(), data / "tsdb").blocks
        for line in block_table((b for b in found if b.path in imported.blocks), human_readable=human_readable):
            click.echo(line)
    blocks = len(imported.blocks)
    click.echo(f"{imported.samples} samples in {blocks} {'block' if blocks == 1 else 'blocks'}", err=True)
    if imported.repeated:
        click.echo(f"{imported.repeated} samples came more than once and are kept once", err=True)
    if imported.contradicting:
        why = "an earlier one of their series has another value at their time"
        click.echo(f"{imported.contradicting} samples left out: {why}", err=True)
