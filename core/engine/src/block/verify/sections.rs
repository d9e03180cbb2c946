//! The places of an index between its parts: nothing but padding may be there.

use std::ops::Range;

use crate::block::contents::{damage, section, section_unchecked};
use crate::block::{Reason, CRC_SIZE};

use super::Verification;

/// Check that only zeros lie in `gap`, and fewer than `align` of them.
pub(super) fn check_padding(index: &[u8], gap: Range<usize>, align: usize, found: &mut Verification) {
    let zeros = index
        .get(gap.clone())
        .is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    if gap.start > gap.end || gap.len() >= align || !zeros {
        found.report(damage(
            gap.start.min(gap.end)..gap.end.max(gap.start),
            Reason::Unreferenced,
        ));
    }
}

/// Check sections that lie behind each other, aligned to 4, in a range of the index that nobody reads any more.
pub(super) fn check_sections(index: &[u8], range: Range<usize>, found: &mut Verification) {
    let mut place = range.start;
    while place < range.end {
        let aligned = place.next_multiple_of(4).min(range.end);
        check_padding(index, place..aligned, 4, found);
        if aligned == range.end {
            return;
        }
        let _ = section(index, aligned).map_err(|damage| found.report(damage));
        let Ok(body) = section_unchecked(index, aligned) else {
            return;
        };
        place = body.end + CRC_SIZE;
        if place > range.end {
            return found.report(damage(aligned..range.end, Reason::Sections));
        }
    }
}
