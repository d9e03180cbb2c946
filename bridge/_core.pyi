"""The Rust core: loops over bytes, samples and series. Every call that loops releases the GIL."""

import mmap
from collections.abc import Callable, Mapping, Sequence
from typing import Self, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "HEAD_CHUNKS_HEADER",
    "Analysis",
    "AppendRefused",
    "Backfill",
    "BackfillWindow",
    "BadText",
    "Batch",
    "Block",
    "BlockBuilder",
    "BlockDamaged",
    "BlockStats",
    "Cardinality",
    "Cells",
    "Checkpoint",
    "ChunkRead",
    "Classic",
    "ClosedChunks",
    "Columns",
    "CompactionFailed",
    "Damage",
    "DecodedWrite",
    "Deletion",
    "Dump",
    "Export",
    "Extent",
    "Families",
    "Federation",
    "FloatHistogram",
    "Framer",
    "Head",
    "Histogram",
    "LabelSets",
    "LabelsTooLong",
    "LateCut",
    "LineError",
    "LineMapping",
    "LineTally",
    "Lines",
    "LogDamaged",
    "LogSlice",
    "LogVerifier",
    "OtlpDecoder",
    "OtlpError",
    "Outbound",
    "OutboundMetadata",
    "Page",
    "ParseError",
    "Pattern",
    "PushRefused",
    "PushTable",
    "PushTicket",
    "Query",
    "QueryFailed",
    "QueryLimit",
    "ReadRequestError",
    "Refusals",
    "RelabelRule",
    "Replayed",
    "Route",
    "SampleRead",
    "SampleTally",
    "Samples",
    "Series",
    "SinkView",
    "Staged",
    "Told",
    "TooLong",
    "TooManyMetrics",
    "Unchanged",
    "Verification",
    "WriteMessage",
    "WriteRefused",
    "WriteRules",
    "aggregate_cells",
    "analyze_block",
    "cardinality",
    "check_log",
    "count_values",
    "cut_late",
    "describe_histograms",
    "encode_columns",
    "encode_lines",
    "extreme_cells",
    "first_cells",
    "frame_json",
    "gunzip",
    "histogram_fractions",
    "histogram_quantiles",
    "label_names",
    "label_values",
    "log_hole",
    "metadata_lines",
    "operate_histograms",
    "parse_families",
    "parse_histogram_literal",
    "parse_histogram_sequence",
    "parse_lines",
    "pattern_matches_empty",
    "quantile_cells",
    "read_chunks",
    "read_heads",
    "read_request",
    "read_samples",
    "relabel",
    "resume_log",
    "scaled_histograms",
    "select_columns",
    "select_slice",
    "snappy_length",
    "stage_deletion",
    "total_histograms",
    "unsnappy_framed",
    "verify_block",
    "verify_head_chunks",
]

_Buffer = bytes | bytearray | memoryview | mmap.mmap
"""Contiguous bytes, borrowed without a copy. Nobody may write to them during the call."""

# -- batches, head, log ------------------------------------------------------------------------------------------------

class AppendRefused(ValueError):
    """A batch that breaks a rule of the head; nothing of it is stored. The text names series and times."""

    reason: str
    """One of "out_of_order", "too_old", "duplicate", "out_of_bounds", "labels", "full", "histogram", and "stale": the
    batch names a series that has left the head since, and can be made anew."""

class LogDamaged(ValueError):
    """A segment that cannot be read where a reader begins."""

    offset: int
    """Byte offset of the damage in the segment."""

@final
class Batch:
    """Samples that become visible together or not at all."""

    @staticmethod
    def from_rows(
        rows: Sequence[tuple[Mapping[str, str], int | None, float]],
        time: int,
        event: bytes | None = None,
        held: bool = False,
        *,
        partial: bool = False,
    ) -> Batch:
        """A batch of (labels, time in ms, value). For tests and cold paths.

        Rows without a time get the batch's own, `time` or later: newer than every sample of their series. `event` is
        written to the log with the samples and given back by `replay`; `held` marks the rows as pushed, so that
        their values stand until the next sample; `partial` lets the head leave rows out that break a rule, instead of
        refusing the batch. Raises AppendRefused when a label has no name.
        """

    def __len__(self) -> int:
        """Samples."""

@final
class Refusals:
    """What of a batch was left out."""

    @property
    def samples(self) -> int:
        """Float samples."""

    @property
    def histograms(self) -> int:
        """Native histogram samples."""

    @property
    def exemplars(self) -> int:
        """Exemplars."""

    @property
    def late_exemplars(self) -> int:
        """Those of them that are older than others of their series."""

    @property
    def reasons(self) -> dict[str, int]:
        """Samples of both kinds by reason: those of AppendRefused, and "too_many_series"."""

    @property
    def texts(self) -> list[str]:
        """Why, of the first ones."""

@final
class Staged:
    """A batch between its check and its commit."""

    @property
    def seq(self) -> int:
        """Samples that the store accepted before this batch, over its whole life."""

    @property
    def samples(self) -> int:
        """Samples of the batch that are stored; exact repetitions of a series' newest sample are not."""

    @property
    def time(self) -> int:
        """The time that rows without one got, ms."""

    @property
    def series_created(self) -> int:
        """Series that were new."""

    @property
    def refused(self) -> int:
        """Rows of a partial batch that were left out."""

    @property
    def refusal(self) -> str | None:
        """Why the first of them was: the text that AppendRefused would have had."""

    @property
    def exemplars_refused(self) -> int:
        """Exemplars that were left out: out of order, of no series, or with labels of more than 128 characters."""

    @property
    def refusals(self) -> Refusals | None:
        """All that was left out; None when that is nothing."""

    def commit(self) -> None:
        """Show the batch to readers, once its records are durable. Raises RuntimeError unless it is the oldest
        staged one."""

@final
class Replayed:
    """What a segment held."""

    @property
    def end(self) -> int:
        """Offset just after the last whole batch, where the log can be written on."""

    @property
    def more(self) -> bool:
        """The rest is still to be read, from `end` on: what was read has some MiB of events."""

    @property
    def damage(self) -> tuple[int, str] | None:
        """(offset, what is wrong there) of what cannot be read; None when only zeros follow `end`."""

    @property
    def skipped(self) -> list[tuple[int, int, str]]:
        """(start, stop, what is wrong) of ranges that were not read, each between two batches that were."""

    @property
    def events(self) -> list[tuple[int, bytes]]:
        """(offset after the batch, its event) in log order."""

    @property
    def ticks(self) -> int:
        """Hold ticks."""

    @property
    def samples(self) -> int:
        """Samples read, also those that were in the head already or whose series is unknown."""

    @property
    def series(self) -> int:
        """Series introduced."""

    @property
    def unknown_refs(self) -> int:
        """Samples left out because the log does not say which series they belong to."""

@final
class LogSlice:
    """Samples of some whole batches, in log order."""

    @property
    def end(self) -> int:
        """Offset after the last batch of the slice."""

    @property
    def seq(self) -> int:
        """Samples accepted over the store's life up to `end`."""

    @property
    def samples(self) -> int:
        """Float and histogram samples in the slice."""

    @property
    def exemplars(self) -> tuple[int, int, int] | None:
        """(how many exemplars are in it, time of the oldest, time of the newest), ms; None when there are none."""

    def __len__(self) -> int:
        """The same as `samples`."""

