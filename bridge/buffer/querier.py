"""Reading the store: memory and blocks as one.

    query = Query(head, selectors)        what memory has of all selectors, at one moment, without decoding
    with blocks.reading() as loaded:      the blocks in use then or later: what has left memory is in one of them
        query.select(loaded)              decoded and merged, without a lock

Everything here may take long and may be called in any thread.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from bridge.buffer.blocks import OpenBlock
from bridge.buffer.matchers import Matchers
from bridge.errors import BadInput, QueryTooLarge, Unreadable
from bridge.native import (
    Block,
    Columns,
    Head,
    Histogram,
    Query,
    QueryFailed,
    QueryLimit,
    Series,
    label_names,
    label_values,
    read_chunks,
    read_samples,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["MAX_TIME", "MIN_TIME", "BlockSource", "Querier", "QueryLimits", "ReadAnswer", "Selection", "Selector"]

MIN_TIME = -(1 << 63)
MAX_TIME = (1 << 63) - 1

Timestamps: TypeAlias = "npt.NDArray[np.int64]"
Values: TypeAlias = "npt.NDArray[np.float64]"


class BlockSource(Protocol):
    """Where the blocks in use are."""

    def reading(self) -> AbstractContextManager[Sequence[OpenBlock[Block]]]:
        """The blocks in use, none of whose files is removed before the end of the `with`."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may take, all its selectors together: series count for each that matches them. 0: no limit."""

    series: int = 0
    samples: int = 0
    bytes: int = 0


NO_LIMITS = QueryLimits()


class Selector(NamedTuple):
    """Samples in [mint, maxt] ms of the series that match; `held` repeats pushed values at hold ticks."""

    matchers: Matchers
    mint: int
    maxt: int
    held: bool = False


class ReadAnswer(NamedTuple):
    """A piece of an answer to remote read.

    Attributes:
        data: compressed.
        length: bytes of all pieces so far before they were compressed.
    """

    data: bytes
    length: int


