"""Options that several commands have."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from bridge.clock import SystemClock
from bridge.config import Logging
from bridge.errors import BadInput, BridgeError, ConfigError
from bridge.model import Matcher, parse_selector, parse_time
from bridge.telemetry import configure_logging

__all__ = ["Instant", "Selector", "data_option", "failing_clearly", "store_in", "window_options"]

F = TypeVar("F", bound=Callable[..., object])


class Selector(click.ParamType[tuple[Matcher, ...]]):
    """A series selector as an option."""

    name = "selector"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Matcher, ...]:
        """Its matchers, or a usage error."""
        try:
            return parse_selector(str(value))
        except BadInput as error:
            self.fail(str(error), param, ctx)


class Instant(click.ParamType[int]):
    """A point in time as an option."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970, or a usage error."""
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


data_option = click.option(
    "--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data directory."
)


def window_options(command: F) -> F:
    """`--match`, `--from` and `--to`, as `matchers`, `mint` and `maxt`."""
    for decorate in (
        click.option("--to", "maxt", type=Instant(), help="Up to this time, inclusive."),
        click.option("--from", "mint", type=Instant(), help="From this time on: Unix seconds or RFC 3339."),
        click.option("--match", "matchers", type=Selector(), default="{}", help="Series, such as '{job=\"x\"}'."),
    ):
        command = decorate(command)
    return command


def store_in(data: Path) -> Path:
    """The directory of a data directory's blocks and log; an error that says what to do when there is none."""
    directory = data / "tsdb"
    if not directory.is_dir():
        raise click.ClickException(f"{data} holds no store")
    return directory


@contextmanager
def failing_clearly() -> Iterator[None]:
    """What goes wrong inside ends the command with exit code 1 and one line a problem instead of a traceback."""
    configure_logging(Logging(level="warning"), SystemClock())
    try:
        yield
    except ConfigError as error:
        raise click.ClickException("\n".join(map(str, error.problems))) from None
    except (BridgeError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except BrokenPipeError:
        raise SystemExit(1) from None  # whoever read our output has enough
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'a file'}: {error.strerror}") from None