@final
class Extent:
    """The times of many samples as a few disjoint spans: all of them, and rarely much more."""

    def __new__(cls, spans: Sequence[tuple[int, int]] = ...) -> Self:
        """What covers these spans, (first, last) in ms, overlapping or not."""

    def add(self, slice: LogSlice) -> None:
        """Take in the times of all samples of a slice."""

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Disjoint (first, last) in ms, inclusive, ascending; 64 at most."""

@final
class Series:
    """Float samples of one series. Each access to a property makes a new object."""

    @property
    def labels(self) -> dict[str, str]:
        """Label names, sorted, and their values."""

    @property
    def timestamps(self) -> list[int]:
        """Ascending, ms."""

    @property
    def values(self) -> list[float]:
        """One for each timestamp."""

HEAD_CHUNKS_HEADER: bytes
"""How a file of head chunks begins."""

@final
class ClosedChunks:
    """Chunks of the head to be written to a file."""

    def __len__(self) -> int:
        """Chunks."""

    @property
    def data(self) -> bytes:
        """Their entries."""

    def mapped(self, number: int, offset: int, file: _Buffer) -> None:
        """`data` stands at `offset` of file `number`, which is `file` so far: read the chunks from there.

        Nobody may change or cut those bytes while somebody reads them.
        """

@final
class Head:
    """Series and their recent samples, in memory. Safe to use from several threads."""

    def __new__(cls) -> Self: ...
    def stage(self, batch: Batch, *, max_series: int | None = None, max_new_series: int | None = None) -> Staged:
        """Check a batch, staged ones before it included, and encode its log records.

        Samples of new series are left out, whatever the batch is, when there would be more than `max_series` series, or
        more than `max_new_series` new ones. Raises AppendRefused.
        """

    def rollback(self) -> None:
        """Drop every staged batch, after a failed write to the log."""

    def set_bounds(self, min_valid: int | None, max_valid: int | None) -> None:
        """Refuse samples outside of these times (ms, inclusive; None: no bound) from now on."""

    def set_min_valid(self, t: int) -> None:
        """Samples before `t` ms are in blocks: `replay` skips them, `stage` refuses them."""

    def set_out_of_order_window(self, window: int) -> None:
        """Accept samples out of order when they are at most `window` ms older than the newest of the head; 0: none."""

    def next_block(self) -> tuple[int, int] | None:
        """The range of the next block, [from, to) ms, once there is half a range more in memory."""

    def extent(self) -> tuple[int, int] | None:
        """Oldest and newest time (ms) of what came in order, or of ticks when values are held; None: nothing."""

    def closed_chunks(self, size: int) -> ClosedChunks:
        """The full chunks that have waited longest, about `size` bytes of them, to be written to a file.

        They come again until `ClosedChunks.mapped` was called. Not to be called again before that, or a failure.
        """

    def attach(self, number: int, file: _Buffer) -> tuple[int, int]:
        """Use the chunks of file `number` in place of the log: how many of them, and where the last one ends.

        Before any `replay`, files in order. Raises ValueError for a damaged file, of which nothing is used.
        """

    def forget_chunk_files(self, end: int) -> list[int]:
        """Forget the oldest files, those of which nothing is needed and that come before file `end`: their numbers."""

    def end_replay(self) -> None:
        """The whole log has been replayed."""

    def truncate(self, mint: int, segment: int) -> None:
        """Begin to drop what ends before `mint` ms, then series without samples; nothing older is accepted any more.

        `segment` is the log segment being written. `truncate_step` does the work.
        """

    def truncate_step(self, work: int) -> bool:
        """Look at about `work` series; some 2,000 take a millisecond. True when more is to be done."""

    def forget_retired(self, segment: int) -> None:
        """Log segments before `segment` are gone: so are the labels of series that only they name."""

    def set_compression(self, compression: str) -> None:
        """Lay log records out for the compression that they will get: "none", "snappy" or "zstd"."""

    def commit_tick(self, t: int) -> None:
        """Note that held series repeat their value at `t` ms, once the tick is durable."""

    def replay(self, segment: _Buffer, start: int = 0, *, past_damage: bool = False) -> Replayed:
        """Apply all whole batches from byte `start`, or some, and there is `more`; segments in order.

        Raises RuntimeError while batches are staged.

        `past_damage` reads on behind damage, at the next batch that is whole: not for a segment at whose end a crash
        may have left a hole.
        """

    def read_log(
        self, segment: _Buffer, start: int, stop: int, max_samples: int, least: int = 1, seq: int = 0
    ) -> LogSlice:
        """Whole batches from byte `start`, never past `stop`: as many as have `max_samples` at most, and more only
        until there are `least`, which is never less than one.

        `seq` counts samples before `start`; needed only for batches without a header, as a Prometheus writes them.
        Raises LogDamaged when nothing can be read at `start`; later damage ends the slice before it.
        """

    def set_exemplar_limits(self, capacity: int, window: int) -> None:
        """Keep the last `capacity` exemplars of all series together, and take late ones within `window` ms."""

    @property
    def exemplar_count(self) -> int:
        """Exemplars kept."""

    def exemplars(
        self, matchers: Sequence[tuple[str, str, str]], mint: int, maxt: int
    ) -> list[tuple[dict[str, str], list[tuple[dict[str, str], float, int]]]]:
        """(series, its exemplars in [mint, maxt] ms as (labels, value, time)) of all series that match, by labels."""

    def metadata(self) -> dict[str, list[tuple[str, str, str]]]:
        """(type, unit, help) by metric name; several where series of one name disagree."""

    def forget_metadata(self) -> None:
        """Drop the metadata of series that are no longer in the head."""

    @property
    def seq(self) -> int:
        """Samples accepted over the store's life."""

    @property
    def series(self) -> int:
        """Series with samples."""

    @property
    def chunks(self) -> int:
        """Chunks of all series."""

    @property
    def min_time(self) -> int | None:
        """Time of the oldest sample, ms."""

    @property
    def max_time(self) -> int | None:
        """Time of the newest sample, ms."""

    @property
    def bytes(self) -> int:
        """Memory for labels and samples, without the index over them."""

@final
class Deletion:
    """Samples of a head that are to be deleted; its length is the number of series that have any."""

    def __len__(self) -> int: ...
    def commit(self) -> None:
        """Let no reader see them any more, once the record is durable."""

def stage_deletion(head: Head, matchers: Sequence[tuple[str, str, str]], mint: int, maxt: int) -> Deletion:
    """The visible samples in [mint, maxt] ms of the series that match. Raises ValueError for a bad matcher."""

@final
class LateCut:
    """What came out of order up to one moment, to be written into blocks."""

    @property
    def range(self) -> tuple[int, int] | None:
        """Oldest and newest sample, ms; None when there are none."""

    def forget(self) -> None:
        """Blocks have all of it: let it leave the head, which keeps what came since."""

def cut_late(head: Head) -> LateCut:
    """All that came out of order. Cheap: chunks are shared with the head."""

@final
class Cardinality:
    """The largest counts of each kind, the largest first."""

    @property
    def label_pairs(self) -> int:
        """Label names with a value, each counted once."""

    @property
    def series_by_metric(self) -> list[tuple[str, int]]:
        """Series by metric name."""

    @property
    def values_by_label(self) -> list[tuple[str, int]]:
        """Values by label name."""

    @property
    def bytes_by_label(self) -> list[tuple[str, int]]:
        """Bytes of the values of a label name in all series, as if none were shared."""

    @property
    def series_by_pair(self) -> list[tuple[str, int]]:
        """Series by `name=value`."""

def cardinality(head: Head, limit: int) -> Cardinality:
    """The `limit` largest counts of each kind of what is in memory."""

@final
class Framer:
    """Frames the records of one segment into pages of 32 KiB, for whoever owns the file."""

    def __new__(
        cls,
        offset: int,
        segment_size: int,
        compression: str = "snappy",
        *,
        zstd: Callable[[bytes], bytes] | None = None,
    ) -> Self:
        """Go on at byte `offset` of a segment of `segment_size`.

        `compression` is "none", "snappy" or "zstd"; the last needs an encoder, `zstd`. Raises ValueError for any other.
        """

    def add(self, staged: Staged) -> bool:
        """Frame a batch. False, and nothing done, when it does not fit the rest; an empty segment takes anything."""

    def add_tick(self, t: int) -> bool:
        """Frame a hold tick at `t` ms; False as for `add`."""

    def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Frame what a checkpoint has gathered, and let it forget that; False as for `add`."""
    def add_deletion(self, deletion: Deletion) -> bool:
        """Frame a deletion; False as for `add`."""

    def take(self) -> bytes:
        """The bytes framed since the last call; they end at `offset`."""

    @property
    def offset(self) -> int:
        """Offset after everything added."""

    def rewind(self, offset: int) -> None:
        """Forget what lies beyond `offset`, after a write that failed."""

@final
class Checkpoint:
    """What of some segments is still needed, being gathered. For one thread at a time."""

    def __new__(cls, mint: int, compression: str = "snappy") -> Self:
        """Of samples, exemplars and hold ticks keep those from `mint` ms on; of held series the value that stands."""

    def feed(self, head: Head, segment: _Buffer, start: int) -> int | None:
        """Read a piece of a segment from the batch boundary `start` on; where the next begins, None at the end.

        Segments come in log order, an older checkpoint's first. Raises LogDamaged; what came before is taken then.
        """

    def finish(self, events: Sequence[bytes] = ...) -> None:
        """Gather what stands at the end: metadata, how many samples the store had accepted, and `events`."""

    @property
    def series(self) -> int:
        """Series kept."""

    @property
    def samples(self) -> int:
        """Samples kept."""

    @property
    def samples_dropped(self) -> int:
        """Samples left out."""

def check_log(segment: _Buffer) -> None:
    """Check every checksum of a segment, without reading its records. Raises LogDamaged."""

def resume_log(segment: _Buffer, start: int, stop: int) -> int | None:
    """Where the next batch begins behind the boundary `start`, at which LogDamaged was raised; None: nowhere before
    `stop`."""

def log_hole(start: int, stop: int) -> bytes | None:
    """What to write over the damaged range between two batch boundaries, so that readers pass over it; None where that
    cannot be done."""

# -- blocks ------------------------------------------------------------------------------------------------------------

class BlockDamaged(ValueError):
    """A file of a block that cannot be read where a reader needs it. The text names file, offset and what is wrong."""

    damage: Damage
    """The same, in parts."""

@final
class Damage:
    """A range of a block's file that cannot be believed. `str()` has all of it in one line."""

    @property
    def file(self) -> str:
        """`index`, `chunks/000001`, `tombstones` or `held`."""

    @property
    def offset(self) -> int:
        """Where the range begins, bytes."""

    @property
    def length(self) -> int:
        """Bytes in the range; 0 for a place."""

    @property
    def reason(self) -> str:
        """What is wrong with it."""

