"""History out of a store."""

from collections.abc import Sequence

from bridge.buffer import Matchers, View
from bridge.errors import BadInput
from bridge.forward.history import TooManySamples
from bridge.native import Lines, Series, encode_series

__all__ = ["StoredHistory"]


class _Columns:
    """Series one after the other."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = series
        self._samples = sum(map(len, series))

    def __len__(self) -> int:
        return self._samples

    def encode(self, start: int, stop: int, *, name_tag: bool) -> Lines:
        """Lines of samples `start` to `stop`."""
        return encode_series(self._series, start, stop, name_tag=name_tag)


class StoredHistory:
    """What a store holds of the series that all `matchers` want."""

    def __init__(self, store: View, matchers: Matchers = ()) -> None:
        self._store = store
        self._matchers = matchers

    def __call__(self, mint: int, maxt: int, max_samples: int) -> _Columns:
        """Samples in [mint, maxt] ms. Raises TooManySamples above `max_samples` (0: no limit), and BadInput for a bad
        matcher."""
        try:
            found = _Columns(self._store.select(self._matchers, mint, maxt))
        except ValueError as error:
            raise BadInput(str(error)) from None
        if 0 < max_samples < len(found):
            raise TooManySamples
        return found
