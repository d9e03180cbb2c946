"""The command line. Each command is a module of its own, imported only when it runs: a shell job's `pushbridge push`
must not wait for the server's libraries.
"""

from importlib import import_module
from typing import NamedTuple

import click

from bridge import __version__

__all__ = ["main"]


class Lazy(NamedTuple):
    """Where a command is, and what the overview says about it without importing it."""

    module: str
    help: str


COMMANDS = {
    "serve": Lazy("bridge.cli.serve", "Run the bridge."),
    "check": Lazy("bridge.cli.check", "Find mistakes in configuration files."),
    "push": Lazy("bridge.cli.push", "Push metrics from a shell job, or run a job and push how it went."),
    "tsdb": Lazy("bridge.cli.tsdb", "Look into the store."),
    "deadletter": Lazy("bridge.cli.deadletter", "See, send again or drop what a sink has rejected."),
    "demo": Lazy("bridge.cli.demo", "Watch real jobs push through a bridge into InfluxDB."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command itself: what its module calls by its name."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        command: click.Command = getattr(import_module(lazy.module), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The overview, without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="pushbridge %(version)s")
def main() -> None:
    """Pushed metrics, durable before they are acknowledged, forwarded until they have arrived.

    \b
    Start here:
      pushbridge demo                              see all of it work, for half a minute
      pushbridge serve                             listen on port 9091, store in ./data
      pushbridge push --job backup rows=42         push from a shell
      pushbridge serve --config bridge.yml         with InfluxDB sinks, limits, TLS
    """