@final
class BlockStats:
    """What is in a block, for its `meta.json`."""

    @property
    def series(self) -> int:
        """Series."""

    @property
    def chunks(self) -> int:
        """Chunks."""

    @property
    def samples(self) -> int:
        """Samples of both kinds."""

    @property
    def float_samples(self) -> int:
        """Samples of chunks of floats."""

    @property
    def histogram_samples(self) -> int:
        """Samples of chunks of native histograms."""

    @property
    def min_time(self) -> int | None:
        """Time of the first sample, ms; None without samples."""

    @property
    def max_time(self) -> int | None:
        """Time of the last sample, ms, inclusive: `maxTime` of `meta.json` is later."""

@final
class Block:
    """An immutable block in Prometheus' format. Its files stay mapped as long as it, or anything read from it, lives:
    `mmap.close()` raises BufferError meanwhile. Nobody may write to them."""

    def __new__(
        cls,
        index: _Buffer,
        chunks: Sequence[_Buffer],
        tombstones: _Buffer | None = None,
        held: _Buffer | None = None,
    ) -> Self:
        """Open a block from its files, `chunks` in the order of their names. Raises BlockDamaged.

        Symbols and label pairs are checked here; series and chunks when they are read, each against its checksum.
        """

    @property
    def series(self) -> int:
        """Series. Raises BlockDamaged when their list is."""

    @property
    def symbols(self) -> int:
        """Label names and values, each counted once."""

    @property
    def label_pairs(self) -> int:
        """Label names with a value, each counted once."""

    @property
    def tombstones(self) -> int:
        """Intervals that are deleted, over all series."""

    def delete(self, matchers: Sequence[tuple[str, str, str]], mint: int, maxt: int) -> tuple[bytes, int] | None:
        """The file `tombstones` with [mint, maxt] ms of the matching series in it, and how many intervals it has.

        Intervals are clamped to the times of the chunks; None when nothing more is deleted. Raises BlockDamaged,
        and ValueError for a bad matcher.
        """

    @property
    def bytes(self) -> int:
        """Of the index and the chunk files."""

    def label_names(self) -> list[str]:
        """All label names, ascending."""

    def label_values(self, name: str) -> list[str]:
        """All values of a label name, ascending; empty when no series has it."""

@final
class Verification:
    """What was found when every byte of a block was read."""

    @property
    def damage(self) -> list[Damage]:
        """Ranges that cannot be believed, by file and offset; empty for a sound block."""

    @property
    def omitted(self) -> int:
        """Ranges found beyond those in `damage`, of which there are at most 10,000."""

    @property
    def stats(self) -> BlockStats:
        """What is there without the damaged parts, counted sample by sample."""

    @property
    def crossing_chunks(self) -> int:
        """Chunks on both sides of a multiple of two hours. Prometheus reads them, though its head never writes them."""

def verify_block(
    index: _Buffer,
    chunks: Sequence[_Buffer],
    tombstones: _Buffer | None = None,
    held: _Buffer | None = None,
) -> Verification:
    """Read every byte of a block, whatever is in it: checksums, order, references, samples. Arguments as for Block.

    Never raises for damage, and goes on behind it where the format allows it.
    """

# -- queries and compaction --------------------------------------------------------------------------------------------

class QueryLimit(ValueError):
    """A query that would take more than it may. Nothing beyond the limit was read."""

    what: str
    """"series", "samples" or "bytes"."""

    limit: int
    """How much it may take, all selectors together."""

class QueryFailed(ValueError):
    """What is stored cannot be read. The text names block, file, offset and what is wrong."""

_NamedBlock = tuple[Block, int, int, str]
"""A block, the times that it is of ([from, before) ms), and its name for errors."""

@final
class Query:
    """Selectors, and what a head had of them at one moment: all of them see each batch whole or not at all.

    The head's lock is held to collect chunks, not to read them. Used up by the first method that reads.
    """

    def __new__(
        cls,
        head: Head | None,
        selectors: Sequence[tuple[Sequence[tuple[str, str, str]], int, int, bool]],
        *,
        max_series: int = 0,
    ) -> Self:
        """`selectors` are (matchers, mint, maxt, held).

        That is: samples in [mint, maxt] ms of the series that all matchers want, with pushed values repeated at hold
        ticks or not. Raises QueryLimit, and ValueError for a bad matcher.
        """

    def select(
        self,
        blocks: Sequence[_NamedBlock],
        *,
        max_series: int = 0,
        max_samples: int = 0,
        max_bytes: int = 0,
        ordered: bool = True,
    ) -> list[Columns]:
        """The samples of each selector. Limits are for all of them together; 0 sets none. Unless `ordered`, series
        come in the order that takes least time.

        `blocks` must be those in use when the head was asked, or later: so what has left the head is in one of them.
        Raises QueryLimit, QueryFailed.
        """

    def series(self, blocks: Sequence[_NamedBlock], *, max_series: int = 0) -> list[dict[str, str]]:
        """The label sets that any selector finds, in order; no sample is read. Raises QueryLimit, QueryFailed."""

    def listing(self, blocks: Sequence[_NamedBlock], *, limit: int = 0, max_series: int = 0) -> tuple[bytes, bool]:
        """The label sets that any selector finds, in order, as a JSON array of objects: at most `limit` of them, 0
        for all, and whether there are more. Raises QueryLimit, QueryFailed."""

    def federate(
        self,
        blocks: Sequence[_NamedBlock],
        external: Sequence[tuple[str, str]],
        format: str,
        escaping: str,
        *,
        max_series: int = 0,
    ) -> Federation:
        """The newest sample of each series that any selector finds, as `text` or `protobuf`, names escaped as for
        `PushTable.render`; series that have ended are left out.

        Series get those `external` labels whose names they don't have. Raises QueryLimit, QueryFailed, and ValueError
        for another format.
        """

    def dump(self, blocks: Sequence[_NamedBlock]) -> Dump:
        """The samples of the one selector as `promtool tsdb dump` prints them, series by labels. Raises QueryFailed."""

    def export(self, blocks: Sequence[_NamedBlock], format: str) -> Export:
        """The samples of the one selector as `openmetrics`, `line-protocol` (in ms) or `jsonl`, series by labels.

        Raises QueryFailed, and ValueError for another format.
        """

class ReadRequestError(ValueError):
    """A body that is no remote-read request."""

def read_request(body: _Buffer, limit: int) -> tuple[list[tuple[int, int, list[tuple[str, str, str]]]], list[int]]:
    """A snappy block with a `ReadRequest` of at most `limit` bytes: (mint, maxt, matchers) of each query, times in ms
    and inclusive, and the accepted response types. Raises ReadRequestError."""

@final
class ChunkRead:
    """Frames of chunks under way: an iterator over pieces of some 512 KiB. Raises QueryFailed."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

def read_chunks(
    query: Query, blocks: Sequence[_NamedBlock], number: int, external: Sequence[tuple[str, str]]
) -> ChunkRead:
    """The chunks of the one selector as frames of `ChunkedReadResponse`, series by labels, `external` ones added.

    They may have samples before and behind what was asked for. `number` is the place of the query in the request.
    Raises QueryFailed.
    """

@final
class SampleRead:
    """Samples under way: an iterator over compressed pieces of some 512 KiB raw. Raises QueryFailed, QueryLimit."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...
    @property
    def length(self) -> int:
        """Bytes so far, before they were compressed."""

def read_samples(
    query: Query, blocks: Sequence[_NamedBlock], external: Sequence[tuple[str, str]], *, max_samples: int = 0
) -> SampleRead:
    """The samples of the one selector as the insides of a `QueryResult`, series by labels, `external` ones added.

    Each piece is a part of a snappy block; 0 sets no limit. Raises QueryFailed.
    """

def read_heads(lengths: Sequence[int]) -> tuple[bytes, list[bytes]]:
    """What makes pieces of `read_samples` a `ReadResponse`: what stands before all, and before those of each result.

    `lengths` are those of the results. Raises ValueError when that is more than a snappy block can be.
    """

@final
class Export:
    """An export under way: an iterator over pieces of some 256 KiB. Raises QueryFailed."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...
    @property
    def unrepresentable(self) -> list[tuple[str, int]]:
        """How many samples so far the format could not carry, by reason."""

@final
class Federation:
    """Newest samples under way: an iterator over pieces of some 256 KiB, of whole lines or messages."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class Pattern:
    """A regular expression in Go's syntax that has to match the whole of a text; in time linear in it."""

    def __new__(cls, text: str) -> Self:
        """Compile it. Raises ValueError."""

    def matches(self, text: str) -> bool:
        """Whether it matches `text`."""

