"""`pushbridge tsdb analyze`: which labels and metrics make a block large."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from bridge.buffer import Files, FoundBlock, find_blocks, open_block
from bridge.cli.tsdb.options import data_option, failing_clearly, store_in
from bridge.cli.tsdb.tables import go_duration
from bridge.native import Analysis, analyze_block

__all__ = ["analyze"]

CLASSES = range(10, 101, 10)


@click.command()
@data_option
@click.option("--block", "ulid", help="The block, as `tsdb list` names it.  [default: the last one]")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Entries of each list.")
def analyze(data: Path, ulid: str | None, limit: int) -> None:
    """Show a block's figures as `promtool tsdb analyze --extended` does.

    \b
    Label pairs and names involved in churning: how many blocks' worth of time their series don't cover. A high
      figure means that series come and go: look for a label that changes with each run of a job.
    Highest cardinality: labels with many values, metrics with many series.
    Fullness: most chunks should have about 120 samples; many small ones cost space and time.

    \b
    Examples:
      pushbridge tsdb analyze --limit 5
      pushbridge tsdb analyze --block 01KAW3E0000000000000000000
    """
    directory = store_in(data)
    with failing_clearly():
        block = _choose(find_blocks(Files(), directory).blocks, ulid, data)
        duration = block.meta.maxt - block.meta.mint
        found = analyze_block(open_block(Files(), block.path), duration, limit)
        for line in _lines(block, found):
            click.echo(line)


def _choose(blocks: Sequence[FoundBlock], ulid: str | None, data: Path) -> FoundBlock:
    chosen = [block for block in blocks if ulid in {None, block.meta.ulid}]
    if not chosen:
        known = "has no blocks yet: samples stay in memory and in the log for two to three hours"
        raise click.ClickException(f"{data} " + (f"has no block {ulid}: see `tsdb list`" if blocks else known))
    return chosen[-1]


def _lines(block: FoundBlock, found: Analysis) -> Iterator[str]:
    yield f"Block ID: {block.meta.ulid}"
    yield f"Duration: {go_duration(block.meta.maxt - block.meta.mint)}"
    yield f"Total Series: {block.meta.stats.series}"
    yield f"Label names: {found.label_names}"
    yield f"Postings (unique label pairs): {found.pairs}"
    yield f"Postings entries (total label pairs): {found.entries}"
    for title, ranked in (
        ("Label pairs most involved in churning", found.churning_pairs),
        ("Label names most involved in churning", found.churning_names),
        ("Most common label pairs", found.common_pairs),
        ("Label names with highest cumulative label value length", found.longest_values),
        ("Highest cardinality labels", found.most_values),
        ("Highest cardinality metric names", found.largest_metrics),
    ):
        yield f"\n{title}:"
        yield from (f"{figure} {name}" for figure, name in ranked)
    yield "\nCompaction analysis:"
    yield "Fullness: Amount of samples in chunks (100% is 120 samples)"
    for percent, count in zip(CLASSES, found.fullness, strict=True):
        yield f"{percent:7d}%: " + "#" * (100 * count // max(found.chunks, 1))
