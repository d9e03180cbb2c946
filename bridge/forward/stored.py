"""History out of a store: memory and blocks as one."""

from bridge.buffer import Matchers
from bridge.buffer.querier import Querier, QueryLimits, Selection
from bridge.errors import QueryTooLarge
from bridge.forward.history import TooManySamples
from bridge.forward.payload import Encoder, Payload
from bridge.native import Head

__all__ = ["StoredHistory"]


class _Columns:
    """Series one after the other."""

    def __init__(self, selection: Selection, head: Head | None) -> None:
        self._selection = selection
        self._head = head

    def __len__(self) -> int:
        return self._selection.samples

    def encode(self, start: int, stop: int, encoder: Encoder) -> Payload:
        """Samples `start` to `stop`."""
        return encoder.encode_columns(self._selection.columns, start, stop, self._head)


class StoredHistory:
    """What a store holds of the series that all `matchers` want, without the repetitions of held values."""

    def __init__(self, querier: Querier, matchers: Matchers = ()) -> None:
        self._querier = querier
        self._matchers = matchers

    def __call__(self, mint: int, maxt: int, max_samples: int) -> _Columns:
        """Samples in [mint, maxt] ms. Raises TooManySamples above `max_samples` (0: no limit), BadInput for a bad
        matcher, Unreadable for damage."""
        try:
            found = self._querier.select(self._matchers, mint, maxt, limits=QueryLimits(samples=max_samples))
        except QueryTooLarge:
            raise TooManySamples from None
        return _Columns(found, self._querier.head)