class Selection:
    """Series in the order of their labels, and their samples as columns that nobody may write to.

    Series n has the floats `offsets[n]` up to `offsets[n + 1]` of `timestamps` (ms) and `values`, and beside them
    `histograms(n)`. Label sets become Python objects when they are asked for.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    # numpy takes 19 MB, which a bridge that nobody queries need not have.

    @cached_property
    def offsets(self) -> Timestamps:
        """Where the floats of each series begin, and where those of the last one end."""
        import numpy as np  # noqa: PLC0415

        return np.frombuffer(self._columns.offsets, dtype=np.int64)

    @cached_property
    def timestamps(self) -> Timestamps:
        """Times of all floats, ms."""
        import numpy as np  # noqa: PLC0415

        return np.frombuffer(self._columns.timestamps, dtype=np.int64)

    @cached_property
    def values(self) -> Values:
        """All floats."""
        import numpy as np  # noqa: PLC0415

        return np.frombuffer(self._columns.values, dtype=np.float64)

    def series(self) -> list[Series]:
        """One object a series, in place of columns: for few samples."""
        return self._columns.series()

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def samples(self) -> int:
        """Floats and histograms."""
        return self._columns.samples

    @property
    def columns(self) -> Columns:
        """The same for the core."""
        return self._columns

    def labels(self, series: int) -> dict[str, str]:
        """Label names, sorted, and their values."""
        return self._columns.labels(series)

    def key(self, series: int) -> bytes:
        """The label set packed: equal sets are equal bytes."""
        return self._columns.packed(series)

    def floats(self, series: int) -> tuple[Timestamps, Values]:
        """Times, ms, and values of one series; views of the columns."""
        start, end = self.offsets[series : series + 2]
        return self.timestamps[start:end], self.values[start:end]

    def histograms(self, series: int) -> list[tuple[int, Histogram]]:
        """Native histograms of one series with their times, ms."""
        return self._columns.histograms(series)


class Querier:
    """Reads what a head and blocks hold. Methods raise BadInput for a bad matcher and Unreadable for damage."""

    def __init__(self, head: Head | None, blocks: BlockSource | None = None) -> None:
        self._head = head
        self._blocks = blocks

    @property
    def head(self) -> Head | None:
        """What is in memory."""
        return self._head

    def select(
        self, matchers: Matchers, mint: int, maxt: int, *, held: bool = False, limits: QueryLimits = NO_LIMITS
    ) -> Selection:
        """The samples of one selector; series without any are left out. Raises QueryTooLarge."""
        (selection,) = self.select_many([Selector(matchers, mint, maxt, held)], limits=limits)
        return selection

    def select_many(
        self, selectors: Sequence[Selector], *, limits: QueryLimits = NO_LIMITS, ordered: bool = True
    ) -> list[Selection]:
        """The samples of each selector. All of them see each batch whole or not at all. Unless `ordered`, series
        come in the order that takes least time. Raises QueryTooLarge."""
        with _told():
            query = Query(self._head, selectors, max_series=limits.series)
            with self._reading() as blocks:
                found = query.select(
                    blocks,
                    max_series=limits.series,
                    max_samples=limits.samples,
                    max_bytes=limits.bytes,
                    ordered=ordered,
                )
        return [Selection(columns) for columns in found]

    def series(self, selectors: Sequence[Selector], *, limits: QueryLimits = NO_LIMITS) -> list[dict[str, str]]:
        """The label sets that any selector finds, in order, as far as chunks tell without being decoded. Raises
        QueryTooLarge."""
        with _told():
            query = Query(self._head, selectors, max_series=limits.series)
            with self._reading() as blocks:
                return query.series(blocks, max_series=limits.series)

    def listing(
        self, selectors: Sequence[Selector], *, limit: int = 0, limits: QueryLimits = NO_LIMITS
    ) -> tuple[bytes, bool]:
        """The same label sets as a JSON array of objects, at most `limit` of them, and whether there are more."""
        with _told():
            query = Query(self._head, selectors, max_series=limits.series)
            with self._reading() as blocks:
                return query.listing(blocks, limit=limit, max_series=limits.series)

    def federate(
        self,
        selectors: Sequence[Selector],
        external: Sequence[tuple[str, str]],
        *,
        form: str,
        escaping: str,
        limits: QueryLimits = NO_LIMITS,
    ) -> Iterator[bytes]:
        """The newest sample of each series that any selector finds as an exposition, `text` or `protobuf`, in bounded
        pieces; series that have ended are left out, and get those `external` labels whose names they don't have.

        All samples are read before this returns. Raises QueryTooLarge.
        """
        with _told():
            query = Query(self._head, selectors, max_series=limits.series)
            with self._reading() as blocks:
                return query.federate(blocks, external, form, escaping, max_series=limits.series)

    def label_names(
        self, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME, *, limit: int = 0
    ) -> list[str]:
        """Names of the labels of the series that match, sorted, at most `limit`.

        Blocks that have no sample in [mint, maxt] ms do not count, nor does memory whose samples are all newer; the
        others do as a whole.
        """
        with _told(), self._reading(mint, maxt) as blocks:
            return label_names(self._head_before(maxt), blocks, matchers, limit=limit)

    def label_values(
        self, name: str, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME, *, limit: int = 0
    ) -> list[str]:
        """Values of a label, otherwise as `label_names`."""
        with _told(), self._reading(mint, maxt) as blocks:
            return label_values(self._head_before(maxt), blocks, name, matchers, limit=limit)

    def _head_before(self, maxt: int) -> Head | None:
        """The head, if it has anything up to `maxt`."""
        oldest = None if self._head is None else self._head.min_time
        return self._head if oldest is None or oldest <= maxt else None

    def dump(
        self, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME, *, held: bool = False
    ) -> Iterator[bytes]:
        """Lines as `promtool tsdb dump` prints them, in bounded pieces, series in the order of their labels.

        What is shown is settled when the first piece is asked for.
        """
        with _told():
            query = Query(self._head, [Selector(matchers, mint, maxt, held)])
            with self._reading() as blocks:
                yield from query.dump(blocks)

    def export(
        self, form: str, matchers: Matchers = (), mint: int = MIN_TIME, maxt: int = MAX_TIME
    ) -> Iterator[tuple[bytes, list[tuple[str, int]]]]:
        """Text in the format `openmetrics`, `line-protocol` or `jsonl`, in bounded pieces, series in the order of their
        labels; beside each piece how many samples the format could not carry so far, by reason."""
        with _told():
            query = Query(self._head, [Selector(matchers, mint, maxt)])
            with self._reading() as blocks:
                pieces = query.export(blocks, form)
                for piece in pieces:
                    yield piece, pieces.unrepresentable
                yield b"", pieces.unrepresentable

    def read_chunks(
        self, selector: Selector, number: int, external: Iterable[tuple[str, str]]
    ) -> Generator[bytes, None, None]:
        """Frames of remote read in bounded pieces: the chunks of the series that match, as the answer to query
        `number` of a request, with `external` labels added; series in the order of their labels."""
        with _told():
            query = Query(self._head, [selector])
            with self._reading() as blocks:
                yield from read_chunks(query, blocks, number, list(external))

    def read_samples(
        self, selector: Selector, external: Iterable[tuple[str, str]], *, max_samples: int = 0
    ) -> Generator[ReadAnswer, None, None]:
        """The same as samples, compressed. Raises QueryTooLarge."""
        with _told():
            query = Query(self._head, [selector])
            with self._reading() as blocks:
                pieces = read_samples(query, blocks, list(external), max_samples=max_samples)
                for piece in pieces:
                    yield ReadAnswer(piece, pieces.length)

    @contextmanager
    def _reading(self, mint: int = MIN_TIME, maxt: int = MAX_TIME) -> Iterator[list[tuple[Block, int, int, str]]]:
        """The blocks in use that have times in [mint, maxt], as the core wants them."""
        if self._blocks is None:
            yield []
            return
        with self._blocks.reading() as loaded:
            metas = [(block, block.meta) for block in loaded if block.meta.overlaps(mint, maxt)]
            yield [(block.reader, meta.mint, meta.maxt, block.path.name) for block, meta in metas]


@contextmanager
def _told() -> Iterator[None]:
    """The core's refusals, as the bridge's."""
    try:
        yield
    except QueryLimit as error:
        raise QueryTooLarge(str(error), error.what) from None
    except QueryFailed as error:
        raise Unreadable(str(error)) from None
    except ValueError as error:
        raise BadInput(str(error)) from None
