"""`pushbridge tsdb verify`: reads every byte of the store."""

from pathlib import Path

import click

from bridge.buffer import Files, Verifier
from bridge.cli.tsdb.options import data_option, failing_clearly, store_in
from bridge.cli.tsdb.progress import Progress
from bridge.cli.tsdb.tables import show_size

__all__ = ["verify"]


@click.command()
@data_option
def verify(data: Path) -> None:
    """Read every byte of blocks, head chunks and logs; check each checksum, order, reference and sample.

    Prints one line for each damaged range, `file: offset, bytes: what is wrong`, and exits 1 when there is one. Changes
    nothing, and works beside a running bridge.

    \b
    What to do about damage:
      in a block        restore it from a backup, or move its directory away: the rest of the store stands
      in chunks_head/   nothing: the log has the same samples, and the next start reads them from there
      in wal/ or wbl/   start the bridge: it keeps all that can be read, and sets the rest aside as *.corrupt

    \b
    Examples:
      pushbridge tsdb verify --data /var/lib/pushbridge && echo sound
    """
    directory = store_in(data)
    damaged = 0
    with failing_clearly(), Progress("verify", None) as progress:
        verifier = Verifier(Files(), directory, progress.advance)
        total = verifier.total()
        progress.expect(total)
        for damage in verifier.damage():
            damaged += 1
            click.echo(damage)
    read = show_size(total, human_readable=True)
    if damaged:
        click.echo(f"{damaged} damaged {'range' if damaged == 1 else 'ranges'} in {read}; see --help", err=True)
        raise SystemExit(1)
    click.echo(f"{read} read, no damage", err=True)
