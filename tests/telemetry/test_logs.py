"""Log lines cannot be forged, flooded or lost."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bridge.config import Logging, Secret
from bridge.telemetry import Throttle, ThrottledLog, configure_logging
from tests.buffer.told_clock import ToldClock


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.error").filters = []
    structlog.reset_defaults()


def logfmt(stream: io.StringIO) -> str:
    """The one line logged, without its time."""
    line = stream.getvalue()
    assert line.startswith("ts=20")
    assert line.count("\n") == 1
    return line.split(" ", 1)[1].rstrip("\n")


def test_a_line(stream: io.StringIO) -> None:
    configure_logging(Logging(), ToldClock(), stream)
    structlog.get_logger("bridge.buffer.log").info("log replayed", segments=3, torn=False, note=None, path="a b")
    expected = 'level=info component=buffer.log msg="log replayed" segments=3 torn=false note= path="a b"'
    assert logfmt(stream) == expected


def test_hostile_values_stay_inside_their_quotes(stream: io.StringIO) -> None:
    configure_logging(Logging(), ToldClock(), stream)
    structlog.get_logger("x").info("m", a='1" level=error', b="x\nlevel=error", c="\x1b[31m\r", d="", e="a\\b", f="é")
    expected = r'a="1\" level=error" b="x\nlevel=error" c="\u001b[31m\r" d="" e="a\\b" f=é'
    assert logfmt(stream).endswith(expected)


def test_json(stream: io.StringIO) -> None:
    configure_logging(Logging(format="json"), ToldClock(), stream)
    structlog.get_logger("bridge.app").warning("m", n=1, what=ValueError("x"), token=Secret("hush"))
    line = json.loads(stream.getvalue())
    assert list(line)[:4] == ["ts", "level", "component", "msg"]
    assert (line["level"], line["component"], line["n"], line["what"]) == ("warning", "app", 1, "x")
    assert line["token"] == "<secret>"


def test_libraries_use_the_same_lines(stream: io.StringIO) -> None:
    configure_logging(Logging(), ToldClock(), stream)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("some.library").warning("%d things", 3)
    assert logfmt(stream) == 'level=warning component=some.library msg="3 things"'


def test_the_level_can_change_while_running(stream: io.StringIO) -> None:
    logger = structlog.get_logger("x")
    configure_logging(Logging(level="error"), ToldClock(), stream)
    logger.warning("hidden")
    configure_logging(Logging(level="debug"), ToldClock(), stream)
    logger.debug("shown")
    assert logfmt(stream) == "level=debug component=x msg=shown"


def test_an_exception_is_one_line(stream: io.StringIO) -> None:
    configure_logging(Logging(), ToldClock(), stream)
    try:
        int("no\nway")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    line = logfmt(stream)
    assert line.startswith('level=error component=x msg=failed exception="Traceback')
    assert r"\nValueError: invalid literal" in line


def test_bad_requests_do_not_flood_the_log(stream: io.StringIO) -> None:
    clock = ToldClock()
    configure_logging(Logging(), clock, stream)
    server = logging.getLogger("uvicorn.error")
    for _ in range(1000):
        server.warning("Invalid HTTP request received.")
    clock.now += 10_000
    server.warning("Invalid HTTP request received.")
    server.error("Exception in ASGI application")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert '"Invalid HTTP request received. (and 999 more)"' in lines[1]


def test_repeated_warnings_are_counted(stream: io.StringIO) -> None:
    clock = ToldClock()
    configure_logging(Logging(), clock, stream)
    log = ThrottledLog(structlog.get_logger("x"), clock)
    for _ in range(5):
        log.warning("sink refused", key="main", sink="main")
        log.warning("sink refused", key="other", sink="other")
    clock.now += 10_000
    log.warning("sink refused", key="main", sink="main")
    lines = [line.split("msg=")[1] for line in stream.getvalue().splitlines()]
    assert lines == ['"sink refused" sink=main', '"sink refused" sink=other', '"sink refused" sink=main repeated=4']


def test_a_throttle_forgets_the_oldest_keys() -> None:
    throttle = Throttle(ToldClock(), max_keys=2)
    assert [throttle.admit(key) for key in "aabbcc"] == [0, None, 0, None, 0, None]
    assert throttle.admit("b") is None
    assert throttle.admit("a") == 0
