"""Log lines: structlog's own and those of libraries that use `logging` leave through one formatter.

    ts=2026-11-23T10:00:00.123Z level=info component=buffer.replay msg="log replayed" segments=3

Modules say `logger = structlog.get_logger(__name__)`; nothing is configured at import, only by `configure_logging`.
"""

import json
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bridge.clock import Clock
from bridge.config import Logging
from bridge.telemetry.throttle import Throttle

__all__ = ["configure_logging", "render_logfmt"]

FIRST_KEYS = ("ts", "level", "component", "msg")


def configure_logging(settings: Logging, clock: Clock, stream: TextIO | None = None) -> None:
    """Send everything from `settings.level` up to `stream` (standard error); may be called again after a reload."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    renderer: Processor = render_logfmt if settings.format == "logfmt" else render_json
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        name_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a reload changes the level of loggers that exist already
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[remove_meta, renderer], foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    quieten_libraries(level, clock)


def quieten_libraries(level: int, clock: Clock) -> None:
    """The server announces start and stop at "info", as we do ourselves, and warns of each bad request it gets."""
    at_least_warning = level if level <= logging.DEBUG else max(level, logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "asyncio", "aiohttp"):
        logging.getLogger(name).setLevel(at_least_warning)
    server = logging.getLogger("uvicorn.error")
    server.filters = [RepeatFilter(clock)]


class RepeatFilter(logging.Filter):
    """Lets a repeated warning of a library through once an interval; errors always."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._throttle = Throttle(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if record.levelno != logging.WARNING:
            return True
        held = self._throttle.admit(str(record.msg))
        if held:
            record.msg = f"{record.msg} (and {held} more)"
        return held is not None


def name_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Our names for structlog's fields, in the order in which lines are read."""
    event["msg"] = event.pop("event", "")
    event["component"] = str(event.pop("logger", "")).removeprefix("bridge.")
    first = {key: event.pop(key) for key in FIRST_KEYS if key in event}
    return {**first, **event}


def render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One JSON object a line; what JSON cannot say is written as text."""
    return json.dumps(event, default=str, ensure_ascii=False)


def render_logfmt(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`key=value` pairs; whatever is not one plain word is quoted, so no value can look like another field or line."""
    return " ".join(f"{logfmt_key(key)}={logfmt_value(value)}" for key, value in event.items())


def logfmt_key(key: str) -> str:
    """A key without what separates keys from values."""
    return "".join("_" if character in '= "' or not character.isprintable() else character for character in key)


def logfmt_value(value: object) -> str:
    """A value as one word, quoted like JSON (and Go's %q) where it is none."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text.isprintable():
        plain = text and not any(character in text for character in ' ="\\')
        return text if plain else json.dumps(text, ensure_ascii=False)
    return json.dumps(text)
