"""`pushbridge check`: says what is wrong before a restart does."""

from pathlib import Path

import click

from bridge.config import Settings, load, load_web_config
from bridge.edge import server_context
from bridge.errors import ConfigError

__all__ = ["check", "check_file"]


@click.group()
def check() -> None:
    """Find mistakes in configuration files."""


@check.command("config")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check_config(files: tuple[Path, ...]) -> None:
    """Check configuration FILES, and what they refer to: secrets, certificates, the web configuration.

    Prints one line a problem, `file:line:column: path: what`, and exits 1 when there is one.

    \b
    Examples:
      pushbridge check config bridge.yml
      pushbridge check config /etc/pushbridge/*.yml && systemctl reload pushbridge
    """
    good = True
    for file in files:
        try:
            settings = check_file(file)
        except ConfigError as error:
            good = False
            for problem in error.problems:
                click.echo(problem)
        else:
            sinks = len(settings.sinks)
            click.echo(f"{file}: good, {sinks} InfluxDB {'sink' if sinks == 1 else 'sinks'}")
    if not good:
        raise SystemExit(1)


def check_file(file: Path | None) -> Settings:
    """The settings of a file that the server could start with. Raises ConfigError."""
    settings = load(file)
    if settings.web.config_file is not None:
        tls = load_web_config(settings.web.config_file).tls_server_config
        if tls is not None:
            server_context(tls)
    return settings
