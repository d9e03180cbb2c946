//! Request bodies: gzip and framed snappy, inflated up to a limit.
//!
//! Errors have the words of Go's `compress/gzip` and `golang/snappy`, which Pushgateway answers with.

mod gzip;
mod snappy;
#[cfg(test)]
mod tests;

pub use gzip::gunzip;
pub use snappy::{block_length, unsnappy_block, unsnappy_framed};

/// Why a body could not be inflated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InflateError {
    /// More than this many bytes come out; reading stopped there.
    TooLong(usize),
    /// Not what it claims to be, or cut short.
    Corrupt(String),
}

impl InflateError {
    fn corrupt(why: &str) -> Self {
        Self::Corrupt(why.into())
    }
}

impl std::fmt::Display for InflateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "more than {limit} bytes after decompression"),
            Self::Corrupt(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for InflateError {}
