//! Holes: what stands where damaged bytes were taken out of a segment, so that what follows keeps its offset.

use super::page::{room, FULL, HEADER_SIZE};
use super::record::HOLE;

/// Bytes for `start..stop` of a segment: records that every reader passes over. `None` when no record fits in there exactly.
///
/// Both ends are record boundaries.
pub fn hole(start: usize, stop: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(stop.checked_sub(start)?);
    while start + out.len() < stop {
        let at = start + out.len();
        let size = room(at).min(stop - at);
        let Some(length) = size.checked_sub(HEADER_SIZE).filter(|length| *length > 0) else {
            if size < HEADER_SIZE && size == room(at) {
                out.resize(out.len() + size, 0); // the rest of a page with no room for a fragment
                continue;
            }
            return None;
        };
        let mut payload = vec![0; length];
        payload.iter_mut().take(1).for_each(|kind| *kind = HOLE);
        out.push(FULL);
        out.extend_from_slice(&(length as u16).to_be_bytes());
        out.extend_from_slice(&crc32c::crc32c(&payload).to_be_bytes());
        out.extend_from_slice(&payload);
    }
    Some(out)
}
