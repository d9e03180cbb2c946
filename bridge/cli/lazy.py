"""Groups whose commands are modules of their own, imported only when they run."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, NamedTuple

import click

__all__ = ["Lazy", "LazyGroup"]


class Lazy(NamedTuple):
    """Where a command is, and what the overview says about it without importing it."""

    module: str
    help: str
    attribute: str = ""
    """What the module calls it, when that is not the command's name."""


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time. Subclasses say which."""

    lazy: ClassVar[Mapping[str, Lazy]]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which one needs them."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command itself."""
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return None
        command: click.Command = getattr(import_module(lazy.module), lazy.attribute or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The overview, without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self.lazy.items()])
