//! Chunks: runs of samples of one series, compressed as Prometheus' TSDB compresses them.

pub mod bits;
pub mod xor;

/// The chunk's bytes end too early, or say what its encoding cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk;

impl std::fmt::Display for BadChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("chunk does not decode")
    }
}

impl std::error::Error for BadChunk {}
