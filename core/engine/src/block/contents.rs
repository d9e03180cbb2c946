//! The table of contents at the end of an index, and the sections that it points to.

use std::ops::Range;

use super::{Damage, File, Reason, CRC_SIZE, INDEX_MAGIC};
use crate::bytes::{Decoder, Truncated};

/// Magic number and version.
pub(super) const HEADER: usize = 5;
/// Six offsets and a checksum.
pub(super) const CONTENTS: usize = 6 * 8 + CRC_SIZE;

/// Where the sections of an index begin, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents {
    pub(super) version: u8,
    pub(super) symbols: usize,
    pub(super) series: usize,
    /// Two sections of old indexes, which nobody reads any more; where the next section begins when they are not there.
    pub(super) label_indices: usize,
    pub(super) label_table: usize,
    pub(super) postings: usize,
    pub(super) postings_table: usize,
    /// Where the table of contents itself begins.
    pub(super) end: usize,
}

/// Damage of the index in this range.
pub(super) fn damage(range: Range<usize>, reason: Reason) -> Damage {
    Damage {
        file: File::Index,
        offset: range.start as u64,
        length: range.len() as u64,
        reason,
    }
}

impl Contents {
    /// Read both ends of an index.
    pub(super) fn read(index: &[u8]) -> Result<Self, Damage> {
        let whole = 0..index.len();
        let mut header = Decoder::new(index);
        match header.u32_be() {
            Ok(INDEX_MAGIC) => {}
            Ok(_) => return Err(damage(0..4, Reason::Magic)),
            Err(Truncated) => return Err(damage(whole, Reason::Truncated)),
        }
        let version = match header.u8() {
            Ok(version @ 1..=3) => version,
            Ok(version) => return Err(damage(4..HEADER, Reason::Version(version))),
            Err(Truncated) => return Err(damage(whole, Reason::Truncated)),
        };
        let end = index.len().checked_sub(CONTENTS).filter(|end| *end >= HEADER);
        let end = end.ok_or_else(|| damage(whole.clone(), Reason::Truncated))?;
        let table = index.get(end..).unwrap_or_default();
        let offsets = offsets(table).ok_or_else(|| damage(end..index.len(), Reason::Checksum))?;
        let [symbols, series, label_indices, label_table, postings, postings_table] = offsets;
        let order = [
            HEADER,
            symbols,
            series,
            label_indices,
            postings,
            label_table,
            postings_table,
            end,
        ];
        if !order.is_sorted() {
            return Err(damage(end..index.len(), Reason::Sections));
        }
        Ok(Self {
            version,
            symbols,
            series,
            label_indices,
            label_table,
            postings,
            postings_table,
            end,
        })
    }
}

/// The six offsets; `None` when their checksum is wrong.
fn offsets(table: &[u8]) -> Option<[usize; 6]> {
    let (content, crc) = table.split_last_chunk::<CRC_SIZE>()?;
    if crc32c::crc32c(content) != u32::from_be_bytes(*crc) {
        return None;
    }
    let mut content = Decoder::new(content);
    let mut offsets = [0; 6];
    for offset in &mut offsets {
        *offset = usize::try_from(content.u64_be().ok()?).ok()?;
    }
    Some(offsets)
}

/// Where the body lies of a section `length u32, body, crc32c(body)` that begins at `offset`, after checking it.
pub(super) fn section(index: &[u8], offset: usize) -> Result<Range<usize>, Damage> {
    let body = section_unchecked(index, offset)?;
    let bytes = index.get(body.clone()).unwrap_or_default();
    let crc = index.get(body.end..).and_then(<[u8]>::first_chunk::<CRC_SIZE>);
    match crc.map(|crc| u32::from_be_bytes(*crc)) {
        Some(crc) if crc == crc32c::crc32c(bytes) => Ok(body),
        _ => Err(damage(offset..body.end + CRC_SIZE, Reason::Checksum)),
    }
}

/// The same without reading the body: only that it and its checksum lie in the file is sure.
pub(super) fn section_unchecked(index: &[u8], offset: usize) -> Result<Range<usize>, Damage> {
    let truncated = || damage(offset.min(index.len())..index.len(), Reason::Truncated);
    let mut rest = Decoder::new(index.get(offset..).ok_or_else(truncated)?);
    let length = rest.u32_be().map_err(|Truncated| truncated())? as usize;
    if rest.len() < length.saturating_add(CRC_SIZE) {
        return Err(truncated());
    }
    let start = index.len() - rest.len();
    Ok(start..start + length)
}
