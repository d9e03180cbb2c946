//! Head-chunk files: closed chunks of the head, out of memory and mapped back in.
//!
//! ```text
//! magic 0x0130BC91 | version 1 | 0 0 0
//! (series u64 | mint u64 | maxt u64 | encoding u8, bit 7 = out of order | length uv | data | CRC u32)*
//! zeros
//! ```
//!
//! A file is preallocated, so it ends where zeros follow: no series has reference 0. The CRC covers all of its entry
//! before it. The log has every sample that is here: a damaged file costs the time to replay, and no data.

use std::ops::Range;

use crate::blob::Blob;
use crate::bytes::{put_uvarint, Decoder, Truncated};
use crate::chunk::{Chunk, Encoding};
use crate::wal::SeriesRef;

/// How a file begins.
pub const HEADER: [u8; 8] = [0x01, 0x30, 0xBC, 0x91, VERSION, 0, 0, 0];
const VERSION: u8 = 1;
const OUT_OF_ORDER: u8 = 0x80;
/// Bytes of an entry up to its encoding.
const TIMES_END: usize = 24;

/// What stands at one place of a file.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it begins, counted from the start of the file.
    pub offset: usize,
    /// Whose chunk it is.
    pub series: SeriesRef,
    /// The chunk; its data is a part of the file.
    pub chunk: Chunk,
    /// Its samples came out of order.
    pub out_of_order: bool,
}

/// Why the rest of a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Where the damaged entry begins.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What can be wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It does not begin as such files do.
    Magic,
    /// Its version cannot be read.
    Version(u8),
    /// It ends in the middle of an entry.
    Truncated,
    /// An entry is not what its checksum says.
    Checksum,
    /// A chunk has an encoding that does not exist.
    Encoding(u8),
    /// A chunk ends before it begins.
    Times,
    /// A chunk begins before the one before it in its series ends.
    Order,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Magic => f.write_str("no file of head chunks"),
            Self::Version(version) => write!(f, "version {version} is not known"),
            Self::Truncated => f.write_str("ends in the middle of a chunk"),
            Self::Checksum => f.write_str("checksum differs"),
            Self::Encoding(encoding) => write!(f, "chunk encoding {encoding} is not known"),
            Self::Times => f.write_str("a chunk ends before it begins"),
            Self::Order => f.write_str("a chunk begins before the one before it ends"),
        }
    }
}

/// Append the entry of `chunk` to `out`.
pub fn encode(series: SeriesRef, chunk: &Chunk, out_of_order: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&series.0.to_be_bytes());
    out.extend_from_slice(&chunk.mint.to_be_bytes());
    out.extend_from_slice(&chunk.maxt.to_be_bytes());
    out.push(chunk.encoding as u8 | if out_of_order { OUT_OF_ORDER } else { 0 });
    put_uvarint(out, chunk.data.len() as u64);
    out.extend_from_slice(&chunk.data);
    let checksum = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
}

/// The chunk of the entry at `offset`, which was read or written before: the checksum is not looked at.
pub fn chunk_at(file: &Blob, offset: usize) -> Option<Chunk> {
    let entry = Raw::read(file, offset).ok()?.entry(file, offset);
    entry.ok().map(|entry| entry.chunk)
}

/// An entry as it stands in the file.
struct Raw {
    series: SeriesRef,
    mint: i64,
    maxt: i64,
    kind: u8,
    data: Range<usize>,
}

impl Raw {
    fn read(file: &[u8], offset: usize) -> Result<Self, Truncated> {
        let mut decoder = Decoder::new(file.get(offset..).ok_or(Truncated)?);
        let series = SeriesRef(decoder.u64_be()?);
        let (mint, maxt) = (decoder.u64_be()? as i64, decoder.u64_be()? as i64);
        let kind = decoder.u8()?;
        let length = usize::try_from(decoder.uvarint()?).map_err(|_| Truncated)?;
        let start = file.len() - decoder.len();
        decoder.take(length)?;
        Ok(Self {
            series,
            mint,
            maxt,
            kind,
            data: start..start + length,
        })
    }

