"""Samples as line protocol, as the settings of a sink want them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from bridge.config import InfluxSink
from bridge.forward.payload import Abridged
from bridge.native import (
    Columns,
    Head,
    LineMapping,
    Lines,
    LogSlice,
    Route,
    Told,
    Unchanged,
    encode_columns,
    encode_lines,
)

__all__ = ["LineEncoder", "line_mapping", "line_route"]


def line_mapping(settings: InfluxSink, instead: Mapping[str, Any] = MappingProxyType({})) -> LineMapping:
    """How samples become lines for a sink, but for what `instead` says. Raises ValueError when that is nothing."""
    ways: dict[str, Any] = {
        "name": "influx1-compat" if settings.name_tag else settings.mapping,
        "histograms": settings.native_histograms,
        "non_finite": settings.non_finite,
        "sentinel": settings.nan_sentinel,
        "stale": settings.stale,
    }
    return LineMapping(**(ways | dict(instead)))


def line_route(settings: InfluxSink) -> Route:
    """Which series a sink is sent, and under which labels they become lines."""
    return Route(wanted=settings.wanted, rules=[config.rule() for config in settings.write_relabel_configs])


class LineEncoder:
    """Makes lines. Slices of the log must come in order: what need not be sent again depends on what was before."""

    def __init__(self, settings: InfluxSink, oldest: Callable[[], int | None] = lambda: None) -> None:
        """`oldest` tells the time, ms, before which the sink keeps nothing."""
        self._mapping = line_mapping(settings)
        self._route = line_route(settings)
        self._oldest = oldest
        self._exemplars = settings.send_exemplars
        self.reach = 0 if settings.send_unchanged else int(settings.heartbeat)
        self._unchanged: Unchanged | None = None
        self._told: Told | None = None
        self.begin(None)

    def begin(self, newest: int | None) -> None:
        """Slices come next. Of what was sent before, no more is known than the time of the newest sample, ms."""
        if self.reach:
            self._unchanged = Unchanged(self.reach, newest)

    def encode_slice(self, head: Head, piece: LogSlice) -> Lines:
        """The samples of a piece of the log, whose references `head` knows, and exemplars if they are wanted."""
        if self._unchanged is not None:
            self._told = self._unchanged.begin()
        return self._encode(head, piece, self._told)

    def abridged(self, head: Head, piece: LogSlice) -> Abridged | None:
        """What goes with the lines of that piece, which leave out what the sink has been told before."""
        if self._told is None:
            return None
        return Abridged(partial(self._encode, head, piece, self._told, whole=True), self._told.taken)

    def _encode(self, head: Head, piece: LogSlice, told: Told | None, *, whole: bool = False) -> Lines:
        return encode_lines(
            head,
            piece,
            self._mapping,
            self._route,
            oldest=self._oldest(),
            told=told,
            whole=whole,
            exemplars=self._exemplars,
        )

    def encode_columns(self, columns: Columns, start: int, stop: int, head: Head | None) -> Lines:
        """Samples `start` to `stop` of history, all of them and no exemplars; `head` knows what metrics are."""
        if self._unchanged is not None:
            self._unchanged.forget_all()
        return encode_columns(columns, start, stop, self._mapping, self._route, head=head, oldest=self._oldest())

    def read(self, lines: Sequence[str]) -> Lines:
        """The samples of dead letters."""
        return Lines.from_text("\n".join(lines).encode())
