"""The options of `pushbridge push`, and the order of what it does."""

import base64
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bridge import __version__
from bridge.cli.push.job import run_job
from bridge.cli.push.payload import Target, exposition, group_path
from bridge.errors import BadInput
from bridge.model import format_duration, parse_duration

__all__ = ["push"]

PUSH_FAILED_AFTER_JOB = 75  # EX_TEMPFAIL: the job itself went well
BASE_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[!-\"$->@-~]*)?")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Span(click.ParamType[int]):
    """A duration as an option."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds, or a usage error."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Pair(click.ParamType[tuple[str, str]]):
    """`name=value` or `Name: value` as an option."""

    def __init__(self, name: str, separator: str) -> None:
        self.name = name
        self._separator = separator

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and value, or a usage error."""
        if isinstance(value, tuple):
            return value
        name, separator, rest = str(value).partition(self._separator)
        if not separator or not name:
            self.fail(f"expected {self.name}, got {value}", param, ctx)
        return name, rest.strip() if self._separator == ":" else rest


class WithJob(click.Command):
    """A command that keeps what follows `--` apart: that is a command line of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Cut at the first `--`."""
        if "--" in args:
            at = args.index("--")
            args, ctx.meta["job"] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line."""

    command: Sequence[str]  # what follows --, to be run
    metrics: Sequence[str]
    job: str
    labels: Sequence[tuple[str, str]]
    base: str
    file: Path | None
    method: str
    ttl: int | None
    timeout: int  # this and all durations here: milliseconds
    retry_for: int
    username: str | None
    password_file: Path | None
    headers: Sequence[tuple[str, str]]
    ca_file: Path | None
    run: bool
    quiet: bool

    def check(self) -> None:
        """Refuse combinations that mean nothing. Raises BadInput."""
        if self.run != bool(self.command):
            raise BadInput("--exec and a command after -- belong together")
        if not self.run and not self.metrics and self.file is None:
            raise BadInput("nothing to push: give NAME=VALUE, --file or --exec")
        if self.run and str(self.file) == "-":
            raise BadInput("with --exec standard input is the command's: --file needs a name")
        if (self.username is None) != (self.password_file is None):
            raise BadInput("--username and --password-file belong together")

    def url(self) -> str:
        """Where the group is. Raises BadInput."""
        if not BASE_URL.fullmatch(self.base):
            raise BadInput(f"--url: expected http://host:port, got {self.base}")
        return self.base.rstrip("/") + group_path(self.job, dict(self.labels))

    def fields(self) -> dict[str, str]:
        """The header fields of the request. Raises BadInput."""
        fields = {"Content-Type": CONTENT_TYPE, "User-Agent": f"pushbridge/{__version__}"}
        if self.ttl is not None:
            fields["X-Push-TTL"] = format_duration(self.ttl)
        if self.username is not None:
            credentials = self.username.encode() + b":" + read(self.password_file).rstrip(b"\r\n")
            fields["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
        for name, value in self.headers:
            if not HEADER_NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
                raise BadInput(f"--header: not a header: {name}")
            fields[name] = value
        return fields


@click.command(cls=WithJob, options_metavar="--job NAME [OPTIONS]")
@click.argument("metrics", nargs=-1, metavar="[NAME=VALUE]... [-- COMMAND...]")
@click.option("--job", required=True, help="The job's name, first label of the group.")
@click.option("--label", "labels", multiple=True, type=Pair("NAME=VALUE", "="), help="Further label of the group.")
@click.option(
    "--url",
    "base",
    default="http://127.0.0.1:9091",
    show_default=True,
    envvar="PUSHBRIDGE_URL",
    show_envvar=True,
    help="Where the bridge, or a Pushgateway, listens.",
)
@click.option(
    "--file", "file", type=click.Path(allow_dash=True, path_type=Path), help="Text format to push; - is stdin."
)
@click.option("--method", type=click.Choice(["post", "put"]), default="post", show_default=True,
              help="post replaces the pushed metrics of the group, put the whole group.")  # fmt: skip
@click.option("--ttl", type=Span(), help="Forget the group this long after the push.")
@click.option("--timeout", type=Span(), default="10s", show_default=True, help="For one attempt.")
@click.option("--retry-for", type=Span(), default="60s", show_default=True, help="How long to go on trying.")
@click.option("--username", help="For basic auth, with --password-file.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For basic auth.")
@click.option("--header", "headers", multiple=True, type=Pair("NAME:VALUE", ":"), help="Further request header.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificates to trust.")
@click.option("--exec", "run", is_flag=True, help="Run the COMMAND after -- and push how it went.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing about success.")
@click.pass_context
def push(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - one keyword for each option, as Options has them
    """Push metrics to a group, or run a command and push how it went.

    Exits 0 when the push is durable, 1 when it was refused or not answered in time, 2 for a wrong command line.

    A metric is NAME=VALUE or 'NAME{label="x"}=VALUE'; it is a gauge, or a counter when its name ends in _total.

    \b
    Examples:
      pushbridge push --job backup --label db=main rows=42 duration_seconds=3.5
      pushbridge push --job backup --ttl 24h --file metrics.prom
      ./report.sh | pushbridge push --job report --method put --file -
      pushbridge push --job backup --exec -- pg_dump -f main.sql main

    With --exec the command's input and output are passed through, and job_duration_seconds, job_exit_code and
    job_end_time_seconds are pushed next to the metrics that are given. The exit code is the command's; 75 when the
    command succeeded and the push did not.
    """
    options = Options(**given, command=ctx.meta.get("job", []))
    try:
        options.check()
        text = exposition(options.metrics)
        target = Target(
            options.url(), options.method.upper(), options.fields(), options.timeout / 1000, options.ca_file
        )
        if not options.command:
            ctx.exit(0 if deliver(target, read(options.file) + text.encode(), options) else 1)
    except BadInput as error:
        raise click.UsageError(str(error)) from None

    outcome = run_job(options.command)
    if outcome.why:
        say(outcome.why)
    delivered = deliver(target, read_after(options.file) + (text + exposition(outcome.metrics())).encode(), options)
    ctx.exit(outcome.exit_code if outcome.exit_code or delivered else PUSH_FAILED_AFTER_JOB)


def deliver(target: Target, body: bytes, options: Options) -> bool:
    """Send it and say how that went."""
    # Here, not at the top: these imports cost more than everything before them, and `--help` needs none.
    from bridge.cli.push.sender import PushFailed, send  # noqa: PLC0415

    try:
        status = send(target, body, options.retry_for / 1000, say)
    except PushFailed as error:
        say(f"not pushed: {error}")
        return False
    if not options.quiet:
        samples = sum(1 for line in body.splitlines() if line.strip() and not line.startswith(b"#"))
        say(f"pushed {samples} {'sample' if samples == 1 else 'samples'} to {target.url} ({status})")
    return True


def read_after(file: Path | None) -> bytes:
    """What a job has written; how the job went is pushed even if it has not."""
    try:
        return read(file)
    except BadInput as error:
        say(str(error))
        return b""


def read(file: Path | None) -> bytes:
    """The text of a file or of standard input, its last line ended; nothing without a file. Raises BadInput."""
    if file is None:
        return b""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None
    return text if not text or text.endswith(b"\n") else text + b"\n"


def say(text: str) -> None:
    """To standard error: standard output belongs to the job."""
    click.echo(f"pushbridge: {text}", err=True)
