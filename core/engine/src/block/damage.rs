//! What is wrong with a file of a block, and where.

/// A file of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum File {
    /// `index`
    Index,
    /// `chunks/%06d`, by its number, from 1.
    Chunks(u32),
    /// `tombstones`
    Tombstones,
    /// `held`
    Held,
}

impl std::fmt::Display for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index => f.write_str("index"),
            Self::Chunks(number) => write!(f, "chunks/{number:06}"),
            Self::Tombstones => f.write_str("tombstones"),
            Self::Held => f.write_str("held"),
        }
    }
}

/// A range of bytes that cannot be believed. A value, not a failure: the rest of the block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The file that the range is in.
    pub file: File,
    /// Where the range begins.
    pub offset: u64,
    /// Bytes in it; 0 when it is a place and not a range.
    pub length: u64,
    /// What is wrong with it.
    pub reason: Reason,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}: {}", self.file, self.offset, self.reason)
    }
}

impl std::error::Error for Damage {}

/// What can be wrong with a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The file ends before what it announces.
    Truncated,
    /// The file does not begin as a file of its kind does.
    Magic,
    /// A version that cannot be read.
    Version(u8),
    /// The bytes do not have the checksum that stands behind them.
    Checksum,
    /// The bytes have their checksum, and do not decode all the same.
    Undecodable,
    /// Sections of the index lie outside of it or in the wrong order.
    Sections,
    /// A label name or a value is not UTF-8.
    NotUtf8,
    /// Symbols, label pairs, postings or the series themselves are not in ascending order.
    Unsorted,
    /// The labels of a series are not sorted by name.
    LabelOrder,
    /// A series names a symbol that does not exist.
    NoSymbol(u64),
    /// A reference to a series or a chunk leads out of the file.
    NoTarget(u64),
    /// An encoding of chunks that does not exist.
    Encoding(u8),
    /// A chunk ends before it begins.
    Times,
    /// A chunk begins before the one before it in its series ends.
    Overlap,
    /// Samples of a chunk lie outside of the times that the index gives it.
    OutsideTimes,
    /// Samples of a chunk are not in ascending order of time.
    SampleOrder,
    /// The samples of a chunk do not decode.
    Samples,
    /// A chunk without samples.
    EmptyChunk,
    /// A series without chunks.
    NoChunks,
    /// Chunks do not lie in the order of the series that they belong to.
    ChunkOrder,
    /// Bytes that nothing refers to, or padding that is not zero.
    Unreferenced,
    /// A postings list has not the series that have its label pair.
    Postings,
    /// A file that the index refers to is not there.
    MissingFile,
    /// A series that does not exist.
    NoSeries(u64),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the file ends before what it announces"),
            Self::Magic => f.write_str("this is no file of its kind"),
            Self::Version(v) => write!(f, "version {v} cannot be read"),
            Self::Checksum => f.write_str("checksum mismatch"),
            Self::Undecodable => f.write_str("the checksum is right, but the bytes do not decode"),
            Self::Sections => f.write_str("the table of contents leads out of the file or back"),
            Self::NotUtf8 => f.write_str("a label is not UTF-8"),
            Self::Unsorted => f.write_str("entries are not in ascending order"),
            Self::LabelOrder => f.write_str("labels are not sorted by name"),
            Self::NoSymbol(n) => write!(f, "there is no symbol {n}"),
            Self::NoTarget(r) => write!(f, "reference {r:#x} leads out of the file"),
            Self::Encoding(byte) => write!(f, "there is no chunk encoding {byte}"),
            Self::Times => f.write_str("a chunk ends before it begins"),
            Self::Overlap => f.write_str("a chunk begins before the one before it ends"),
            Self::OutsideTimes => f.write_str("samples lie outside of the times in the index"),
            Self::SampleOrder => f.write_str("samples are not in ascending order of time"),
            Self::Samples => f.write_str("the samples do not decode"),
            Self::EmptyChunk => f.write_str("a chunk has no samples"),
            Self::NoChunks => f.write_str("a series has no chunks"),
            Self::ChunkOrder => f.write_str("chunks are not in the order of their series"),
            Self::Unreferenced => f.write_str("nothing refers to these bytes"),
            Self::Postings => f.write_str("the list has not the series that have its label"),
            Self::MissingFile => f.write_str("the file is missing"),
            Self::NoSeries(r) => write!(f, "there is no series {r}"),
        }
    }
}