    /// Where the next entry begins, if the checksum is right.
    fn check(&self, file: &[u8], offset: usize) -> Result<usize, Reason> {
        let covered = file.get(offset..self.data.end).ok_or(Truncated)?;
        let mut decoder = Decoder::new(file.get(self.data.end..).ok_or(Truncated)?);
        if decoder.u32_be()? != crc32c::crc32c(covered) {
            return Err(Reason::Checksum);
        }
        Ok(file.len() - decoder.len())
    }

    fn entry(self, file: &Blob, offset: usize) -> Result<Entry, Reason> {
        let encoding = self.kind & !OUT_OF_ORDER;
        if self.mint > self.maxt {
            return Err(Reason::Times);
        }
        Ok(Entry {
            offset,
            series: self.series,
            chunk: Chunk {
                mint: self.mint,
                maxt: self.maxt,
                encoding: Encoding::from_byte(encoding).ok_or(Reason::Encoding(encoding))?,
                data: file.slice(self.data).ok_or(Truncated)?,
            },
            out_of_order: self.kind & OUT_OF_ORDER != 0,
        })
    }
}

impl From<Truncated> for Reason {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

/// Reads the entries of a file in order.
pub struct Entries {
    file: Blob,
    offset: usize,
}

impl Entries {
    /// A reader of `file` from its first entry.
    pub fn new(file: Blob) -> Result<Self, Damage> {
        let damage = |reason| Damage { offset: 0, reason };
        match file.first_chunk::<{ HEADER.len() }>() {
            Some(&[0x01, 0x30, 0xBC, 0x91, VERSION, ..]) => {}
            Some(&[0x01, 0x30, 0xBC, 0x91, version, ..]) => return Err(damage(Reason::Version(version))),
            Some(_) => return Err(damage(Reason::Magic)),
            None => return Err(damage(Reason::Truncated)),
        }
        let offset = HEADER.len();
        Ok(Self { file, offset })
    }

    /// Where the last entry read ends: what follows can be overwritten once there are no more.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The next entry; `None` at the end. After damage, the same damage again.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Damage> {
        let offset = self.offset;
        let rest = self.file.get(offset..).unwrap_or_default();
        let times = rest.get(..TIMES_END).unwrap_or(rest);
        if times.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let read = || {
            let raw = Raw::read(&self.file, offset)?;
            let end = raw.check(&self.file, offset)?;
            Ok((raw.entry(&self.file, offset)?, end))
        };
        let (entry, end) = read().map_err(|reason| Damage { offset, reason })?;
        self.offset = end;
        Ok(Some(entry))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn chunk(mint: i64, maxt: i64, data: &[u8]) -> Chunk {
        Chunk {
            mint,
            maxt,
            encoding: Encoding::Xor,
            data: data.to_vec().into(),
        }
    }

    /// (reference, mint, maxt, data, out of order)
    type Row = (u64, i64, i64, Vec<u8>, bool);

    fn rows() -> Vec<Row> {
        let long = (0..300).map(|i| i as u8).collect();
        vec![
            (1, -5, 7, vec![0, 1, 2], false),
            (9, 0, 0, long, true),
            (1 << 40, 8, 9, vec![], false),
        ]
    }

    fn file() -> Vec<u8> {
        let mut file = HEADER.to_vec();
        for (series, mint, maxt, data, late) in rows() {
            encode(SeriesRef(series), &chunk(mint, maxt, &data), late, &mut file);
        }
        file
    }

    fn read(file: &[u8]) -> (Vec<Row>, Result<usize, Damage>) {
        let file = Blob::from(file.to_vec());
        let mut entries = match Entries::new(file.clone()) {
            Ok(entries) => entries,
            Err(damage) => return (vec![], Err(damage)),
        };
        let mut rows = Vec::new();
        loop {
            match entries.next_entry() {
                Ok(None) => return (rows, Ok(entries.offset())),
                Ok(Some(entry)) => {
                    let again = chunk_at(&file, entry.offset).unwrap();
                    assert_eq!((again.mint, &*again.data), (entry.chunk.mint, &*entry.chunk.data));
                    let Chunk { mint, maxt, data, .. } = entry.chunk;
                    rows.push((entry.series.0, mint, maxt, data.to_vec(), entry.out_of_order));
                }
                Err(damage) => return (rows, Err(damage)),
            }
        }
    }

