"""Sinks as options name them."""

import click

from bridge.config import Settings
from bridge.forward import SinkSettings

__all__ = ["pick_sink"]


def pick_sink(settings: Settings, name: str | None) -> SinkSettings:
    """The sink of that name; without one the only sink there is. Raises click.UsageError."""
    names = [sink.name for sink in settings.sinks]
    if name is None and len(names) == 1:
        return settings.sinks[0]
    if name is None:
        raise click.UsageError(f"say --sink: {', '.join(names)}" if names else "no sink is configured")
    if name not in names:
        raise click.UsageError(f"no such sink: {name} (configured: {', '.join(names) or 'none'})")
    return settings.sinks[names.index(name)]
