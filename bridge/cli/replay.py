"""`pushbridge replay`: stored history, sent to a sink again."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bridge.buffer import Directory, Files
from bridge.buffer.lock import DirLock
from bridge.cli.check import check_file
from bridge.cli.moment import Moment, instant, show
from bridge.cli.sinks import pick_sink
from bridge.clock import SystemClock
from bridge.config import Logging
from bridge.errors import BridgeError
from bridge.forward import Replay, ReplayState, SinkSettings, StoredHistory
from bridge.model import Matcher, parse_selector
from bridge.telemetry import configure_logging

__all__ = ["replay"]

_SAY_EVERY = 5.0
_SHOW_EVERY = 0.2


@dataclass(frozen=True)
class Request:
    """What was asked for, as it was written."""

    since: str
    until: str
    match: str

    def to_json(self) -> dict[str, str]:
        """For the file."""
        return {"from": self.since, "to": self.until, "match": self.match}


class ProgressFile:
    """How far the replay to one sink has come, in a folder of the data directory that one process at a time may use."""

    def __init__(self, files: Files, folder: Path, request: Request) -> None:
        self._files = files
        self._path = folder / "progress.json"
        self._request = request

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, request: Request) -> Iterator["ProgressFile"]:
        """Raises ConfigError while another replay to the same sink runs."""
        files = Files()
        files.make_dir(folder)
        lock = DirLock.take(files, folder)
        try:
            yield cls(files, folder, request)
        finally:
            lock.release()

    def load(self) -> ReplayState | None:
        """Where an earlier run of this request ended. Raises ClickException when another one is not finished."""
        try:
            content = json.loads(self._files.read_whole(self._path))
            state, asked = ReplayState.from_json(content["state"]), content["request"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise click.ClickException(f"{self._path} cannot be read: --restart begins afresh") from None
        if asked != self._request.to_json():
            raise click.ClickException(
                f"another replay to this sink is not finished ({_words(asked)}, up to {show(state.reached)}): "
                "repeat that command to go on with it, or say --restart to forget it"
            )
        return state

    async def save(self, state: ReplayState) -> None:
        """Return once it is durable."""
        content = {"request": self._request.to_json(), "state": state.to_json()}
        await anyio.to_thread.run_sync(self._files.write_whole, self._path, json.dumps(content).encode())

    def forget(self) -> None:
        """Begin afresh next time."""
        if self._files.exists(self._path):
            self._files.remove(self._path)


@click.command()
@click.option("--sink", "name", help="Name of the sink in the configuration; needed when it has several.")
@click.option("--from", "since", type=Moment(), required=True, help="From this time on.")
@click.option("--to", "until", type=Moment(), default="now", show_default=True, help="Up to this time, inclusive.")
@click.option("--match", default="{}", show_default=True, help="Only series such as '{job=\"x\"}'.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), required=True, help="Configuration file.")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory, before `storage.path`.")
@click.option("--restart", is_flag=True, help="Forget how far an earlier run came.")
def replay(  # noqa: PLR0917 - click passes what the decorators name
    name: str | None,
    since: str,
    until: str,
    match: str,
    config_file: Path,
    data: Path | None,
    restart: bool,  # noqa: FBT001
) -> None:
    """Send stored history to a sink again: to one that lost its data, or that is new and has missed the log.

    Times are RFC 3339 (2026-11-23T10:00:00Z), Unix seconds (1700000000), back from now (-24h, -30m, -1d12h) or `now`.

    What the sink has already it gets again, which changes nothing there: the same point overwrites itself. Works
    beside a running bridge or without one, and changes neither its cursors nor its dead letters. A sink that does not
    answer is waited for. After Ctrl-C or a crash the same command goes on where it was, with the times that it was
    begun with.

    Exits 0 when all has been sent, 1 when the sink refused lines for good, 130 after Ctrl-C.

    \b
    Examples:
      pushbridge replay --config bridge.yml --sink main --from -24h
      pushbridge replay --config bridge.yml --sink new --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z
      pushbridge replay --config bridge.yml --from 1700000000 --match 'rows{db=~"main|spare"}'
    """
    configure_logging(Logging(level="error"), SystemClock())
    try:
        settings = check_file(config_file)
        matchers = parse_selector(match)
        path = data or settings.storage.path
        if not (path / "tsdb").is_dir():
            raise click.ClickException(f"{path} holds no store")
        sink = pick_sink(settings, name)
        with ProgressFile.open(path / "replay" / sink.name, Request(since, until, match)) as progress:
            if restart:
                progress.forget()
            state = progress.load() or _begin(since, until)
            finished, state = asyncio.run(_run(sink, path, matchers, state, progress))
            if finished:
                progress.forget()
    except BridgeError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}") from None
    _summarise(state)
    if not finished:
        click.echo(f"stopped: the same command goes on from {show(state.reached)}", err=True)
        raise SystemExit(130)
    if state.refused:
        raise SystemExit(1)


def _begin(since: str, until: str) -> ReplayState:
    now = SystemClock().now_ms()
    mint, maxt = instant(since, now), instant(until, now)
    if mint > maxt:
        raise click.UsageError(f"--from {show(mint)} is later than --to {show(maxt)}")
    return ReplayState.of(mint, maxt)


async def _run(
    sink: SinkSettings, path: Path, matchers: tuple[Matcher, ...], state: ReplayState, progress: ProgressFile
) -> tuple[bool, ReplayState]:
    """Whether it has come to its end, and where it is."""
    clock = SystemClock()
    console = Console(stderr=True)
    with console.status("reading the log") if console.is_terminal else contextlib.nullcontext():
        view = await anyio.to_thread.run_sync(Directory, Files(), path / "tsdb", clock)
    for problem in view.problems:
        click.echo(problem, err=True)
    history = StoredHistory(view.querier, matchers)
    replay = Replay(sink, history, state, save=progress.save, clock=clock)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, replay.stop)
    async with _shown(replay, console):
        finished = await replay.run()
    return finished, replay.state


@contextlib.asynccontextmanager
async def _shown(replay: Replay, console: Console) -> AsyncIterator[None]:
    """Show how far it is: a bar in a terminal, a line now and then elsewhere."""
    show = asyncio.create_task(_bar(replay, console) if console.is_terminal else _lines(replay))
    try:
        yield
    finally:
        show.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await show


async def _bar(replay: Replay, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=1.0)
        try:
            while True:
                bar.update(task, completed=replay.state.share, description=_told(replay))
                await asyncio.sleep(_SHOW_EVERY)
        finally:
            bar.update(task, completed=replay.state.share, description=_told(replay))


async def _lines(replay: Replay) -> None:
    while True:
        await asyncio.sleep(_SAY_EVERY)
        click.echo(f"{replay.state.share:.0%} {_told(replay)}", err=True)


def _told(replay: Replay) -> str:
    text = f"{show(replay.state.reached)} {replay.sent:,} sent"
    if replay.refused:
        text += f" {replay.refused:,} refused"
    return f"{text} (waits: {replay.problem[:60]})" if replay.problem else text


def _summarise(state: ReplayState) -> None:
    """What became of the samples, most frequent first."""
    click.echo(f"{state.sent} sent")
    for title, counts in (("refused", state.refused), ("unrepresentable", state.unrepresentable)):
        click.echo(f"{sum(counts.values())} {title}")
        for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
            click.echo(f"  {count:>9}  {reason}")


def _words(request: Mapping[str, Any]) -> str:
    return " ".join(f"--{key} {value}" for key, value in request.items())
