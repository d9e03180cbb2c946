"""Points in time as options."""

import re
from datetime import UTC, datetime

import click

from bridge.model import parse_duration, parse_time

__all__ = ["Moment", "instant", "show"]


class Moment(click.ParamType[str]):
    """A point in time as an option; kept as written, for a command that is repeated must be known again."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, or a usage error."""
        try:
            instant(str(value), 0)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def instant(text: str, now_ms: int) -> int:
    """Milliseconds since 1970 of `now`, `-24h`, Unix seconds or RFC 3339. Raises ValueError."""
    if text == "now":
        return now_ms
    if re.fullmatch(r"-[0-9].*[a-z]", text):
        return now_ms - parse_duration(text[1:])
    return parse_time(text)


def show(ms: int) -> str:
    """A time to the second, or the bare number where there is no such year."""
    try:
        return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(ms)
