"""`pushbridge serve`: the process around a bridge. Its signals, its socket, its end."""

import asyncio
import os
import resource
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from socket import socket

import click
import structlog
import uvloop

from bridge import __version__
from bridge.app import Bridge, Door
from bridge.cli.check import check_file
from bridge.clock import Clock, SystemClock
from bridge.config import Listen, Settings, load_web_config
from bridge.edge import Server, bind, server_context
from bridge.errors import BridgeError, ConfigError
from bridge.telemetry import configure_logging

__all__ = ["serve"]

logger = structlog.get_logger(__name__)

STOP_SECONDS = 9.5  # after that the process ends as it is: whatever it has answered is on disk


@click.command()
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Configuration file; none: the defaults."
)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory, before `storage.path`.")
@click.option("--listen", help="Address, HOST:PORT, before `web.listen`; port 0 takes a free one.")
def serve(config_file: Path | None, data: Path | None, listen: str | None) -> None:
    """Run the bridge until SIGTERM or Ctrl-C, which let requests in progress finish and end within 10 seconds.

    SIGHUP, and `POST /-/reload`, read the configuration file again; one with a mistake changes nothing.

    \b
    Examples:
      pushbridge serve                                  port 9091, data in ./data, no sink
      pushbridge serve --config bridge.yml
      pushbridge serve --listen 127.0.0.1:9191 --data /var/lib/pushbridge
    """
    clock = SystemClock()
    reader = SettingsReader(config_file, data, listen, clock)
    try:
        settings = reader()
        listener = bind(settings.web.listen)
        tls = tls_of(settings)
        raise_file_limit()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, reader, clock, listener, tls))
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(1) from None
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"{error.filename or settings.web.listen}: {what}") from None
    except BridgeError as error:
        raise click.ClickException(str(error)) from None


class SettingsReader:
    """Reads the file, puts what the command line says above it, and lets the log follow."""

    def __init__(self, file: Path | None, data: Path | None, listen: str | None, clock: Clock) -> None:
        self._file = file
        self._data = data
        self._listen = listen
        self._clock = clock

    def __call__(self) -> Settings:
        """Raises ConfigError; then nothing has changed."""
        settings = check_file(self._file)
        if self._data is not None:
            storage = settings.storage.model_copy(update={"path": self._data})
            settings = settings.model_copy(update={"storage": storage})
        if self._listen is not None:
            try:
                web = settings.web.model_copy(update={"listen": Listen.parse(self._listen)})
            except ValueError as error:
                raise ConfigError([f"--listen: {error}"]) from None
            settings = settings.model_copy(update={"web": web})
        configure_logging(settings.logging, self._clock)
        return settings


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """The server's side of TLS, if the web configuration asks for any. Raises ConfigError."""
    if settings.web.config_file is None:
        return None
    config = load_web_config(settings.web.config_file).tls_server_config
    return None if config is None else server_context(config)


def raise_file_limit() -> None:
    """As many open files as we may have: connections are files, and the usual soft limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def run(
    settings: Settings,
    read_settings: Callable[[], Settings],
    clock: Clock,
    listener: socket,
    tls: ssl.SSLContext | None,
) -> None:
    """Serve a bound socket, open a bridge behind it, and close both when somebody asks for that."""
    with listener:
        door = Door(settings.web, clock)
        server = Server(door.asgi, settings.web, tls)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            async with Bridge.open(settings, read_settings, clock, door) as bridge:
                signals = Signals(bridge)
                quitting = asyncio.create_task(bridge.quit.wait())
                host, port = listener.getsockname()[:2]
                scheme = "https" if tls else "http"
                address = f"{scheme}://{Listen(host, port)}"
                logger.info("serving", version=__version__, address=address, data=settings.storage.path)
                await asyncio.wait({serving, quitting}, return_when=asyncio.FIRST_COMPLETED)
                quitting.cancel()
                logger.info("stopping")
                end_in_any_case()
                server.stop()
                await serving
                await signals.finish()
        finally:
            server.stop()
            await serving
    logger.info("stopped")


class Signals:
    """SIGTERM and SIGINT end the bridge, a second time at once; SIGHUP makes it read its configuration again."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._reloading: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)

    def _stop(self, number: signal.Signals) -> None:
        if self._bridge.quit.is_set():
            os._exit(128 + number)
        self._bridge.quit.set()

    def _reload(self) -> None:
        task = asyncio.create_task(self._reload_or_say_why_not())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _reload_or_say_why_not(self) -> None:
        try:
            await self._bridge.reload()
        except ConfigError as error:
            logger.error("configuration is bad, keeping the old one", problems="; ".join(error.problems))  # noqa: TRY400

    async def finish(self) -> None:
        """Wait for a reload that is under way."""
        await asyncio.gather(*self._reloading)


def end_in_any_case() -> None:
    """A thread that ends the process when closing takes too long: no sink and no disk may hold it up."""

    def end() -> None:
        sys.stderr.write(f"closing took longer than {STOP_SECONDS} s, ending as after a crash\n")
        os._exit(1)

    timer = threading.Timer(STOP_SECONDS, end)
    timer.daemon = True
    timer.start()