@final
class Dump:
    """A dump under way: an iterator over pieces of some 256 KiB. Raises QueryFailed."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class Columns:
    """Series by their labels; the floats of all of them one behind the other, those of a series in order of time.

    The columns are the bytes of numbers of eight bytes in the machine's order, read-only, and not copied.
    """

    def __len__(self) -> int:
        """Series."""

    def labels(self, series: int) -> dict[str, str]:
        """Label names, sorted, and their values. Raises IndexError."""

    def packed(self, series: int) -> bytes:
        """The label set as a key: equal sets are equal bytes. Raises IndexError."""

    def histograms(self, series: int) -> list[tuple[int, Histogram]]:
        """Native histograms with their times, ms. Raises IndexError."""

    @property
    def timestamps(self) -> memoryview:
        """int64: times of all floats, ms."""

    @property
    def values(self) -> memoryview:
        """float64: all floats."""

    @property
    def offsets(self) -> memoryview:
        """int64, one more than series: the floats of series n are at offsets[n] up to offsets[n + 1]."""

    def series(self) -> list[Series]:
        """The same as one object a series, for few samples."""

    @property
    def samples(self) -> int:
        """Floats and histograms."""

    @property
    def nbytes(self) -> int:
        """Memory, about."""

@final
class FloatHistogram:
    """A native histogram in a query: counts are floats. It never changes."""

    @staticmethod
    def from_stored(stored: Histogram) -> FloatHistogram:
        """The stored histogram as queries see it."""

    @staticmethod
    def from_classic(buckets: Sequence[tuple[float, float]], count: float | None, sum: float) -> FloatHistogram:
        """A classic histogram as one with custom buckets: (upper bound, observations up to it) of each bucket, in any
        order. Raises ValueError for counts that no classic histogram has."""

    def stored(self) -> Histogram:
        """As it is stored."""

    @property
    def reset_hint(self) -> str:
        """Whether a counter was reset before it: "unknown", "reset", "not_reset" or "gauge"."""

    def with_reset_hint(self, hint: str) -> FloatHistogram:
        """The same with another hint. Raises ValueError for an unknown one."""

    @property
    def schema(self) -> int:
        """Resolution: -4 to 8, or -53 for bounds of its own."""

    @property
    def zero_threshold(self) -> float:
        """Width of the zero bucket."""

    @property
    def zero_count(self) -> float:
        """Observations in the zero bucket."""

    @property
    def count(self) -> float:
        """Observations."""

    @property
    def sum(self) -> float:
        """Sum of the observations."""

    @property
    def positive(self) -> list[tuple[int, float]]:
        """(index, observations) of each bucket above zero, or of all custom ones, ascending."""

    @property
    def negative(self) -> list[tuple[int, float]]:
        """Likewise of those below zero, whose indices count away from it."""

    @property
    def custom_bounds(self) -> list[float]:
        """Upper bounds of custom buckets, without +Inf."""

    @property
    def weight(self) -> int:
        """Float samples that it counts as in limits and statistics."""

    def compacted(self) -> FloatHistogram:
        """Without empty buckets."""

    def same(self, other: FloatHistogram) -> bool:
        """Equal to the bit, empty buckets included, hints not."""

    def literal(self) -> str:
        """`{{schema:1 count:9 sum:5.5 buckets:[3 0 4]}}`: what `parse_histogram_literal` reads."""

    def json(self) -> bytes:
        """`{"count":"9","sum":"5.5","buckets":[[0,"1","2","9"]]}`, as the query API shows it."""

def parse_histogram_literal(text: str) -> tuple[FloatHistogram, bool]:
    """One `{{...}}` of the test language; whether it tells a counter reset hint. Raises ValueError with the byte."""

def parse_histogram_sequence(text: str, *, limit: int) -> tuple[list[FloatHistogram], bool]:
    """The samples of `{{a}}`, `{{a}}xn`, `{{a}}+{{b}}xn` or `{{a}}-{{b}}xn`, `limit` at most; whether the last literal
    tells a counter reset hint. Raises ValueError with the byte."""

@final
class Histogram:
    """A native histogram. Integer counts come as floats too, buckets as they are, not as differences."""

    @property
    def reset_hint(self) -> str:
        """Whether a counter was reset before it: "unknown", "reset", "not_reset" or "gauge"."""

    @property
    def schema(self) -> int:
        """Resolution: -4 to 8, or -53 for bounds of its own."""

    @property
    def is_float(self) -> bool:
        """Its counts may be parts of observations."""

    @property
    def is_stale(self) -> bool:
        """It marks the end of its series."""

    @property
    def zero_threshold(self) -> float:
        """Width of the zero bucket."""

    @property
    def sum(self) -> float:
        """Sum of the observations."""

    @property
    def count(self) -> float:
        """Observations."""

    @property
    def zero_count(self) -> float:
        """Observations in the zero bucket."""

    @property
    def positive_spans(self) -> list[tuple[int, int]]:
        """(gap to the previous span, buckets in this one)."""

    @property
    def negative_spans(self) -> list[tuple[int, int]]:
        """As `positive_spans`."""

    @property
    def positive_buckets(self) -> list[float]:
        """Counts in the order of the spans."""

    @property
    def negative_buckets(self) -> list[float]:
        """As `positive_buckets`."""

    @property
    def custom_bounds(self) -> list[float]:
        """Upper bounds for schema -53, without the last one, which is +Inf."""

def label_names(
    head: Head | None, blocks: Sequence[_NamedBlock], matchers: Sequence[tuple[str, str, str]], *, limit: int = 0
) -> list[str]:
    """Sorted label names of the series that match, at most `limit`.

    Raises QueryFailed, and ValueError for a bad matcher.
    """

def label_values(
    head: Head | None,
    blocks: Sequence[_NamedBlock],
    name: str,
    matchers: Sequence[tuple[str, str, str]],
    *,
    limit: int = 0,
) -> list[str]:
    """Sorted values that a label has in the series that match. Otherwise as `label_names`."""

class CompactionFailed(ValueError):
    """Inputs that cannot be made one block."""

    input: int | None
    """The place of the one that cannot be read, counted from 0; None when it is none of them alone."""

@final
class BlockBuilder:
    """One block made of others and of memory, in steps.

    Where inputs have a sample of one time it is kept once, as Prometheus keeps it: give them by their first time, the
    head last. What is deleted in an input does not come back. In memory are at any time one series' chunks of each
    input and what the index needs; of a head all chunks of the range, shared with it.
    """

    def __new__(
        cls,
        inputs: Sequence[Block | Head | LateCut],
        mint: int,
        maxt: int,
        *,
        matchers: Sequence[tuple[str, str, str]] = ...,
        segment_size: int = 512 << 20,
    ) -> Self:
        """A block of [mint, maxt) ms of the series that match; `segment_size` bounds a chunk file.

        Raises CompactionFailed, and ValueError for a bad matcher.
        """

    def step(self, max_bytes: int) -> list[tuple[int, bytes]] | None:
        """The next pieces, about `max_bytes` in all; None when everything is there.

        Each has the number of its chunk file, from 1, or 0 for the index, and goes behind what is in that file. Raises
        CompactionFailed.
        """

    @property
    def held(self) -> bytes | None:
        """The file `held`, at the end; None when no series is held."""

    @property
    def stats(self) -> BlockStats:
        """What is in it, at the end."""

# -- line protocol -----------------------------------------------------------------------------------------------------

class LineError(ValueError):
    """A body with lines that are no line protocol. The text names each: `unable to parse '<line>': <why> (line
    <n>)`."""

class LabelsTooLong(ValueError):
    """A body whose labels, repeated for each field of a point, are more than the limit."""

@final
class LineMapping:
    """How samples become lines."""

    def __new__(
        cls,
        name: str = "prom-value",
        *,
        histograms: str = "buckets",
        non_finite: str = "omit",
        sentinel: float = ...,
        stale: str = "omit",
    ) -> Self:
        """The schema `name` ("prom-value", "influx1-compat", "telegraf-rw", "telegraf-v1", "telegraf-v2", "otel-v1").

        `histograms`: native ones become what the schema makes of them ("buckets"), one line with all there is to know
        ("lossless"), or nothing ("omit"). `non_finite`: NaN and infinities become nothing ("omit"), a field
        `<field>_text` ("text"), or `sentinel` and the largest numbers ("sentinel"). `stale`: stale markers become
        nothing ("omit") or a field `<field>_stale` ("marker"). Raises ValueError.
        """

@final
class Lines:
    """Lines of line protocol, addressable one by one.

    A line stands for one sample, for several that are fields of one point, or for none where it goes with another.
    """

    @staticmethod
    def from_text(text: _Buffer) -> Lines:
        """Finished lines, separated by newlines; blank ones are left out."""

    def __len__(self) -> int:
        """How many lines."""

    @property
    def body(self) -> bytes:
        """All lines, each ended by a newline. Each access makes a new object."""

    @property
    def view(self) -> memoryview:
        """The same bytes where they are, which stay there as long as the view does."""

    @property
    def size(self) -> int:
        """Length of `body`."""

    @property
    def newest(self) -> int | None:
        """Time of the newest sample, ms; None when there is none, and for lines that were not encoded here."""

    @property
    def unrepresentable(self) -> dict[str, int]:
        """Samples that gave no line, by reason.

        Reasons: "nan", "inf", "stale", "native_histogram", "time_range", "unknown_series",
        "unchanged", "expired", "filtered". Stays with the whole: parts have none.
        """

    @property
    def samples(self) -> int:
        """How many samples all lines stand for."""

    def weight(self, index: int) -> int:
        """How many samples a line stands for. Raises IndexError."""

    def singly(self) -> Lines:
        """The same samples, none of them in one line with another."""

    def line(self, index: int) -> bytes:
        """One line, without its newline. Raises IndexError."""

    def series(self, index: int) -> bytes:
        """What names the series of a line: measurement and tags, as written. Raises IndexError."""

    @staticmethod
    def concat(parts: Sequence[Lines]) -> Lines:
        """Lines of several, one after the other; what was unrepresentable stays with the wholes."""

    def slice(self, start: int, stop: int) -> Lines:
        """Lines `start` to `stop`, as far as there are any."""

    def fit(self, start: int, max_lines: int, max_bytes: int) -> int:
        """How many lines from `start` on stay within both bounds: at least one while there is any."""

    def split_by_series(self, series: set[bytes]) -> tuple[Lines, Lines]:
        """(lines of these series, all others), in order."""

    def split_by_text(self, lines: set[bytes]) -> tuple[Lines, Lines]:
        """(these very lines, all others), in order."""

@final
class LineTally:
    """Points of lines by measurement, field and stretch of time, each point once: what a sink that has them counts."""

    def __new__(cls, width: int) -> Self:
        """Stretches of `width` ms begin at multiples of it."""

    def add(self, lines: Lines) -> None:
        """Count the points of lines with times in ms; what is no such line is left out."""

    def forget_points(self) -> None:
        """Forget which points were counted, when none of them can come again: memory grows with them."""

    @property
    def counts(self) -> list[tuple[str, str, int, int]]:
        """(measurement, field, start in ms, points), in order, names as the sink has them."""

@final
class SinkView:
    """What a sink shows: at each time the number of its last point of a series and field, for `heartbeat` ms."""

    def __new__(cls, heartbeat: int, width: int) -> Self:
        """A sink without points; what is counted is told by stretches of `width` ms, which begin at multiples of it."""

    def hold(
        self, measurement: str, tags: list[tuple[str, str]], field: str, times: list[int], values: list[float]
    ) -> None:
        """The sink has these points of a series, at ms; NaN is what is no number. Earlier ones are said before."""

    def refuse(self, lines: Lines) -> None:
        """The sink has refused these: they are not counted."""

    def count_unchanged(self, lines: Lines) -> None:
        """Count those stored points, with times in ms, that the sink has not and shows all the same."""

    def move_on(self) -> None:
        """What comes from now on is later: forget all that the sink has but what it shows last."""

    @property
    def unchanged(self) -> list[tuple[str, str, int, int]]:
        """(measurement, field, start in ms, points) of what was counted, in order."""

@final
class Unchanged:
    """What was last sent of each series, for a sink that is sent the same value only now and then.

    What was sent counts once the sink has answered for all of its piece; within a piece, at once.
    """

    def __new__(cls, heartbeat: int, reached: int | None = None) -> Self:
        """The same value is sent again after `heartbeat` ms.

        Nothing is known at first, but that samples were sent before up to the time `reached`, ms, if any were.
        """

    def begin(self) -> Told:
        """What is encoded from now on is of another piece: to be given to `encode_lines` with it."""

    def forget_all(self) -> None:
        """The sink is sent other things of these series too, or all again."""

@final
class Told:
    """What one piece of the log tells a sink: to be kept until the sink has answered. Made by `Unchanged`."""

    def taken(self) -> None:
        """The sink has all that was sent of the piece. Pieces are said so in log order, or never."""

def encode_lines(
    head: Head,
    slice: LogSlice,
    mapping: LineMapping,
    route: Route,
    *,
    oldest: int | None = None,
    told: Told | None = None,
    whole: bool = False,
    exemplars: bool = False,
) -> Lines:
    """The lines of a slice, of series that `route` sends.

    With `told` samples are left out that the sink needs not be sent; slices must come in log order then. Behind a
    sample that came late, the next one that `head` has is sent again, as a line that stands for no sample. `whole`:
    the same piece once more, for a sink that has not taken all of it: nothing is left out, and all comes again that may
    have been left out behind samples that came late.

    Samples before `oldest` ms are left out too. What kind of metric a series is of, where the mapping wants to know, is
    what `head` was told. Lines of `exemplars` stand for no sample.
    """

def encode_columns(
    columns: Columns,
    start: int,
    stop: int,
    mapping: LineMapping,
    route: Route,
    *,
    head: Head | None = None,
    oldest: int | None = None,
) -> Lines:
    """The lines of samples `start` to `stop` of columns, counted through the floats of all series and then through the
    histograms; as `encode_lines`."""

def metadata_lines(head: Head, route: Route, time: int) -> Lines:
    """Type, unit and help of each metric of which `route` sends series, told at `time` ms: `prom_metadata,metric=name
    type="counter",unit="",help="..."`. The lines stand for no sample."""

def pattern_matches_empty(pattern: str) -> bool:
    """True when the pattern of a matcher matches "". Raises ValueError for a bad pattern."""

def parse_lines(body: _Buffer, precision: str, now_ms: int, max_label_bytes: int) -> tuple[Batch, int]:
    """The samples of a body, and how many text fields were skipped.

    `precision` is one of "", "n", "ns", "u", "us", "ms", "s", "m", "h"; points without a time get `now_ms`. Raises
    LineError when any line is bad, LabelsTooLong, and ValueError for another precision.
    """

# -- OTLP --------------------------------------------------------------------------------------------------------------

class OtlpError(ValueError):
    """A body that is no OTLP request; of JSON the text says what is wrong, and where."""

@final
class OtlpDecoder:
    """A way of translating OTLP metrics, and the deltas that it has added up so far. For any thread."""

    def __new__(
        cls,
        *,
        escape: bool,
        suffixes: bool,
        promote_all: bool,
        promote: Sequence[str],
        keep_identifying: bool,
        custom_buckets: bool,
        scope_metadata: bool,
        key_before_underscore: bool,
        keep_underscores: bool,
        delta_to_cumulative: bool,
        start_samples: bool = False,
        lookback_ms: int = 300_000,
    ) -> Self:
        """Settings as Prometheus' section `otlp` has them.

        Names are escaped to legacy ones, and get `suffixes` for unit and type. `promote` are resource attributes that
        become labels, with `promote_all` those that do not. `start_samples` adds a sample of 0 where counters began.
        `target_info` is repeated so that queries which look back `lookback_ms` find it.
        """

    def decode(
        self, body: _Buffer, now_ms: int, *, json: bool, max_label_bytes: int
    ) -> tuple[Batch, int, int, list[str]]:
        """(samples as a partial batch, points that came, points that were left out, why the first of them were).

        Raises OtlpError and LabelsTooLong.
        """

    @property
    def delta_streams(self) -> int:
        """Series whose deltas are added up."""

# -- remote write ------------------------------------------------------------------------------------------------------

class WriteRefused(ValueError):
    """A remote-write request of which nothing is taken."""

    reason: str
    """One of "malformed", "too_many_samples", and for 1.0 "out_of_bounds", "histogram"."""

def snappy_length(body: _Buffer) -> int:
    """How much comes out of a block, as its header says. Raises ValueError when it is none, or promises more than it
    can hold."""

@final
class WriteRules:
    """How requests are read; a limit of 0 is none."""

    def __new__(
        cls,
        *,
        max_samples: int = 0,
        max_labels: int = 0,
        max_label_name: int = 0,
        max_label_value: int = 0,
        replicas: tuple[str, str] | None = None,
        start_samples: bool = False,
    ) -> Self:
        """`max_samples` bounds samples, series, exemplars and metadata of a request, each; names and values are
        measured in bytes. `replicas` are the labels that tell a cluster of senders and its replicas; the second one is
        taken off. With `start_samples` a start time becomes a sample of 0, once.
        """

@final
class WriteMessage:
    """A request, decompressed."""

    @staticmethod
    def open(body: _Buffer, version: int, limit: int) -> WriteMessage:
        """A snappy block with a message of version 1 or 2. Raises TooLong above `limit` bytes, which is known before
        anything is decompressed, and ValueError when damaged."""

    def replicas(self, rules: WriteRules) -> list[tuple[str, str]]:
        """(cluster, replica) of all series that have both, each once. Raises WriteRefused."""

    def decode(
        self,
        head: Head,
        rules: WriteRules,
        *,
        newest: int,
        unheard: Sequence[tuple[str, str]] | None = None,
        fresh: bool = False,
    ) -> DecodedWrite:
        """The samples as a batch for `head`, in which it finds the series again that it knows; with `fresh` all are
        named.

        Samples later than `newest` (ms) are out of bounds. Series of `unheard` replicas are left out. Raises
        WriteRefused when the message cannot be read, and in version 1 for a sample that cannot be stored.
        """

@final
class DecodedWrite:
    """A request as the head takes it. Counts are (float samples, histogram samples, exemplars)."""

    @property
    def batch(self) -> Batch:
        """The samples. In version 2 it is a partial one."""

    @property
    def is_empty(self) -> bool:
        """There is nothing to store."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """What is in the batch."""

    @property
    def unheard(self) -> tuple[int, int, int]:
        """What was left out with its replica."""

    @property
    def left_out(self) -> dict[str, tuple[int, int, int]]:
        """What else was left out, by reason: "labels", "symbols", "max_labels", "max_label_name", "max_label_value",
        "no_samples", "out_of_bounds", "histogram", "exemplar"."""

    @property
    def errors(self) -> int:
        """Mistakes that the sender is to be told of."""

    @property
    def texts(self) -> list[str]:
        """The first ten of them."""

# -- remote write ------------------------------------------------------------------------------------------------------

@final
class RelabelRule:
    """A relabelling rule, checked and compiled; fields and defaults are those of Prometheus' `relabel_config`."""

    def __new__(
        cls,
        *,
        action: str = "replace",
        source_labels: Sequence[str] = ...,
        separator: str = ";",
        regex: str = "(.*)",
        modulus: int = 0,
        target_label: str = "",
        replacement: str = "$1",
    ) -> RelabelRule:
        """Raises ValueError, in Prometheus' words, when this is no rule."""

