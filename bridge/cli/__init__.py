"""The command line. Each command is a module of its own, imported only when it runs: a shell job's `pushbridge push`
must not wait for the server's libraries.
"""

import click

from bridge import __version__
from bridge.cli.lazy import Lazy, LazyGroup

__all__ = ["main"]


COMMANDS = {
    "serve": Lazy("bridge.cli.serve", "Run the bridge."),
    "check": Lazy("bridge.cli.check", "Find mistakes in configuration files."),
    "push": Lazy("bridge.cli.push", "Push metrics from a shell job, or run a job and push how it went."),
    "query": Lazy("bridge.cli.query", "Ask what the store holds, in PromQL."),
    "tsdb": Lazy("bridge.cli.tsdb", "Look into the store, check it, fill it, export from it."),
    "mapping": Lazy("bridge.cli.mapping", "See how samples become line protocol."),
    "deadletter": Lazy("bridge.cli.deadletter", "See, send again or drop what a sink has rejected."),
    "reconcile": Lazy("bridge.cli.reconcile", "Count what a sink has and should have, and send what is missing."),
    "replay": Lazy("bridge.cli.replay", "Send stored history to a sink again."),
    "demo": Lazy("bridge.cli.demo", "Watch real jobs push through a bridge into InfluxDB."),
}


class Overview(LazyGroup):
    """All commands."""

    lazy = COMMANDS


@click.group(cls=Overview, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
