"""What a sink missed in the log, out of history, until it can read the log on."""

from bridge.buffer import Position
from bridge.forward.history import History, Window, Windows
from bridge.forward.parcel import CatchUp, Parcel
from bridge.forward.payload import Encoder

__all__ = ["Catcher"]

_PARCELS_A_WINDOW = 100
_MAX_WINDOW = 500_000  # samples: 8 MB of columns; payloads, which take more, are made of a part of them at a time


class Catcher:
    """Reads a gap of the log in parcels; done with the one that leaves nothing to catch up.

    The account moves as far as the gap has samples, whatever history holds. More of them were sent before the gap and
    lie in its time: they move nothing. Fewer have gone from history too: the last parcel, which is empty, moves the
    account over the rest.
    """

    def __init__(
        self,
        state: CatchUp,
        *,
        position: Position,
        seq: int,
        history: History,
        max_samples: int,
        encoder: Encoder,
    ) -> None:
        """For a sink that goes on at `position` of the log and has accounted for `seq` samples; `max_samples` in a
        parcel."""
        self._goal = max(state.seq, seq)
        self._position = position
        self._seq = seq
        self._counted = state.counted
        self._max_samples = max_samples
        self._encoder = encoder
        self._windows = Windows(history, state.spans, min(_PARCELS_A_WINDOW * max_samples, _MAX_WINDOW))
        self._window: Window | None = None
        self._start = state.spans  # from the window under way on
        self._at = 0  # samples of it that are in parcels

    def next(self) -> Parcel:
        """Read and encode the next samples. Blocks. Raises OSError; then it can be asked again."""
        window = self._next_window()
        if window is None:
            return Parcel(self._encoder.read([]), {}, self._position, self._goal, from_history=True)
        stop = min(self._at + self._max_samples, len(window.columns))
        payload = window.columns.encode(self._at, stop, self._encoder)
        self._count(stop - self._at)
        self._at = stop
        return Parcel(
            payload,
            payload.unrepresentable,
            self._position,
            self._seq,
            from_history=True,
            catching_up=self._left(window),
            doubtful=True,
        )

    def _next_window(self) -> Window | None:
        """The window that still has samples for a parcel; None at the end."""
        while self._window is None or self._at == len(self._window.columns):
            start = self._windows.spans
            self._window = self._windows.next()
            self._start, self._at = start, 0
            if self._window is None:
                return None
        return self._window

    def _count(self, samples: int) -> None:
        known = min(samples, self._counted)
        self._counted -= known
        self._seq = min(self._seq + samples - known, self._goal)

    def _left(self, window: Window) -> CatchUp:
        if self._at == len(window.columns):
            return CatchUp(self._goal, window.rest, self._counted)
        return CatchUp(self._goal, self._start, self._at + self._counted)
