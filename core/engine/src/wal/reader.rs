//! Unframing: the records of one segment, each checked before it is shown.

mod resync;

use ruzstd::decoding::FrameDecoder;
use snap::raw::Decoder;

use super::page::{boundary, room, FIRST, FULL, HEADER_SIZE, LAST, MIDDLE, PADDING, SNAPPY, TYPE_MASK, ZSTD};
use super::record::{BATCH_HEADER, HOLD_TICK, HOLE, PROMETHEUS_TYPES};
use super::{zstd, Damage, Reason};

/// No snappy block grows by more: its densest element is a 64-byte copy told in 3 bytes.
const SNAPPY_MAX_RATIO: usize = 22;

/// Reads records from a borrowed segment, from any record boundary on.
///
/// A segment may be preallocated: where only zeros follow, it ends. Zeros with data after them are damage,
/// for a crash can leave such a hole where a page never reached the disk.
pub struct Reader<'a> {
    segment: &'a [u8],
    at: usize,
    assembled: Vec<u8>,
    inflated: Vec<u8>,
    decoder: Decoder,
    /// Boxed: most logs have no use for it.
    frames: Option<Box<FrameDecoder>>,
}

struct Fragment<'a> {
    kind: u8,
    flags: u8,
    payload: &'a [u8],
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `segment` that begins at byte `start`, which must be a record boundary.
    pub fn new(segment: &'a [u8], start: usize) -> Self {
        Self {
            segment,
            at: start,
            assembled: Vec::new(),
            inflated: Vec::new(),
            decoder: Decoder::new(),
            frames: None,
        }
    }

    /// The boundary after the last record read; on damage, the one before it.
    pub fn offset(&self) -> usize {
        boundary(self.at)
    }

    /// The next record, or `None` at the clean end. After damage, the same damage again.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, Damage> {
        let start = self.offset();
        let damage = |reason| Damage { offset: start, reason };
        let Some(first) = self.fragment(self.at).map_err(damage)? else {
            return Ok(None);
        };
        let (end, flags, payload) = match first.kind {
            FULL => (first.end, first.flags, first.payload),
            FIRST => {
                let (end, flags) = self.assemble(&first).map_err(damage)?;
                (end, flags, self.assembled.as_slice())
            }
            _ => return Err(damage(Reason::FragmentOrder)),
        };
        if flags & SNAPPY != 0 {
            inflate(&mut self.decoder, payload, &mut self.inflated).map_err(damage)?;
            self.at = end;
            return Ok(Some(&self.inflated));
        }
        if flags & ZSTD != 0 {
            let frames = self.frames.get_or_insert_with(|| Box::new(FrameDecoder::new()));
            zstd::inflate(frames, payload, &mut self.inflated).map_err(|_| damage(Reason::Zstd))?;
            self.at = end;
            return Ok(Some(&self.inflated));
        }
        if zstd::is_frame(payload) {
            return Err(damage(Reason::Disguised));
        }
        if is_disguised(&mut self.decoder, payload, &mut self.inflated) {
            return Err(damage(Reason::Disguised));
        }
        self.at = end;
        Ok(Some(payload))
    }

    /// Join a record's fragments; the last one tells the compression, as in Prometheus.
    fn assemble(&mut self, first: &Fragment<'a>) -> Result<(usize, u8), Reason> {
        self.assembled.clear();
        self.assembled.extend_from_slice(first.payload);
        let mut at = first.end;
        loop {
            let fragment = self.fragment(at)?.ok_or(Reason::Torn)?;
            self.assembled.extend_from_slice(fragment.payload);
            match fragment.kind {
                MIDDLE => at = fragment.end,
                LAST => return Ok((fragment.end, fragment.flags)),
                _ => return Err(Reason::FragmentOrder),
            }
        }
    }

    /// The fragment at `at`, after the page's padding if that begins there; `None` when nothing but zeros is left.
    fn fragment(&self, at: usize) -> Result<Option<Fragment<'a>>, Reason> {
        let start = boundary(at);
        let padding = self.segment.get(at..start.min(self.segment.len())).unwrap_or_default();
        if !all_zero(padding) {
            return Err(Reason::Padding);
        }
        let rest = self.segment.get(start..).unwrap_or_default();
        let Some(&byte) = rest.first() else {
            return Ok(None);
        };
        if byte == PADDING {
            return if all_zero(rest) { Ok(None) } else { Err(Reason::Padding) };
        }
        let (kind, flags) = (byte & TYPE_MASK, byte & !TYPE_MASK);
        if !(FULL..=LAST).contains(&kind) || flags & !(SNAPPY | ZSTD) != 0 {
            return Err(Reason::FragmentType(byte));
        }
        let (header, rest) = rest.split_first_chunk::<HEADER_SIZE>().ok_or(Reason::Torn)?;
        let [_, l0, l1, c0, c1, c2, c3] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length > room(start) - HEADER_SIZE {
            return Err(Reason::FragmentLength(length));
        }
        let payload = rest.get(..length).ok_or(Reason::Torn)?;
        if crc32c::crc32c(payload) != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(Reason::Checksum);
        }
        let end = start + HEADER_SIZE + length;
        Ok(Some(Fragment {
            kind,
            flags,
            payload,
            end,
        }))
    }
}

/// No checksum covers the byte that says whether a record is compressed. A snappy block taken for a record would pass as one
/// of an unknown type and be skipped; that is found here. It begins with the record's length, and no record as short
/// as a Prometheus type's number gets shorter by compression: so those types are never disguised blocks.
fn is_disguised(decoder: &mut Decoder, record: &[u8], inflated: &mut Vec<u8>) -> bool {
    let plain = |record: &[u8]| record.first().is_none_or(|kind| PROMETHEUS_TYPES.contains(kind));
    let private = |record: &[u8]| {
        record
            .first()
            .is_some_and(|kind| [BATCH_HEADER, HOLD_TICK, HOLE].contains(kind))
    };
    !plain(record) && inflate(decoder, record, inflated).is_ok() && (plain(inflated) || private(inflated))
}

fn inflate(decoder: &mut Decoder, block: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    let length = snap::raw::decompress_len(block).map_err(|_| Reason::Snappy)?;
    if length > block.len().saturating_mul(SNAPPY_MAX_RATIO) {
        return Err(Reason::Snappy);
    }
    out.resize(length, 0);
    decoder.decompress(block, out).map_err(|_| Reason::Snappy)?;
    Ok(())
}

/// In blocks, so that the compiler can look at many bytes at once.
fn all_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(4096)
        .all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}
