//! Reading on behind damage, and looking for damage without reading.
//!
//! Every page begins with a fragment, so whatever has happened in one page, the next can be read. Within a page the length of a
//! harmed fragment is believed when a whole fragment with a right checksum stands where it leads.

use super::Reader;
use crate::wal::page::{boundary, room, FIRST, FULL, HEADER_SIZE, LAST, TYPE_MASK};
use crate::wal::Damage;

impl Reader<'_> {
    /// Move on to where the next record may begin, behind the one that stands where this reader is; that place, or `None` when
    /// nothing follows that could be one.
    pub fn skip(&mut self) -> Option<usize> {
        let mut at = self.behind(self.offset());
        while at < self.segment.len() {
            match self.fragment(at) {
                Ok(Some(fragment)) if matches!(fragment.kind, FULL | FIRST) => {
                    self.at = at;
                    return Some(boundary(at));
                }
                Ok(Some(fragment)) => at = fragment.end,
                Ok(None) => return None,
                Err(_) => at = self.behind(at),
            }
        }
        None
    }

    /// Go to a record boundary.
    pub fn seek(&mut self, offset: usize) {
        self.at = offset;
    }

    /// True when all checksums up to the end are right; records are not looked into.
    pub fn check(&mut self) -> Result<(), Damage> {
        loop {
            let offset = self.offset();
            match self.fragment(self.at) {
                Ok(Some(fragment)) => self.at = fragment.end,
                Ok(None) => return Ok(()),
                Err(reason) => return Err(Damage { offset, reason }),
            }
        }
    }

    /// The end of the fragment at `at`; of a harmed one as its header tells it, where a readable one follows in the page, else the end of
    /// the page.
    fn behind(&self, at: usize) -> usize {
        if let Ok(Some(whole)) = self.fragment(at) {
            return whole.end;
        }
        let page = at + room(at);
        let header = self.segment.get(at..).and_then(<[u8]>::first_chunk::<HEADER_SIZE>);
        let Some([kind, l0, l1, ..]) = header else {
            return page;
        };
        let end = at + HEADER_SIZE + usize::from(u16::from_be_bytes([*l0, *l1]));
        let plausible = (FULL..=LAST).contains(&(kind & TYPE_MASK)) && end <= page;
        if plausible && matches!(self.fragment(end), Ok(Some(_))) {
            end
        } else {
            page
        }
    }
}
