"""The commands of `pushbridge tsdb`."""

from typing import ClassVar

import click

from bridge.cli.lazy import Lazy, LazyGroup

__all__ = ["tsdb"]


class TsdbGroup(LazyGroup):
    """Each is imported only when it runs."""

    lazy: ClassVar = {
        "list": Lazy("bridge.cli.tsdb.list", "List the blocks, and what is not in blocks yet.", "list_blocks"),
        "analyze": Lazy("bridge.cli.tsdb.analyze", "Show which labels and metrics make a block large."),
        "verify": Lazy("bridge.cli.tsdb.verify", "Read every byte, and name what is damaged."),
        "dump": Lazy("bridge.cli.tsdb.dump", "Print the samples, one a line."),
        "export": Lazy("bridge.cli.tsdb.export", "Write samples as text for other tools."),
        "import": Lazy("bridge.cli.tsdb.importing", "Turn samples of any age into blocks.", "import_group"),
    }


@click.group(cls=TsdbGroup)
def tsdb() -> None:
    """Look into the store, check it, fill it, export from it.

    All of these work beside a running bridge: what only reads takes no lock and changes nothing, and what is imported
    is found by the bridge within a minute.

    \b
    Examples:
      pushbridge tsdb list -r
      pushbridge tsdb dump --match '{job="backup"}'
      pushbridge tsdb import openmetrics history.om
    """