def relabel(labels: dict[str, str], rules: Sequence[RelabelRule]) -> dict[str, str] | None:
    """The labels after all rules, sorted by name; None when a rule drops them. Raises ValueError for an empty name."""

@final
class Route:
    """Which series one sink is sent, and under which labels. Remembers what it found of each series of the log."""

    def __new__(
        cls,
        *,
        wanted: Sequence[Sequence[tuple[str, str, str]]] = ...,
        external_labels: Sequence[tuple[str, str]] = ...,
        rules: Sequence[RelabelRule] = ...,
    ) -> Route:
        """Series that meet all matchers of any selector in `wanted` (of none: all series), with `external_labels` where
        they have no label of that name, as `rules` change them. Raises ValueError for a bad matcher."""

@final
class Outbound:
    """Samples for a remote-write receiver, those of a series together and oldest first."""

    @staticmethod
    def from_lines(lines: Sequence[str]) -> Outbound:
        """What lines as `line` gives them stand for. Raises ValueError for any other text."""

    def __len__(self) -> int:
        """How many."""

    @property
    def size(self) -> int:
        """Bytes of a message with them before compression, about."""

    @property
    def newest(self) -> int | None:
        """Time of the newest one, ms; None when there is none."""

    @property
    def unrepresentable(self) -> dict[str, int]:
        """Samples that were left out, by reason.

        Reasons: "filtered", "native_histogram", "custom_buckets", "sample_age_limit", "unknown_series". Stays with the
        whole: parts have none.
        """

    @property
    def exemplars(self) -> int:
        """How many exemplars go with them."""

    def line(self, index: int) -> bytes:
        """`name{label="value",...} value ms`, which `from_lines` reads. Raises IndexError."""

    def series(self, index: int) -> bytes:
        """Its labels as Go prints them, which is how Prometheus names series in errors. Raises IndexError."""

    @staticmethod
    def concat(parts: Sequence[Outbound]) -> Outbound:
        """Samples of several, those of a series in the order of the parts; what was left out stays with the wholes."""

    def slice(self, start: int, stop: int) -> Outbound:
        """Samples `start` to `stop`, as far as there are any."""

    def fit(self, start: int, max_samples: int, max_bytes: int) -> int:
        """How many samples from `start` on stay within both bounds: at least one while there is any."""

    def shards(self, count: int) -> list[Outbound]:
        """The same in `count` parts, each series in one of them, which is the same one for the same route and count."""

    def split_newest(self) -> tuple[Outbound, Outbound]:
        """(the newest sample of each series, all others), in order."""

    def split_by_series(self, series: set[bytes]) -> tuple[Outbound, Outbound]:
        """(samples of these series, all others), in order."""

    def split_by_text(self, lines: set[bytes]) -> tuple[Outbound, Outbound]:
        """(samples with these lines, all others), in order."""

    def message(self, version: int) -> bytes:
        """The body of a request: a snappy block with a message of remote write 1.0 (1) or 2.0 (2).

        The last one that was made is kept.
        """

    def made(self, version: int) -> bytes | None:
        """The same, if it is kept."""

