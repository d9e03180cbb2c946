//! What a block writer does not take. These are mistakes of the caller or limits of the format, never of the data on disk.

/// Why a series, or the whole index, cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The label set is empty.
    NoLabels,
    /// The label set is not greater than the one before; both as text.
    Unsorted(String, String),
    /// A series without a chunk.
    NoChunks(String),
    /// A chunk without a sample, or too short to tell.
    EmptyChunk(String),
    /// A chunk begins before the one before it ends, or ends before it begins: series, mint, maxt.
    ChunkTimes(String, i64, i64),
    /// Exceptions of a held series are not ascending, or not among the ticks.
    Exceptions,
    /// Ticks are not ascending.
    Ticks,
    /// A limit of the format: what, and how much of it there can be.
    TooLarge(&'static str, u64),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoLabels => f.write_str("a series without labels"),
            Self::Unsorted(labels, last) => write!(f, "series {labels} after {last}"),
            Self::NoChunks(labels) => write!(f, "series {labels} has no chunks"),
            Self::EmptyChunk(labels) => write!(f, "a chunk of series {labels} has no samples"),
            Self::ChunkTimes(labels, mint, maxt) => {
                write!(
                    f,
                    "chunk [{mint}, {maxt}] of series {labels} overlaps or is upside down"
                )
            }
            Self::Exceptions => f.write_str("exceptions of a held series are not ascending ticks"),
            Self::Ticks => f.write_str("ticks are not ascending"),
            Self::TooLarge(what, limit) => write!(f, "{what} exceeds {limit}"),
        }
    }
}

impl std::error::Error for Refusal {}
