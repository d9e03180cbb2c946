//! The index of a block, in pieces: symbols, series, postings, their table, the table of contents.
//!
//! Nothing is written twice and nothing is read back: lengths are computed before the bytes that they announce, and the
//! references of a label pair find their places by counting, as in a counting sort.

use super::dictionary::Dictionary;
use super::{Refusal, INDEX_MAGIC, SERIES_ALIGN};
use crate::bytes::{put_prefixed, put_uvarint, Decoder, Truncated};

/// A piece is about this long; a postings list is never divided.
pub(super) const PIECE: usize = 1 << 20;
/// The version that is written.
const VERSION: u8 = 2;
/// Series references have 32 bits.
const MAX_INDEX: u64 = (u32::MAX as u64) * SERIES_ALIGN;

/// What comes next, and how much of it is done.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Header,
    Symbols(usize),
    Series,
    Postings(usize),
    Table(usize),
    Contents,
    Done,
}

/// The bytes of an index, to be taken with [`IndexPieces::next_piece`] until there are no more.
pub struct IndexPieces {
    dictionary: Dictionary,
    /// Symbol numbers in bytewise order, and the place of each number in it.
    symbols: Vec<u32>,
    ranks: Vec<u32>,
    /// Pair numbers in order of name and value.
    pairs: Vec<u32>,
    /// By pair number, where its next reference goes in `references`.
    cursors: Vec<usize>,
    /// References of all series, and of the series of each pair in the order of `pairs`.
    all: Vec<u32>,
    references: Vec<u32>,
    series: std::vec::IntoIter<Vec<u8>>,
    stage: Stage,
    offset: u64,
    crc: u32,
    contents: [u64; 6],
    postings_start: u64,
}

impl IndexPieces {
    pub(super) fn new(
        mut dictionary: Dictionary,
        series: Vec<Vec<u8>>,
        count: u64,
        labels: u64,
    ) -> Result<Self, Refusal> {
        dictionary.freeze();
        let mut symbols: Vec<u32> = (0..dictionary.symbols()).collect();
        symbols.sort_unstable_by(|a, b| dictionary.symbol(*a).cmp(dictionary.symbol(*b)));
        let mut ranks = vec![0; symbols.len()];
        for (rank, number) in symbols.iter().enumerate() {
            set(&mut ranks, *number as usize, rank as u32);
        }
        let rank = |number: u32| ranks.get(number as usize).copied().unwrap_or_default();
        let mut pairs: Vec<u32> = (0..dictionary.pairs().len() as u32).collect();
        pairs.sort_unstable_by_key(|number| {
            let pair = dictionary.pairs().get(*number as usize);
            pair.map_or((0, 0), |pair| (rank(pair.name), rank(pair.value)))
        });
        let mut cursors = vec![0; pairs.len()];
        let mut start = 0;
        for number in &pairs {
            set(&mut cursors, *number as usize, start);
            start += dictionary
                .pairs()
                .get(*number as usize)
                .map_or(0, |pair| pair.series as usize);
        }
        Ok(Self {
            symbols,
            ranks,
            pairs,
            cursors,
            all: Vec::with_capacity(count as usize),
            references: vec![0; labels as usize],
            dictionary,
            series: series.into_iter(),
            stage: Stage::Header,
            offset: 0,
            crc: 0,
            contents: [0; 6],
            postings_start: 0,
        })
    }

