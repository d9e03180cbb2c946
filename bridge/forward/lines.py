"""Samples as line protocol, as the settings of a sink want them."""

from collections.abc import Callable, Sequence

from bridge.config import InfluxSink
from bridge.native import Columns, Head, LineMapping, Lines, LogSlice, Unchanged, encode_columns, encode_lines

__all__ = ["LineEncoder"]


class LineEncoder:
    """Makes lines. Slices of the log must come in order: what need not be sent again depends on what was before."""

    def __init__(self, settings: InfluxSink, oldest: Callable[[], int | None] = lambda: None) -> None:
        """`oldest` tells the time, ms, before which the sink keeps nothing."""
        self._mapping = LineMapping(
            "influx1-compat" if settings.name_tag else settings.mapping,
            histograms=settings.native_histograms,
            non_finite=settings.non_finite,
            sentinel=settings.nan_sentinel,
            stale=settings.stale,
        )
        self._oldest = oldest
        self._unchanged = None if settings.send_unchanged else Unchanged(int(settings.heartbeat))

    def encode_slice(self, head: Head, piece: LogSlice) -> Lines:
        """The samples of a piece of the log, whose references `head` knows."""
        return encode_lines(head, piece, self._mapping, oldest=self._oldest(), unchanged=self._unchanged)

    def encode_columns(self, columns: Columns, start: int, stop: int, head: Head | None) -> Lines:
        """Samples `start` to `stop` of history, all of them; `head` knows what kind of metrics they are of."""
        return encode_columns(columns, start, stop, self._mapping, head=head, oldest=self._oldest())

    def read(self, lines: Sequence[str]) -> Lines:
        """The samples of dead letters."""
        return Lines.from_text("\n".join(lines).encode())