@final
class OutboundMetadata:
    """Type, unit and help of every metric that a head was told of, by name, for remote write 1.0."""

    def __new__(cls, head: Head) -> OutboundMetadata:
        """As they are now."""

    def __len__(self) -> int:
        """How many metrics."""

    @property
    def size(self) -> int:
        """Bytes of a message with them before compression, about."""

    def part(self, start: int, max_metrics: int, max_bytes: int) -> OutboundMetadata:
        """Metrics from `start` on, as many as fit both bounds: at least one while there is any."""

    def message(self) -> bytes:
        """The body of a request: a snappy block with a message of metadata alone."""

@final
class SampleTally:
    """Samples by metric and stretch of time, as a receiver counts them with PromQL: stale markers not at all."""

    def __new__(cls, width: int) -> SampleTally:
        """A tally of stretches of `width` ms, which begin at multiples of it."""

    def add(self, samples: Outbound) -> None:
        """Count samples; one that was counted already is the same one."""

    def forget_points(self) -> None:
        """What comes from now on is later than all that came."""

    @property
    def counts(self) -> list[tuple[str, str, int, int]]:
        """(metric, "", start of the stretch in ms, samples), in order."""

def select_slice(
    head: Head, slice: LogSlice, route: Route, *, version: int, histograms: bool, exemplars: bool, since: int
) -> Outbound:
    """What a sink is sent of a slice: samples from `since` ms on, native `histograms` and `exemplars` if they are
    wanted. Metadata goes with each series in `version` 2."""

def select_columns(
    columns: Columns, start: int, stop: int, route: Route, *, version: int, histograms: bool, since: int
) -> Outbound:
    """The same of samples `start` to `stop` of columns, counted through the floats of all series and then through the
    histograms."""

# -- push groups -------------------------------------------------------------------------------------------------------

class ParseError(ValueError):
    """A body that is not in the format that it claims; the text is the parser's of the peer."""

class PushRefused(ValueError):
    """A push that is not taken. `args` are (kind, text), kind one of "inconsistent", "timestamps",
    "timestamp_range", "groups", "series"."""

@final
class Families:
    """The metric families of one body; used up by the push that takes them."""

    def __len__(self) -> int:
        """Families."""

    @property
    def metrics(self) -> int:
        """Metrics in all families."""

class TooManyMetrics(ValueError):
    """A body with more metrics than the limit; nothing beyond it was read."""

def parse_families(body: _Buffer, format: str, *, utf8: bool, lenient: bool, max_metrics: int = 0) -> Families:
    """Parse a body; `format` is "text", "openmetrics" or "protobuf".

    Raises ParseError, and TooManyMetrics above `max_metrics` (0: no limit), where buckets and quantiles count like
    metrics: a body never has fewer series than that.
    """

@final
class PushTicket:
    """A staged change of one group."""

    @property
    def batch(self) -> Batch:
        """What makes it durable: the group's samples, stale markers for series that end, the change as event."""

    def commit(self) -> None:
        """Show the change to readers; in the order of staging. Raises RuntimeError when it is settled already."""

    def rollback(self) -> None:
        """Take it back; newest first. Raises RuntimeError when it is settled already."""

@final
class Page:
    """The page of all push groups under way: an iterator over pieces of some 256 KiB."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class PushTable:
    """All push groups. Staged changes count for the next push at once; readers see them when they are committed."""

    def __new__(cls, max_groups: int = 0, max_series: int = 0) -> Self:
        """An empty table; 0 sets no limit."""

    def set_limits(self, max_groups: int, max_series: int) -> None:
        """Change the limits; groups that are there stay."""

    def reserve(self, own: _Buffer) -> None:
        """Keep the names in an exposition of own metrics for their types. Raises ParseError."""

    @property
    def groups(self) -> int:
        """Groups."""

    @property
    def series(self) -> int:
        """Series of all groups."""

    def stage(
        self,
        key: Sequence[tuple[str, str]],
        families: Families,
        *,
        now: int,
        ttl: int,
        replace: bool,
        merge_series: bool = False,
        oldest: int | None = None,
        newest: int | None = None,
    ) -> PushTicket:
        """Stage a push at `now` (ms): `replace` makes it all that the group holds, `merge_series` keeps other
        metrics of a
        pushed family. `ttl` (ms) is the group's from now on, 0 for ever. Samples' own times are refused unless
        `oldest` and `newest` (ms) are given. Raises PushRefused, and then nothing has changed."""

    def stage_failure(self, key: Sequence[tuple[str, str]], now: int, ttl: int) -> PushTicket | None:
        """Stage the memory of a refused push; None when there is no room for a new group."""

    def stage_delete(self, key: Sequence[tuple[str, str]], now: int) -> PushTicket | None:
        """Stage the end of a group; None when there is none."""

    def expired(self, now: int) -> list[list[tuple[str, str]]]:
        """Keys of the groups whose time to live is over at `now` ms."""

    def matching(self, selectors: Sequence[Sequence[tuple[str, str, str]]]) -> list[list[tuple[str, str]]]:
        """Keys that meet all of (label name, operator, value) of any selector; all keys when there is no selector.
        Raises ValueError for a bad regular expression."""

    def recover(self, change: _Buffer) -> None:
        """Queue a change that was found in the projection or in the log, oldest first. Raises ValueError when
        damaged."""

    def finish_recovery(self) -> int:
        """Apply what was queued; how many groups there are. Raises ValueError when damaged."""

    def take_dirty(self) -> list[tuple[bytes, bytes | None]]:
        """(key, state) of each group that changed since the last call; state None for one that is gone. A state can
        be given to `recover`."""

    def render(self, own: _Buffer, *, format: str, escaping: str, names: Sequence[str] | None = None) -> Page:
        """The page of all groups as they are now, merged with an exposition of own metrics.

        `format` is "text", "openmetrics" or "protobuf", `escaping` "allow-utf-8", "underscores", "dots" or "values";
        only the families in `names`, if given.
        """

    def api_json(self) -> bytes:
        """The array that `GET /api/v1/metrics` gives as `data`."""

# -- request bodies ----------------------------------------------------------------------------------------------------

class TooLong(ValueError):
    """More comes out of a compressed body than its limit; nothing beyond the limit was inflated."""

def gunzip(data: _Buffer, limit: int) -> bytes:
    """All members of a gzip body. Raises TooLong above `limit` bytes, ValueError with Go's text when damaged."""

