"""`pushbridge deadletter`: samples that a sink has refused for good, and what is to become of them.

Works on the files in the data directory, beside a running bridge or without one: a decision is one record appended
under a lock, which the bridge finds within seconds, or at its next start.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from bridge.buffer import Files
from bridge.errors import BridgeError
from bridge.forward import DeadLetters, Letter, Ranges
from bridge.native import LabelsTooLong, LineError, Outbound, parse_lines

__all__ = ["deadletter"]

F = TypeVar("F", bound=Callable[..., object])

_RUN = re.compile(r"([0-9]{1,15})(?:-([0-9]{1,15}))?")
_MAX_LINE = 1 << 20


class Numbers(click.ParamType[tuple[int, int]]):
    """A letter's number, or two with a dash between them."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The first and the last number, or a usage error."""
        match = _RUN.fullmatch(str(value))
        if match is None or int(match[1]) > int(match[2] or match[1]):
            self.fail(f"expected a number or two, such as 7 or 7-12, got {value!r}", param, ctx)
        return int(match[1]), int(match[2] or match[1])


@dataclass(frozen=True)
class Choice:
    """Which letters a command is about."""

    letters: DeadLetters
    numbers: Ranges
    every: bool
    reason: str

    def pick(self) -> Iterator[Letter]:
        """Those that nobody has settled, oldest first."""
        for letter in self.letters.letters():
            wanted = self.every or letter.number in self.numbers
            if wanted and self.reason in letter.reason and letter.state != "settled":
                yield letter

    def found(self) -> Ranges:
        """Their numbers; a usage error when none was asked for or found."""
        if not self.every and not self.numbers:
            raise click.UsageError("name letters by their numbers, or say --all")
        found = Ranges((letter.number, letter.number) for letter in self.pick())
        if not found:
            raise click.ClickException("no such letter is waiting")
        return found


_data = click.option(
    "--data", type=click.Path(path_type=Path), default="data", show_default=True, help="Data directory."
)


def _choosing(command: F) -> F:
    for decorate in (
        click.option("--reason", default="", help="Only letters whose reason contains this text."),
        click.option("--all", "every", is_flag=True, help="All letters."),
        click.option("--sink", help="Name of the sink; needed when several have letters."),
        _data,
        click.argument("numbers", nargs=-1, type=Numbers()),
    ):
        command = decorate(command)
    return command


def _choice(data: Path, sink: str | None, numbers: tuple[tuple[int, int], ...], every: bool, reason: str) -> Choice:  # noqa: FBT001
    boxes = DeadLetters.all(Files(), data / "rejected")
    if sink is None and len(boxes) > 1:
        raise click.UsageError(f"several sinks have letters, say --sink: {', '.join(sorted(boxes))}")
    if sink is None:
        sink = next(iter(boxes), "")
    if sink not in boxes:
        raise click.ClickException(f"{data} holds no dead letters" + (f" of {sink}" if sink else ""))
    return Choice(boxes[sink], Ranges(numbers), every, reason)


@click.group()
def deadletter() -> None:
    """See, send again or drop what a sink has rejected."""


@deadletter.command("list")
@_data
def list_(data: Path) -> None:
    """Count the letters of each sink, and those that wait by reason.

    \b
    Examples:
      pushbridge deadletter list
    """
    for sink, letters in DeadLetters.all(Files(), data / "rejected").items():
        counts = letters.counts()
        told = ", ".join(f"{count} {name}" for name, count in asdict(counts).items())
        click.echo(f"{sink}: {told}")
        for (code, reason), (count, first, last) in _by_reason(letters).items():
            click.echo(f"  {count:>9}  {first}-{last}  {code}  {reason}")


