//! Framing: records into the fragments and pages of a segment.

use snap::raw::Encoder;

use super::record::Records;

/// Fragments never cross a page.
pub const PAGE_SIZE: usize = 32 * 1024;
/// Type, length, checksum.
pub const HEADER_SIZE: usize = 7;

/// The rest of the page, this byte included, is zero.
pub const PADDING: u8 = 0;
/// A whole record.
pub const FULL: u8 = 1;
/// A record's first fragment of several.
pub const FIRST: u8 = 2;
/// Neither first nor last.
pub const MIDDLE: u8 = 3;
/// A record's last fragment.
pub const LAST: u8 = 4;
/// The bits of the type byte that hold one of the above.
pub const TYPE_MASK: u8 = 0b0000_0111;
/// The record is a snappy block. Set on each of its fragments.
pub const SNAPPY: u8 = 0b0000_1000;
/// The record is a zstd frame.
pub const ZSTD: u8 = 0b0001_0000;

/// Where the record after `offset` begins: a page with no room for a fragment header is closed.
pub fn boundary(offset: usize) -> usize {
    let room = room(offset);
    if room < HEADER_SIZE {
        offset + room
    } else {
        offset
    }
}

/// Bytes from `offset` to the end of its page.
pub fn room(offset: usize) -> usize {
    PAGE_SIZE - offset % PAGE_SIZE
}

/// How records are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As they are.
    None,
    /// As a snappy block, where that is smaller.
    #[default]
    Snappy,
    /// As a zstd frame that the caller brings, see [`Framer::add_packed`].
    Zstd,
}

impl Compression {
    /// Rows that a samples record should have at most. Snappy finds more in some hundred rows, whose references are all told
    /// in one or two bytes; zstd needs long records to learn from.
    pub fn run(self) -> usize {
        match self {
            Self::Snappy => 256,
            Self::None | Self::Zstd => usize::MAX,
        }
    }
}

/// Frames the records of one segment. It only makes bytes: whoever owns the file writes them where
/// they belong, and tells it with [`Framer::rewind`] when that failed.
pub struct Framer {
    offset: usize,
    segment_size: usize,
    compression: Compression,
    framed: Vec<u8>,
    encoder: Encoder,
    compressed: Vec<u8>,
}

impl Framer {
    /// Go on at byte `offset` of a segment that is closed at `segment_size`.
    pub fn new(offset: usize, segment_size: usize, compression: Compression) -> Self {
        Self {
            offset,
            segment_size,
            compression,
            framed: Vec::new(),
            encoder: Encoder::new(),
            compressed: Vec::new(),
        }
    }

    /// The offset after everything added.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Frame all of `records`, or none of them and answer false when they do not fit the rest of the segment.
    /// An empty segment takes anything, so that a batch never crosses a segment.
    pub fn add(&mut self, records: &Records) -> bool {
        self.add_all(|framer| records.iter().for_each(|record| framer.frame(record)))
    }

    /// The same for records that were compressed elsewhere: each with the flag that says how, 0 or [`ZSTD`].
    pub fn add_packed<'a>(&mut self, records: impl Iterator<Item = (u8, &'a [u8])>) -> bool {
        self.add_all(|framer| records.for_each(|(flags, payload)| framer.fragment(payload, flags)))
    }

    fn add_all(&mut self, add: impl FnOnce(&mut Self)) -> bool {
        let (offset, length) = (self.offset, self.framed.len());
        add(self);
        let fits = offset == 0 || self.offset <= self.segment_size;
        if !fits {
            self.framed.truncate(length);
            self.offset = offset;
        }
        fits
    }

    /// Framed bytes that were not cleared yet; they end at [`Framer::offset`].
    pub fn framed(&self) -> &[u8] {
        &self.framed
    }

    /// Forget the framed bytes: they are in the caller's hands.
    pub fn clear(&mut self) {
        self.framed.clear();
    }

    /// Forget everything beyond `offset`, after a write that failed.
    pub fn rewind(&mut self, offset: usize) {
        self.framed.clear();
        self.offset = offset;
    }

    fn frame(&mut self, record: &[u8]) {
        let compressed = self.compress(record);
        let buffer = std::mem::take(&mut self.compressed);
        if compressed {
            self.fragment(&buffer, SNAPPY);
        } else {
            self.fragment(record, 0);
        }
        self.compressed = buffer;
    }

    /// True when `self.compressed` holds the record in fewer bytes.
    fn compress(&mut self, record: &[u8]) -> bool {
        if self.compression != Compression::Snappy {
            return false;
        }
        let bound = snap::raw::max_compress_len(record.len());
        if self.compressed.len() < bound {
            self.compressed.resize(bound, 0);
        }
        match self.encoder.compress(record, &mut self.compressed) {
            Ok(n) if n < record.len() => {
                self.compressed.truncate(n);
                true
            }
            _ => false,
        }
    }

    fn fragment(&mut self, mut rest: &[u8], flags: u8) {
        self.pad();
        let mut first = true;
        loop {
            let fits = rest.len().min(room(self.offset) - HEADER_SIZE);
            let (payload, tail) = rest.split_at(fits);
            let kind = match (first, tail.is_empty()) {
                (true, true) => FULL,
                (true, false) => FIRST,
                (false, true) => LAST,
                (false, false) => MIDDLE,
            };
            self.framed.push(kind | flags);
            self.framed.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            self.framed.extend_from_slice(&crc32c::crc32c(payload).to_be_bytes());
            self.framed.extend_from_slice(payload);
            self.offset += HEADER_SIZE + payload.len();
            self.pad();
            if tail.is_empty() {
                return;
            }
            (rest, first) = (tail, false);
        }
    }

    /// Close a page that has no room for another fragment header.
    fn pad(&mut self) {
        let next = boundary(self.offset);
        self.framed.resize(self.framed.len() + (next - self.offset), PADDING);
        self.offset = next;
    }
}