    proptest! {
        #[test]
        fn damage_shows_no_chunk_that_was_not_written(
            at in 0..file().len(), bytes in vec(any::<u8>(), 1..40), stop in 0..=file().len()
        ) {
            let mut damaged = file();
            damaged.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = byte);
            damaged.truncate(stop);
            prop_assert!(rows().starts_with(&read(&damaged).0));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
            read(&bytes).1.ok();
            read(&[&HEADER[..], &bytes].concat()).1.ok();
        }
    }

    #[test]
    fn round_trips_with_and_without_zeros_behind() {
        let mut bytes = file();
        let end = bytes.len();
        assert_eq!(read(&bytes), (rows(), Ok(end)));
        bytes.resize(end + 1000, 0);
        assert_eq!(read(&bytes), (rows(), Ok(end)));
        assert_eq!(read(&HEADER), (vec![], Ok(8)));
    }

    #[test]
    fn is_what_prometheus_writes() {
        let mut out = Vec::new();
        encode(SeriesRef(0x1234), &chunk(1000, 2000, &[0, 1, 2, 3]), true, &mut out);
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        let (entry, checksum) = hex.split_at(hex.len() - 8);
        assert_eq!(entry, "000000000000123400000000000003e800000000000007d0810400010203");
        assert_eq!(checksum, format!("{:08x}", crc32c::crc32c(&out[..out.len() - 4])));
    }

    #[test]
    fn every_cut_is_seen_and_what_stands_before_it_is_read() {
        let whole = file();
        let ends: Vec<usize> = (0..=rows().len())
            .map(|count| {
                let mut part = HEADER.to_vec();
                for (series, mint, maxt, data, late) in rows().into_iter().take(count) {
                    encode(SeriesRef(series), &chunk(mint, maxt, &data), late, &mut part);
                }
                part.len()
            })
            .collect();
        for cut in 0..whole.len() {
            let (found, outcome) = read(&whole[..cut]);
            let before = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(found, rows()[..before.saturating_sub(1)], "{cut}");
            let end = ends[..before].last().copied().unwrap_or(0);
            let clean = before > 0 && whole[end..cut].iter().all(|byte| *byte == 0);
            assert_eq!(outcome.is_ok(), clean, "{cut}: zeros could be the end");
            assert_eq!(outcome.unwrap_or_else(|damage| damage.offset), end);
        }
    }

    #[test]
    fn every_flipped_byte_is_seen() {
        let whole = file();
        for place in 0..whole.len() {
            for bit in [1, 0x80] {
                let mut bad = whole.clone();
                bad[place] ^= bit;
                let (found, outcome) = read(&bad);
                assert_eq!(outcome.is_ok(), (5..8).contains(&place), "{place}: those say nothing");
                assert!(rows().starts_with(&found));
            }
        }
    }

    #[test]
    fn damage_says_what_it_is() {
        let reason = |file: &[u8]| read(file).1.unwrap_err().reason;
        assert_eq!(reason(b"not a file"), Reason::Magic);
        assert_eq!(reason(&[0x01, 0x30, 0xBC, 0x91, 7, 0, 0, 0]), Reason::Version(7));
        let one = |mint, maxt, kind: u8| {
            let mut file = HEADER.to_vec();
            encode(SeriesRef(1), &chunk(mint, maxt, &[]), false, &mut file);
            file[32] = kind;
            let end = file.len() - 4;
            let checksum = crc32c::crc32c(&file[8..end]).to_be_bytes();
            file[end..].copy_from_slice(&checksum);
            file
        };
        assert_eq!(reason(&one(1, 1, 77)), Reason::Encoding(77));
        assert_eq!(reason(&one(2, 1, 1)), Reason::Times);
    }
}