def unsnappy_framed(data: _Buffer, limit: int) -> bytes:
    """A body in snappy's stream format. Raises TooLong above `limit` bytes, ValueError when damaged."""

# -- backfill ----------------------------------------------------------------------------------------------------------

class BadText(ValueError):
    """A line of a text that cannot be read. The text names it."""

    line: int
    """From 1."""
    reason: str
    """Why, and the line's beginning."""

@final
class Backfill:
    """A text on its way into blocks: it is read in pieces, its samples are kept compressed by window (a stretch of time
    that becomes a block), and windows are taken out when memory runs short or the text ends."""

    @staticmethod
    def openmetrics(block_range: int) -> Backfill:
        """For OpenMetrics text with a timestamp on each sample. Windows begin at multiples of `block_range` ms."""

    @staticmethod
    def line_protocol(block_range: int, precision: str, now_ms: int) -> Backfill:
        """For InfluxDB line protocol; lines without a timestamp are of `now_ms`. Raises ValueError for a precision that
        does not exist."""

    def feed(self, data: _Buffer) -> None:
        """Read on; a piece may end anywhere. Raises BadText, and is of no use after that."""

    def finish(self) -> None:
        """The text has ended. Raises BadText, also when OpenMetrics text does not end with `# EOF`."""

    @property
    def bytes(self) -> int:
        """Memory in use, roughly."""

    @property
    def skipped(self) -> int:
        """Text fields of line protocol so far, which are no samples."""

    def windows(self) -> list[tuple[int, int]]:
        """Start in ms and bytes of each window, oldest first."""

    def take(self, start: int) -> BackfillWindow:
        """Take a window out; later samples of its time begin it anew. Raises ValueError when there is none."""

    def forget_series(self) -> None:
        """Free the labels, when no window is left that needs them."""

@final
class BackfillWindow:
    """A window on its way into a block's files. Its series must not be forgotten before the end."""

    def step(self, max_bytes: int) -> list[tuple[int, bytes]] | None:
        """The next pieces, about `max_bytes` of chunks, each with the number of its chunk file, or 0 for the index.
        None at the end."""

    @property
    def held(self) -> None:
        """No series is held."""

    @property
    def stats(self) -> BlockStats:
        """What is in the block, at the end."""

    @property
    def repeated(self) -> int:
        """Samples that came again with the same value; they are in the block once. At the end."""

    @property
    def contradicting(self) -> int:
        """Samples left out, because their series had another value at their time. At the end."""

# -- analyze -----------------------------------------------------------------------------------------------------------

def analyze_block(block: Block, duration: int, limit: int) -> Analysis:
    """Read all series and chunks of a block that spans `duration` ms. Lists have `limit` entries at most. Raises
    BlockDamaged."""

@final
class Analysis:
    """The figures of `promtool tsdb analyze`. Lists are of (figure, name), largest figure first, then by name."""

    @property
    def label_names(self) -> int:
        """Label names."""

    @property
    def pairs(self) -> int:
        """Different label pairs."""

    @property
    def entries(self) -> int:
        """Labels of all series together."""

    @property
    def churning_pairs(self) -> list[tuple[int, str]]:
        """Label pairs, `name=value`, by how many blocks' worth of time their series don't cover, whole ones."""

    @property
    def churning_names(self) -> list[tuple[int, str]]:
        """Label names by the same."""

    @property
    def common_pairs(self) -> list[tuple[int, str]]:
        """Label pairs by their series."""

    @property
    def longest_values(self) -> list[tuple[int, str]]:
        """Label names by the bytes of their values."""

    @property
    def most_values(self) -> list[tuple[int, str]]:
        """Label names by the number of their values."""

    @property
    def largest_metrics(self) -> list[tuple[int, str]]:
        """Metrics by their series."""

    @property
    def chunks(self) -> int:
        """Chunks."""

    @property
    def fullness(self) -> list[int]:
        """Chunks with up to 10 %, 20 %, ... 100 % of 120 samples."""

# -- verify ------------------------------------------------------------------------------------------------------------

@final
class LogVerifier:
    """Reads every byte of a log, segment by segment: first a checkpoint's, then those behind it. Behind damage it goes
    on at the next page from which records can be read."""

    def segment(self, data: _Buffer) -> list[tuple[int, int, str]]:
        """Read the next segment; offset, length and reason of each range that cannot be believed."""

    @property
    def samples(self) -> int:
        """Samples read so far."""

    @property
    def orphans(self) -> int:
        """Samples so far whose series no record has introduced."""

def verify_head_chunks(data: _Buffer) -> tuple[int, list[tuple[int, int, str]]]:
    """Read every byte and sample of a file of head chunks: how many chunks it has; offset, length and reason of each
    range that cannot be believed."""

@final
class LabelSets:
    """The label sets of many series, packed. Equal sets may be there more than once."""

    def __new__(cls, sets: Sequence[dict[str, str]]) -> Self:
        """Labels with empty values are left out. Raises ValueError for an empty name."""

    def __len__(self) -> int:
        """Series."""

    def labels(self, series: int) -> dict[str, str]:
        """Label names, sorted, and their values. Raises IndexError."""

    def packed(self, series: int) -> bytes:
        """The label set as a key: equal sets are equal bytes. Raises IndexError."""

    def text(self, series: int) -> str:
        """`{__name__="m", job="j"}`, as Prometheus prints it in errors. Raises IndexError."""

    def values(self, name: str) -> list[str]:
        """The value of one label in each set, "" where it has none."""

    def take(self, rows: npt.NDArray[np.int64]) -> LabelSets:
        """The sets with these numbers (int64), in their order."""

    def concat(self, other: LabelSets) -> LabelSets:
        """These, then those."""

    def is_same(self, other: LabelSets) -> bool:
        """The other is this, or a copy that shares its memory."""

    def group(self, names: Sequence[str], without: bool) -> tuple[memoryview, LabelSets]:
        """`by (names)` or `without (names)`: the group of each series (uint32), numbered as they appear, and the labels
        of each group."""

    def match_groups(
        self, other: LabelSets, names: Sequence[str], without: bool
    ) -> tuple[memoryview, memoryview, LabelSets]:
        """`on (names)` or, `without`, `ignoring (names)`: numbers (uint32) of the series here and there, equal where
        the series match, and the labels that each number stands for."""

    def duplicates(self) -> tuple[memoryview, LabelSets] | None:
        """A number (uint32) for each series, equal for equal labels, and the labels of each; None when all differ."""

    def order(self) -> memoryview | None:
        """The numbers of the series (int64) in the order of their labels; None when they are in order."""

    def without_metadata(self, which: npt.NDArray[np.uint8]) -> LabelSets:
        """Without `__name__`, `__type__` and `__unit__` where `which` (uint8) is not 0."""

    def with_label(self, name: str, values: Sequence[str | None]) -> LabelSets:
        """With one label set to a value of each series'; "" takes it away, None leaves it."""

    def dropped(self, names: Sequence[str]) -> LabelSets:
        """Each set without these labels."""

    def distinct(self, name: str) -> list[str]:
        """The values that a label has, as they appear."""

    def replaced(
        self, target: str, template: str, source: str, pattern: str, max_bytes: int
    ) -> tuple[LabelSets, memoryview, int]:
        """`label_replace`; where the pattern matched (uint8); and what the sets may take at most, bytes.

        Raises QueryLimit before they take more than `max_bytes` (0: no limit), ValueError for a bad pattern.
        """

    def joined(self, target: str, separator: str, sources: Sequence[str], max_bytes: int) -> tuple[LabelSets, int]:
        """`label_join`; bytes and limit likewise."""

    def ratios(self) -> memoryview:
        """Prometheus' hash of each set as a part of the largest (float64)."""

    def kept(self, names: Sequence[str], without: bool) -> LabelSets:
        """Each set with these labels only, or, `without`, without them and the metric's name."""

    def including(self, other: LabelSets, names: Sequence[str], max_bytes: int) -> tuple[LabelSets, int]:
        """With some labels as the set of the same number in `other` has them; bytes and limit likewise."""

