//! The write-ahead log in Prometheus' format: records, their framing into pages, and batches on top.
//!
//! ```text
//! segment = pages of 32 KiB        page = fragments, zero padded
//! fragment = type(1) len(2) crc32c(4) payload        record = 1..n fragments, maybe snappy
//! batch = [series record] [header record 0xB0] ([samples record] [histogram records])*
//! ```
//!
//! What Prometheus knows is byte for byte its own; what it has no record for (0xB0, 0xB1) it skips.

pub mod arrange;
pub mod batch_reader;
pub mod checkpoint;
pub mod exemplar;
pub mod histogram;
pub mod hole;
pub mod metadata;
pub mod page;
pub mod reader;
pub mod record;
pub mod rows;
pub mod slice;
pub mod start_times;
pub mod tombstone;
pub mod zstd;

pub use arrange::Arranged;
pub use batch_reader::{has_headers, BatchReader, LogBatch};
pub use checkpoint::{Checkpoint, CheckpointStats};
pub use exemplar::ExemplarRow;
pub use metadata::MetadataRow;
pub use page::{Compression, Framer, PAGE_SIZE};
pub use reader::Reader;
pub use record::{BatchHeader, Records};
pub use rows::Rows;
pub use slice::LogSlice;
pub use tombstone::{MarkerRow, TombstoneRow};

use std::sync::Arc;

use crate::histogram::Histogram;

/// What a series is called in the log. Given once, in a series record, and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SeriesRef(pub u64);

/// A float sample in the log: series, time in ms, value.
pub type FloatRow = (SeriesRef, i64, f64);

/// A native histogram sample in the log: series, time in ms, value.
pub type HistogramRow = (SeriesRef, i64, Arc<Histogram>);

/// Why a segment cannot be read on from some offset. A value, not a failure: everything before it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Byte offset in the segment of the record that cannot be read.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What can be wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The segment ends inside a record.
    Torn,
    /// Bytes that must be zero padding are not.
    Padding,
    /// A fragment type or flag that does not exist.
    FragmentType(u8),
    /// A fragment's length leads out of its page.
    FragmentLength(usize),
    /// A first, middle, last or full fragment where it cannot be.
    FragmentOrder,
    /// The payload does not have the checksum that its header tells.
    Checksum,
    /// The zstd frame does not decompress.
    Zstd,
    /// Snappy cannot decompress the record.
    Snappy,
    /// The record is compressed, although its type byte says that it is not.
    Disguised,
    /// A record of this type does not decode.
    Record(u8),
    /// A batch ends before all of its records are there.
    BatchCut,
    /// A batch header of a version from the future.
    Version(u8),
    /// The samples of a batch are not as many as its header says.
    BatchCount,
    /// A reference that cannot be, or that is given to a second series.
    SeriesRef,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Torn => f.write_str("the segment ends inside a record"),
            Self::Padding => f.write_str("padding is not zero"),
            Self::FragmentType(byte) => write!(f, "no such fragment type: {byte:#04x}"),
            Self::FragmentLength(n) => write!(f, "a fragment of {n} bytes leads out of its page"),
            Self::FragmentOrder => f.write_str("a fragment is out of place"),
            Self::Checksum => f.write_str("checksum mismatch"),
            Self::Zstd => f.write_str("the record is no whole zstd frame"),
            Self::Snappy => f.write_str("the record does not decompress"),
            Self::Disguised => f.write_str("the record is compressed but not marked so"),
            Self::Record(kind) => write!(f, "a record of type {kind:#04x} does not decode"),
            Self::BatchCut => f.write_str("a batch ends before all of its records are there"),
            Self::Version(v) => write!(f, "a private record of version {v} is from a later release"),
            Self::BatchCount => f.write_str("a batch has not the number of samples that its header says"),
            Self::SeriesRef => f.write_str("a series reference that another series has, or that is too large"),
        }
    }
}
