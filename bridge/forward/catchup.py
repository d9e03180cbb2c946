"""What a sink missed in the log, out of history, until it can read the log on."""

from bridge.buffer import Position
from bridge.forward.history import History, Window, Windows
from bridge.forward.parcel import CatchUp, Parcel
from bridge.forward.payload import Encoder

__all__ = ["Catcher"]

_PARCELS_A_WINDOW = 100
_PARCELS_IN_ORDER = 10
_MAX_WINDOW = 500_000  # samples: 8 MB of columns; payloads, which take more, are made of a part of them at a time


class Catcher:
    """Reads a gap of the log in parcels; done with the one that leaves nothing to catch up.

    The account moves as far as the gap has samples, whatever history holds. More of them were sent before the gap and
    lie in its time: they move nothing. Fewer have gone from history too: the last parcel, which is empty, moves the
    account over the rest.

    **In order.** A receiver that has newer samples of a series calls older ones late, sent again or not, and it is told
    apart by the newest one of the same parcel (`ordered`). So what may have been sent before is read as one window, and
    a window that has some of it is one parcel.
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
        doubtful: int = 0,
        until: int | None = None,
    ) -> None:
        """For a sink that goes on at `position` of the log and has accounted for `seq` samples; `max_samples` in a
        parcel. A sink that wants order may have been sent the first `doubtful` samples before, and all up to `until`
        ms; 0 when order is nothing to it."""
        self._goal = max(state.seq, seq)
        self._position = position
        self._seq = seq
        self._counted = state.counted
        self._exemplars = state.exemplars
        self._max_samples = max_samples
        self._encoder = encoder
        parcels = _PARCELS_IN_ORDER if doubtful else _PARCELS_A_WINDOW
        self._windows = Windows(history, state.spans, min(parcels * max_samples, _MAX_WINDOW))
        self._doubtful = doubtful
        self._until = until
        self._whole = False
        self._window: Window | None = None
        self._start = state.spans  # from the window under way on
        self._at = 0  # samples of it that are in parcels

    def next(self) -> Parcel:
        """Read and encode the next samples. Blocks. Raises OSError; then it can be asked again."""
        window = self._next_window()
        if window is None:
            nothing = self._encoder.read([])
            lost = self._exemplars
            return Parcel(nothing, {}, self._position, self._goal, from_history=True, exemplars_lost=lost)
        left = len(window.columns)
        stop = left if self._whole else min(self._at + self._max_samples, left)
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
            until=window.maxt,
        )

    def _next_window(self) -> Window | None:
        """The window that still has samples for a parcel; None at the end."""
        while self._window is None or self._at == len(self._window.columns):
            start = self._windows.spans
            self._window = self._windows.next(least=self._doubtful, until=self._until)
            self._start, self._at = start, 0
            if self._window is None:
                return None
            self._whole = self._doubtful > 0 or (self._until is not None and self._window.maxt <= self._until)
            self._doubtful = max(self._doubtful - len(self._window.columns), 0)
        return self._window

    def _count(self, samples: int) -> None:
        known = min(samples, self._counted)
        self._counted -= known
        self._seq = min(self._seq + samples - known, self._goal)

    def _left(self, window: Window) -> CatchUp:
        if self._at == len(window.columns):
            return CatchUp(self._goal, window.rest, self._counted, self._exemplars)
        return CatchUp(self._goal, self._start, self._at + self._counted, self._exemplars)
