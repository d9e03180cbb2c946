//! Chunks: runs of samples of one series, compressed as Prometheus' TSDB compresses them.

mod appender;
pub mod bits;
pub mod histogram;
mod samples;
pub mod sequence;
mod start;
#[cfg(test)]
mod tests;
pub mod window;
pub mod xor;
pub mod xor2;

pub use appender::Appender;
pub use samples::{count, floats, samples, Floats, Samples};
pub use sequence::Sequence;

use crate::blob::Blob;

/// How a chunk's samples are compressed. The numbers are those on disk; 4 to 6 are read and never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// Floats.
    Xor = 1,
    /// Native histograms that count whole observations.
    Histogram = 2,
    /// Native histograms that count parts of observations.
    FloatHistogram = 3,
    /// Floats with start timestamps.
    Xor2 = 4,
    /// As 2, with start timestamps.
    HistogramSt = 5,
    /// As 3, with start timestamps.
    FloatHistogramSt = 6,
}

impl Encoding {
    /// The encoding with this number on disk.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Xor,
            2 => Self::Histogram,
            3 => Self::FloatHistogram,
            4 => Self::Xor2,
            5 => Self::HistogramSt,
            6 => Self::FloatHistogramSt,
            _ => return None,
        })
    }
}

/// A chunk that gets no more samples, wherever its bytes live.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Time of the first sample, ms.
    pub mint: i64,
    /// Time of the last sample, ms.
    pub maxt: i64,
    /// Of `data`.
    pub encoding: Encoding,
    /// The encoded samples, as they stand on disk behind the encoding byte.
    pub data: Blob,
}

impl Chunk {
    /// Its samples, oldest first.
    pub fn samples(&self) -> Result<Samples<'_>, BadChunk> {
        samples(self.encoding, &self.data)
    }

    /// How many samples it has, as its header says.
    pub fn count(&self) -> Result<u16, BadChunk> {
        count(self.encoding, &self.data)
    }
}

/// The chunk's bytes end too early, or say what its encoding cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk;

impl std::fmt::Display for BadChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("chunk does not decode")
    }
}

impl std::error::Error for BadChunk {}
