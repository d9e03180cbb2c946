//! Deletions in the log, and the markers of a write-behind log.

use super::record::Malformed;
use super::SeriesRef;
use crate::bytes::{put_varint, Decoder};

/// Samples of a series in `mint..=maxt` ms are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TombstoneRow {
    /// Whose samples.
    pub series: SeriesRef,
    /// The first time deleted, ms.
    pub mint: i64,
    /// The last one.
    pub maxt: i64,
}

impl TombstoneRow {
    /// True when it says that the series has left the head, as Prometheus writes it.
    pub fn evicts(&self) -> bool {
        self.mint == i64::MIN && self.maxt == i64::MAX
    }
}

/// In a write-behind log: the samples of the series before here are in a chunk, those after it begin another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkerRow {
    /// Whose samples.
    pub series: SeriesRef,
    /// The chunk: file and offset, as `chunks_head/` counts them. 0: no chunk yet.
    pub chunk: u64,
}

/// Append one row.
pub fn encode_tombstone(row: &TombstoneRow, out: &mut Vec<u8>) {
    out.extend_from_slice(&row.series.0.to_be_bytes());
    put_varint(out, row.mint);
    put_varint(out, row.maxt);
}

/// Append the rows of a tombstone record's body to `rows`.
pub fn decode_tombstones(body: &[u8], rows: &mut Vec<TombstoneRow>) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    while !decoder.is_empty() {
        rows.push(TombstoneRow {
            series: SeriesRef(decoder.u64_be()?),
            mint: decoder.varint()?,
            maxt: decoder.varint()?,
        });
    }
    Ok(())
}

/// Append one row.
pub fn encode_marker(row: &MarkerRow, out: &mut Vec<u8>) {
    out.extend_from_slice(&row.series.0.to_be_bytes());
    out.extend_from_slice(&row.chunk.to_be_bytes());
}

/// Append the rows of a marker record's body to `rows`.
pub fn decode_markers(body: &[u8], rows: &mut Vec<MarkerRow>) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    while !decoder.is_empty() {
        rows.push(MarkerRow {
            series: SeriesRef(decoder.u64_be()?),
            chunk: decoder.u64_be()?,
        });
    }
    Ok(())
}
