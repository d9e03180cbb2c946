"""What is asked: every query in a file of its own, if one is configured, and slow ones in the log."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from bridge.clock import Clock
from bridge.config import PromQL

__all__ = ["Asked", "QueryLog"]

logger = structlog.get_logger(__name__)

SHOWN = 500  # characters of a query in a line of the log; the file has all of it


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that has been answered, or refused with `error`. Times are in ms, `seconds` is how long it took."""

    query: str
    start: int
    end: int
    step: int
    path: str
    seconds: float = 0.0
    stats: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


class QueryLog:
    """`settings` are those in force. The file is opened for each line: so it can be moved away at any time."""

    def __init__(self, settings: Callable[[], PromQL], clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = False

    @property
    def has_file(self) -> bool:
        """Whether all queries are written down, which takes a thread."""
        return self._settings().query_log_file is not None

    def note_slow(self, asked: Asked) -> None:
        """Tell of it if it took long."""
        limit = self._settings().slow_query
        if limit and asked.seconds * 1000 >= limit:
            logger.warning(
                "slow query",
                query=asked.query[:SHOWN],
                seconds=round(asked.seconds, 3),
                start=_rfc3339(asked.start),
                end=_rfc3339(asked.end),
                step=asked.step / 1000,
                error=asked.error,
            )

    def write(self, asked: Asked) -> None:
        """Append a line as Prometheus has it. For a thread; a file that cannot be written is told once."""
        path = self._settings().query_log_file
        if path is None:
            return
        times = {"start": _rfc3339(asked.start), "end": _rfc3339(asked.end), "step": asked.step // 1000}
        line: dict[str, Any] = {
            "time": _rfc3339(self._clock.now_ms()),
            "level": "INFO",
            "msg": "promql query logged",
            "params": {"query": asked.query, **times},
            "stats": asked.stats,
            "httpRequest": {"path": asked.path},
        }
        if asked.error is not None:
            line["error"] = asked.error
        text = json.dumps(line, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(text)
            except OSError as error:
                if not self._failed:
                    logger.error("the query log cannot be written", path=str(path), reason=error.strerror)  # noqa: TRY400
                self._failed = True
            else:
                self._failed = False


def _rfc3339(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(ms)
