"""The store as the engine reads it: pushed values as they are held."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.buffer import Querier, QueryLimits, Selector
from bridge.errors import QueryTooLarge
from bridge.native import Columns
from bridge.promql import TooManySamples

if TYPE_CHECKING:
    from bridge.promql import Read, Select

__all__ = ["samples_of"]


def samples_of(querier: Querier) -> "Select":
    """What finds the samples of a query."""

    def select(reads: "Sequence[Read]", max_samples: int) -> Sequence[Columns]:
        selectors = [Selector(read.matchers, read.mint, read.maxt, held=True) for read in reads]
        try:
            found = querier.select_many(selectors, limits=QueryLimits(samples=max_samples), ordered=False)
        except QueryTooLarge:
            raise TooManySamples from None
        return [selection.columns for selection in found]

    return select