@final
class Samples:
    """Samples of many series: what a selector found, or a subquery made."""

    def __new__(cls, columns: Columns) -> Self: ...
    @staticmethod
    def of_cells(
        labels: LabelSets,
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        present: npt.NDArray[np.uint8],
        cells: npt.NDArray[np.int64],
        histograms: Sequence[FloatHistogram],
    ) -> Samples:
        """The cells of a frame, whose steps are at `times`; histograms have their places in `cells`."""

    @staticmethod
    def of_rows(
        labels: LabelSets,
        rows: Sequence[tuple[Sequence[tuple[int, float, int]], Sequence[tuple[int, FloatHistogram, int]]]],
    ) -> Samples:
        """Floats and histograms of each series in order of time, each with its time and start time (0: not known), ms.
        For tests and cold paths."""

    def __len__(self) -> int:
        """Series."""

    @property
    def weight(self) -> int:
        """Samples; a histogram counts as several."""

    @property
    def labels(self) -> LabelSets:
        """Of the series."""

    def relabeled(self, labels: LabelSets) -> Samples:
        """The same samples with other labels. Raises ValueError for another number of series."""

    def sorted(self) -> Samples:
        """The series in the order of their labels."""

    def without_buckets(self, reach: int) -> Samples:
        """Histograms with counts and sums alone, and with hints of resets: those not known are told by the buckets of
        the histogram before, unless that is `reach` ms old or older."""

    def lookback(self, ats: npt.NDArray[np.int64], delta: int, wanted: str, *, keep_empty: bool = False) -> Cells:
        """The latest sample at each of the ascending times `ats`, ms, less than `delta` ms old. `wanted` of it is its
        `value`, or its `time` or `start` time in ms. Series without any stay with `keep_empty`."""

    def weights(self, ats: npt.NDArray[np.int64], reach: int, latest: bool) -> memoryview:
        """What the samples weigh that are less than `reach` ms old at each of the ascending times `ats`, ms (int64):
        all of them, or the `latest` of each series."""

    def smooth(self, ats: npt.NDArray[np.int64], delta: int, *, keep_empty: bool = False) -> Cells:
        """The value at each of the ascending times `ats`, between the samples on both sides, none `delta` away; empty
        series likewise."""

    def over_windows(
        self,
        function: str,
        ends: npt.NDArray[np.int64],
        ats: npt.NDArray[np.int64],
        range: int,
        parameters: Sequence[npt.NDArray[np.float64]],
        *,
        edges: str,
        delta: int,
        starts: bool,
        keep_empty: bool = False,
    ) -> Cells:
        """A function of the samples in (end - range, end] for each of the ascending `ends`, at the steps `ats`, all ms.

        `parameters` are its other arguments, each with a number for each step. `edges` is `plain`, `anchored` or
        `smoothed`, for which samples count that are `delta` further off; `starts` tells to heed start times; series
        without any result stay with `keep_empty`. Raises ValueError for an unknown function.
        """

    def window(self, end: int, range: int, edges: str, delta: int) -> Samples | None:
        """The samples in (end - range, end]; None when histograms would have to be put at its edges."""

    def json(self, *, max_bytes: int = 0) -> bytes:
        """As the query API shows a matrix. Raises QueryLimit as soon as it is longer; 0 sets no limit."""

    def rows(self) -> list[tuple[dict[str, str], list[tuple[int, float]], list[tuple[int, FloatHistogram]]]]:
        """Each series with its floats and histograms."""

@final
class Cells:
    """What a loop has made of series: series x steps. Each part can be taken once."""

    def take_rows(self) -> memoryview:
        """int64: the numbers of the series that have any cell."""

    def take_values(self) -> memoryview:
        """float64: one for each cell."""

    def take_present(self) -> memoryview:
        """uint8: where there is a float."""

    def take_histograms(self) -> tuple[memoryview, list[FloatHistogram]]:
        """Histograms, and their places among the cells (int64, ascending)."""

    @property
    def notes(self) -> list[tuple[int, str, int]]:
        """What was wrong: the number of a series, what, and how often."""

@final
class Classic:
    """The classic histograms of a frame: series with a label `le`, put together again, by number."""

    def __new__(
        cls,
        labels: LabelSets,
        steps: int,
        values: npt.NDArray[np.float64],
        present: npt.NDArray[np.uint8],
        cells: npt.NDArray[np.int64],
    ) -> Self:
        """Of a frame: labels of the series, number of steps, floats, where there is one; and the `cells` of its native
        histograms."""

    @property
    def labels(self) -> LabelSets:
        """Of the histograms: without `le`."""

    @property
    def malformed(self) -> list[int]:
        """Series with floats whose label `le` is missing or no number."""

    @property
    def contested(self) -> memoryview:
        """Those of `cells` (int64) where a classic histogram of the same labels stands: neither counts."""

    def quantiles(
        self, values: npt.NDArray[np.float64], present: npt.NDArray[np.uint8], qs: npt.NDArray[np.float64]
    ) -> tuple[tuple[memoryview, memoryview], list[tuple[int, int, int, int, float, float, float]]]:
        """The quantile (one of `qs` a step) of each histogram at each step (float64), and where there is one (uint8).

        And where counts had to be raised to ascend: (histogram, first step, last step, how many steps, lowest bound,
        highest bound, largest difference).
        """

    def fractions(
        self,
        values: npt.NDArray[np.float64],
        present: npt.NDArray[np.uint8],
        lower: npt.NDArray[np.float64],
        upper: npt.NDArray[np.float64],
    ) -> tuple[memoryview, memoryview]:
        """The share of observations between `lower` and `upper` (one each a step), likewise."""

def describe_histograms(what: str, handles: Sequence[FloatHistogram]) -> memoryview:
    """Their `count`, `sum`, `avg`, `stddev` or `stdvar` (float64). Raises ValueError for anything else."""

def histogram_quantiles(
    handles: Sequence[FloatHistogram], qs: npt.NDArray[np.float64]
) -> tuple[memoryview, memoryview, memoryview]:
    """The quantile of each (float64), whether it is among observations of NaN, whether such skew it (uint8)."""

def histogram_fractions(
    handles: Sequence[FloatHistogram], lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]
) -> tuple[memoryview, memoryview]:
    """The share of each's observations between its bounds (float64), and whether it has observed NaN (uint8)."""

def aggregate_cells(
    operator: str,
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.uint8],
    ids: npt.NDArray[np.uint32],
    count: int,
) -> tuple[memoryview, memoryview]:
    """`sum`, `avg`, `count`, `group`, `min`, `max`, `stdvar` or `stddev` of the floats of each of `count` groups at
    each step; `ids` has the group of each series. Values (float64) and where there is one (uint8), groups x steps."""

def quantile_cells(
    qs: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.uint8],
    ids: npt.NDArray[np.uint32],
    count: int,
) -> tuple[memoryview, memoryview]:
    """The quantile of each group, `qs` has which at each step. Otherwise as `aggregate_cells`."""

def count_values(
    name: str,
    labels: LabelSets,
    names: Sequence[str],
    without: bool,
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.uint8],
) -> tuple[LabelSets, memoryview, memoryview]:
    """How many series of each group have each value; the value is the label `name`."""

def extreme_cells(
    largest: bool,
    ks: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.uint8],
    ids: npt.NDArray[np.uint32],
    count: int,
) -> tuple[memoryview, memoryview]:
    """Which cells (uint8) have the `ks` largest or smallest values of their group at each step; when there is one step,
    the series (int64), group after group, the best first."""

def first_cells(
    ks: npt.NDArray[np.float64], occupied: npt.NDArray[np.uint8], ids: npt.NDArray[np.uint32], count: int
) -> memoryview:
    """Which cells (uint8) are among the first `ks` of their group that are occupied."""

def frame_json(
    labels: LabelSets,
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.uint8],
    cells: npt.NDArray[np.int64],
    histograms: Sequence[FloatHistogram],
    vector: bool,
    *,
    max_bytes: int = 0,
) -> bytes:
    """A frame as the query API shows it: as a vector, of its first step, or as a matrix. Raises QueryLimit as soon as
    it is longer; 0 sets no limit."""

def scaled_histograms(histograms: Sequence[FloatHistogram], factor: float) -> list[FloatHistogram]:
    """Each times a number."""

def operate_histograms(
    operator: str,
    lhs: Sequence[FloatHistogram | None],
    lhs_floats: npt.NDArray[np.float64],
    rhs: Sequence[FloatHistogram | None],
    rhs_floats: npt.NDArray[np.float64],
) -> tuple[list[FloatHistogram | None], list[tuple[int, str]]]:
    """A binary operator between samples, floats where there is no histogram; and the numbers of pairs of which there is
    something to tell, with what. A comparison gives the left side where it holds."""

def total_histograms(
    mean: bool, histograms: Sequence[FloatHistogram], cells: npt.NDArray[np.int64]
) -> tuple[memoryview, list[FloatHistogram], list[int], bool, bool]:
    """The sum, or the mean, of the histograms for each cell: cells (int64, ascending) and totals, the numbers of
    histograms that do not go with others, and whether bounds had to be dropped and hints contradicted each other."""