    /// The next bytes of the index; `None` when it is whole.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let mut out = Vec::with_capacity(PIECE);
        while out.len() < PIECE && !matches!(self.stage, Stage::Done) {
            self.stage = match self.stage {
                Stage::Header => self.put_header(&mut out)?,
                Stage::Symbols(done) => self.put_symbols(&mut out, done),
                Stage::Series => self.put_series(&mut out)?,
                Stage::Postings(done) => self.put_postings(&mut out, done),
                Stage::Table(done) => self.put_table(&mut out, done)?,
                Stage::Contents => self.put_contents(&mut out),
                Stage::Done => Stage::Done,
            };
        }
        self.offset += out.len() as u64;
        Ok(Some(out).filter(|out| !out.is_empty()))
    }

    /// The offset in the file of the next byte in `out`.
    fn position(&self, out: &[u8]) -> u64 {
        self.offset + out.len() as u64
    }

    fn put_header(&mut self, out: &mut Vec<u8>) -> Result<Stage, Refusal> {
        out.extend_from_slice(&INDEX_MAGIC.to_be_bytes());
        out.push(VERSION);
        let [symbols, ..] = &mut self.contents;
        *symbols = self.offset + out.len() as u64;
        let length = |number: &u32| {
            let length = self.dictionary.symbol(*number).len() as u64;
            uvarint_length(length) + length
        };
        let body: u64 = 4 + self.symbols.iter().map(length).sum::<u64>();
        put_u32(out, section_length(body, "the size of the symbol table")?);
        let count = (self.symbols.len() as u32).to_be_bytes();
        out.extend_from_slice(&count);
        self.crc = crc32c::crc32c(&count);
        Ok(Stage::Symbols(0))
    }

    fn put_symbols(&mut self, out: &mut Vec<u8>, done: usize) -> Stage {
        let from = out.len();
        let mut next = done;
        for number in self.symbols.iter().skip(done) {
            put_prefixed(out, self.dictionary.symbol(*number));
            next += 1;
            if out.len() >= PIECE {
                break;
            }
        }
        self.checksum(out, from);
        if next < self.symbols.len() {
            return Stage::Symbols(next);
        }
        put_u32(out, self.crc);
        self.contents[1] = self.position(out);
        Stage::Series
    }

    /// One part of the series that the writer kept.
    fn put_series(&mut self, out: &mut Vec<u8>) -> Result<Stage, Refusal> {
        let Some(part) = self.series.next() else {
            let end = self.position(out);
            self.contents[2] = end;
            self.contents[4] = end;
            pad(out, end, 4);
            self.postings_start = self.position(out);
            return Ok(Stage::Postings(0));
        };
        let mut entries = Decoder::new(&part);
        let mut body = Vec::new();
        while !entries.is_empty() {
            pad(out, self.position(out), SERIES_ALIGN);
            let reference = u32::try_from(self.position(out) / SERIES_ALIGN);
            let reference = reference.map_err(|_| Refusal::TooLarge("the size of the index", MAX_INDEX))?;
            self.all.push(reference);
            body.clear();
            // The writer's own bytes: they decode.
            let _ = self.translate(&mut entries, reference, &mut body);
            put_prefixed(out, &body);
            put_u32(out, crc32c::crc32c(&body));
        }
        Ok(Stage::Series)
    }

    /// One series, from pair numbers to symbol ranks, entered into the postings of its pairs.
    fn translate(&mut self, entries: &mut Decoder<'_>, reference: u32, body: &mut Vec<u8>) -> Result<(), Truncated> {
        let labels = entries.uvarint()?;
        put_uvarint(body, labels);
        for _ in 0..labels {
            let number = entries.uvarint()? as usize;
            let pair = self.dictionary.pairs().get(number).ok_or(Truncated)?;
            for symbol in [pair.name, pair.value] {
                put_uvarint(
                    body,
                    self.ranks.get(symbol as usize).copied().unwrap_or_default().into(),
                );
            }
            let cursor = self.cursors.get_mut(number).ok_or(Truncated)?;
            set(&mut self.references, *cursor, reference);
            *cursor += 1;
        }
        body.extend_from_slice(entries.prefixed()?);
        Ok(())
    }

    /// List 0 is that of all series; list n that of the n-th pair.
    fn put_postings(&mut self, out: &mut Vec<u8>, done: usize) -> Stage {
        let references = match done.checked_sub(1) {
            None => self.all.as_slice(),
            Some(n) => self.references_of(n),
        };
        // The length of a list is a multiple of 4, so the next one is aligned as this one is.
        put_u32(out, 4 + 4 * references.len() as u32);
        let from = out.len();
        put_u32(out, references.len() as u32);
        references.iter().for_each(|reference| put_u32(out, *reference));
        let crc = crc32c::crc32c(out.get(from..).unwrap_or_default());
        put_u32(out, crc);
        if done < self.pairs.len() {
            return Stage::Postings(done + 1);
        }
        let end = self.position(out);
        self.contents[3] = end;
        self.contents[5] = end;
        Stage::Table(0)
    }

    /// The series of the n-th pair; all of them have been entered, so its cursor stands at their end.
    fn references_of(&self, n: usize) -> &[u32] {
        let number = self.pairs.get(n).map_or(usize::MAX, |number| *number as usize);
        let end = self.cursors.get(number).copied().unwrap_or_default();
        let count = self
            .dictionary
            .pairs()
            .get(number)
            .map_or(0, |pair| pair.series as usize);
        self.references.get(end.saturating_sub(count)..end).unwrap_or_default()
    }

    fn put_table(&mut self, out: &mut Vec<u8>, done: usize) -> Result<Stage, Refusal> {
        let from = if done == 0 {
            let body = 4 + (0..=self.pairs.len()).map(|n| self.entry_length(n)).sum::<u64>();
            put_u32(out, section_length(body, "the size of the postings offset table")?);
            self.crc = 0;
            put_u32(out, self.pairs.len() as u32 + 1);
            out.len() - 4
        } else {
            out.len()
        };
        let mut next = done;
        while next <= self.pairs.len() && out.len() < PIECE {
            let (name, value) = self.pair(next);
            put_uvarint(out, 2);
            put_prefixed(out, name);
            put_prefixed(out, value);
            put_uvarint(out, self.list_offset(next));
            next += 1;
        }
        self.checksum(out, from);
        if next <= self.pairs.len() {
            return Ok(Stage::Table(next));
        }
        put_u32(out, self.crc);
        Ok(Stage::Contents)
    }

    fn entry_length(&self, n: usize) -> u64 {
        let (name, value) = self.pair(n);
        let prefixed = |text: &[u8]| uvarint_length(text.len() as u64) + text.len() as u64;
        1 + prefixed(name) + prefixed(value) + uvarint_length(self.list_offset(n))
    }

    /// Name and value of the n-th list.
    fn pair(&self, n: usize) -> (&[u8], &[u8]) {
        let number = n.checked_sub(1).and_then(|n| self.pairs.get(n));
        let pair = number.and_then(|number| self.dictionary.pairs().get(*number as usize));
        pair.map_or((&[], &[]), |pair| {
            (self.dictionary.symbol(pair.name), self.dictionary.symbol(pair.value))
        })
    }

    /// Where the n-th list begins: behind those before it, of 12 bytes and 4 for each reference.
    fn list_offset(&self, n: usize) -> u64 {
        let before = match n.checked_sub(1) {
            None => 0,
            Some(n) => {
                let number = self.pairs.get(n).map_or(usize::MAX, |number| *number as usize);
                let end = self.cursors.get(number).copied().unwrap_or_default();
                let count = self
                    .dictionary
                    .pairs()
                    .get(number)
                    .map_or(0, |pair| pair.series as usize);
                self.all.len() + end.saturating_sub(count)
            }
        };
        self.postings_start + 12 * n as u64 + 4 * before as u64
    }

    fn put_contents(&mut self, out: &mut Vec<u8>) -> Stage {
        let from = out.len();
        for offset in self.contents {
            out.extend_from_slice(&offset.to_be_bytes());
        }
        let crc = crc32c::crc32c(out.get(from..).unwrap_or_default());
        put_u32(out, crc);
        Stage::Done
    }

    /// Take what stands in `out` behind `from` into the checksum of the section.
    fn checksum(&mut self, out: &[u8], from: usize) {
        self.crc = crc32c::crc32c_append(self.crc, out.get(from..).unwrap_or_default());
    }
}

fn set<T>(column: &mut [T], place: usize, value: T) {
    if let Some(slot) = column.get_mut(place) {
        *slot = value;
    }
}

fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_be_bytes());
}

/// Zeros up to the next multiple of `align`, counted from the file's start.
fn pad(out: &mut Vec<u8>, position: u64, align: u64) {
    let missing = position.next_multiple_of(align) - position;
    out.resize(out.len() + missing as usize, 0);
}

fn section_length(length: u64, what: &'static str) -> Result<u32, Refusal> {
    u32::try_from(length).map_err(|_| Refusal::TooLarge(what, u32::MAX.into()))
}

fn uvarint_length(v: u64) -> u64 {
    u64::from((64 - (v | 1).leading_zeros()).div_ceil(7))
}