def _by_reason(letters: DeadLetters) -> dict[tuple[int, str], tuple[int, int, int]]:
    """(code, reason) -> how many, first and last number; at most 100 reasons, the rest together."""
    found: dict[tuple[int, str], tuple[int, int, int]] = {}
    for letter in letters.letters():
        if letter.state == "settled":
            continue
        key = (letter.code, letter.reason[:120])
        if key not in found and len(found) >= 100:
            key = (0, "other reasons")
        count, first, _ = found.get(key, (0, letter.number, 0))
        found[key] = (count + 1, first, letter.number)
    return found


@deadletter.command()
@_choosing
@click.option(
    "--lines",
    "lines_only",
    is_flag=True,
    help="Only the lines, with times in milliseconds.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a letter.")
def show(  # noqa: PLR0917 - click passes what the decorators name
    data: Path,
    sink: str | None,
    numbers: tuple[tuple[int, int], ...],
    every: bool,  # noqa: FBT001
    reason: str,
    lines_only: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Print letters that nobody has settled; all of them when no NUMBERS are given.

    \b
    Examples:
      pushbridge deadletter show 7 12-20
      pushbridge deadletter show --reason 'field type conflict' --lines > lines.txt
    """
    choice = _choice(data, sink, numbers, every or not numbers, reason)
    for letter in choice.pick():
        if as_json:
            click.echo(json.dumps(asdict(letter)))
        elif lines_only:
            click.echo(letter.line)
        else:
            time = datetime.fromtimestamp(letter.time / 1000, tz=UTC).isoformat(timespec="milliseconds")
            click.echo(f"{letter.number}  {time}  {letter.state}  {letter.code} {letter.reason}\n    {letter.line}")


@deadletter.command()
@_choosing
@click.option("--line", help="Send this line instead: for one letter that has been mended.")
def requeue(  # noqa: PLR0917 - click passes what the decorators name
    data: Path,
    sink: str | None,
    numbers: tuple[tuple[int, int], ...],
    every: bool,  # noqa: FBT001
    reason: str,
    line: str | None,
) -> None:
    """Have the sink send letters again: within seconds, or when the bridge runs next.

    What is refused once more stays, with the new reason.

    \b
    Examples:
      pushbridge deadletter requeue --all --reason 'retention policy'
      pushbridge deadletter requeue 7 --line 'cpu,host=a value=1.5 1700000000000'
    """
    choice = _choice(data, sink, numbers, every, reason)
    found = choice.found()
    if line is not None:
        if len(found) > 1:
            raise click.UsageError("--line is for one letter")
        _check_line(line, next(choice.pick()))
    _decide(lambda: choice.letters.requeue(found, line))
    click.echo(f"{len(found)} to be sent again")


@deadletter.command()
@_choosing
def drop(data: Path, sink: str | None, numbers: tuple[tuple[int, int], ...], every: bool, reason: str) -> None:  # noqa: FBT001
    """Give letters up. They stay readable in the files until all letters of a file are settled.

    \b
    Examples:
      pushbridge deadletter drop --all --reason 'points beyond retention policy'
    """
    choice = _choice(data, sink, numbers, every, reason)
    found = choice.found()
    _decide(lambda: choice.letters.drop(found))
    click.echo(f"{len(found)} dropped")


def _check_line(line: str, letter: Letter) -> None:
    """A line of the same kind as the letter's."""
    if _is_outbound(letter.line):
        if not _is_outbound(line):
            raise click.ClickException('expected one sample: name{label="value",...} value milliseconds')
        return
    try:
        batch, _ = parse_lines(line.encode(), "ms", 0, _MAX_LINE)
    except (LineError, LabelsTooLong) as error:
        raise click.ClickException(str(error)) from None
    if len(batch) != 1 or "\n" in line:
        raise click.ClickException("expected one line with one number")


def _is_outbound(line: str) -> bool:
    """True for the line of a remote-write sink."""
    try:
        return len(Outbound.from_lines([line])) == 1 and "\n" not in line
    except ValueError:
        return False


def _decide(work: Callable[[], None]) -> None:
    try:
        work()
    except (OSError, BridgeError) as error:
        raise click.ClickException(str(error)) from None
