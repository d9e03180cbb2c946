"""`pushbridge tsdb list`: the blocks, and what is not in blocks yet."""

from collections.abc import Iterator
from pathlib import Path

import click

from bridge.buffer import Directory, Files, find_blocks
from bridge.cli.tsdb.options import data_option, failing_clearly, store_in
from bridge.cli.tsdb.tables import block_table, show_size, show_time
from bridge.clock import SystemClock

__all__ = ["list_blocks"]


@click.command("list")
@data_option
@click.option("-r", "--human-readable", is_flag=True, help="Dates and sizes for people.")
@click.option("--blocks-only", is_flag=True, help="Without head and log: quicker, and exactly what promtool prints.")
def list_blocks(data: Path, human_readable: bool, blocks_only: bool) -> None:  # noqa: FBT001
    """List the blocks as `promtool tsdb list` does, then what is in memory and in the log only.

    MAX TIME is exclusive, SIZE is that of all files of the block. A block that another one replaces is left out, as are
    directories that are no block; these are named on standard error, and the exit code is 1.

    \b
    Examples:
      pushbridge tsdb list -r
      pushbridge tsdb list --blocks-only | awk '{ samples += $5 } END { print samples }'
    """
    directory = store_in(data)
    with failing_clearly():
        found = find_blocks(Files(), directory)
        for line in block_table(found.blocks, human_readable=human_readable):
            click.echo(line)
        if not blocks_only:
            for line in _rest(directory, human_readable=human_readable):
                click.echo(line)
    for problem in found.problems:
        click.echo(problem, err=True)
    if found.problems:
        raise SystemExit(1)


def _rest(directory: Path, *, human_readable: bool) -> Iterator[str]:
    head = Directory(Files(), directory, SystemClock()).head
    yield ""
    yield f"{'In memory, from the log':<26}series {head.series}, chunks {head.chunks}"
    if head.min_time is not None and head.max_time is not None:
        first, last = (show_time(t, human_readable=human_readable) for t in (head.min_time, head.max_time))
        yield f"{'  first and last sample':<26}{first}  {last}"
    for name, folder in (("Log", "wal"), ("Log of late samples", "wbl"), ("Mapped chunks", "chunks_head")):
        sizes = [path.stat().st_size for path in (directory / folder).rglob("*") if path.is_file()]
        if sizes:
            yield f"{name:<26}files {len(sizes)}, {show_size(sum(sizes), human_readable=human_readable)}"
