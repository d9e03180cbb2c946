"""The store as the engine reads it: pushed values as they are held."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.buffer import Querier, QueryLimits, Selector
from bridge.errors import QueryTooLarge
from bridge.native import Columns
from bridge.promql import TooManySamples, TooManySeries

if TYPE_CHECKING:
    from bridge.promql import Limits, Read, Select

__all__ = ["samples_of"]


def samples_of(querier: Querier) -> "Select":
    """What finds the samples of a query."""

    def select(reads: "Sequence[Read]", limits: "Limits") -> Sequence[Columns]:
        selectors = [Selector(read.matchers, read.mint, read.maxt, held=True) for read in reads]
        try:
            bounds = QueryLimits(series=limits.series, samples=limits.samples)
            found = querier.select_many(selectors, limits=bounds, ordered=False)
        except QueryTooLarge as error:
            raise (TooManySeries if error.what == "series" else TooManySamples) from None
        return [selection.columns for selection in found]

    return select
