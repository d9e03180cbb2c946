//! Reading an index: label names, values, postings, series.

use super::contents::{damage, section, Contents};
use super::pairs::Pairs;
use super::series::{take_chunks, take_entry, take_labels, ChunkMeta};
use super::symbols::Symbols;
use super::{Damage, Postings, Reason, SERIES_ALIGN};
use crate::blob::Blob;
use crate::bytes::{put_prefixed, Decoder};

/// An index, versions 1 to 3. Some offsets are kept in memory, everything else is read where it lies.
///
/// Symbols and label pairs are checked when it is opened; lists and series, with their checksums, when they are asked for.
#[derive(Debug)]
pub struct Index {
    blob: Blob,
    pub(super) contents: Contents,
    pub(super) symbols: Symbols,
    pub(super) pairs: Pairs,
}

impl Index {
    /// Read what finds the rest.
    pub fn open(blob: Blob) -> Result<Self, Damage> {
        let contents = Contents::read(&blob)?;
        let symbols = Symbols::read(&blob, contents.symbols, contents.version)?;
        let pairs = Pairs::read(&blob, contents.postings_table)?;
        Ok(Self {
            blob,
            contents,
            symbols,
            pairs,
        })
    }

    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.blob
    }

    /// Version of the format.
    pub fn version(&self) -> u8 {
        self.contents.version
    }

    /// Bytes of the file.
    pub fn size(&self) -> usize {
        self.blob.len()
    }

    /// The texts of all label names and values, ascending.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter(&self.blob)
    }

    /// How many symbols there are.
    pub fn symbol_count(&self) -> usize {
        self.symbols.count()
    }

    /// How many label pairs there are.
    pub fn pair_count(&self) -> usize {
        self.pairs.count().saturating_sub(1)
    }

    /// All label names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.names(&self.blob)
    }

    /// The values of a label name, ascending.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.pairs.of_name(&self.blob, name, "").map(|pair| pair.value)
    }

    /// The values of a label name, ascending, each with the list of its series.
    pub fn lists<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, Result<Postings<'a>, Damage>)> {
        let pairs = self.pairs.of_name(&self.blob, name, "");
        pairs.map(|pair| (pair.value, self.list(pair.list)))
    }

    /// The series that have a label pair; an empty list when none has.
    pub fn postings(&self, name: &str, value: &str) -> Result<Postings<'_>, Damage> {
        match self.pairs.find(&self.blob, name, value) {
            Some(offset) => self.list(offset),
            None => Ok(Postings::default()),
        }
    }

    /// All series, which is their order by labels too.
    pub fn all(&self) -> Result<Postings<'_>, Damage> {
        self.postings("", "")
    }

    /// The list that begins at `offset`.
    pub(super) fn list(&self, offset: u64) -> Result<Postings<'_>, Damage> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let body = section(&self.blob, offset)?;
        let mut list = Decoder::new(self.blob.get(body.clone()).unwrap_or_default());
        let count = list.u32_be();
        let postings = Postings::new(list.rest()).filter(|postings| count == Ok(postings.len() as u32));
        postings.ok_or_else(|| damage(body, Reason::Undecodable))
    }

    /// Read the series that `reference` of a postings list means: `labels` is replaced by its labels, packed, `chunks` by its
    /// chunks in the order of the file.
    pub fn series(&self, reference: u32, labels: &mut Vec<u8>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Damage> {
        let offset = self.series_offset(reference);
        self.series_at(offset, labels, chunks)
    }

    /// Where the entry of a series begins.
    pub(super) fn series_offset(&self, reference: u32) -> u64 {
        match self.contents.version {
            1 => reference.into(),
            _ => u64::from(reference) * SERIES_ALIGN,
        }
    }

    fn series_at(&self, offset: u64, labels: &mut Vec<u8>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Damage> {
        let series = self.contents.series..self.contents.label_indices;
        let start = usize::try_from(offset).ok().filter(|start| series.contains(start));
        let start = start.ok_or_else(|| damage(0..0, Reason::NoTarget(offset)))?;
        let mut rest = Decoder::new(self.blob.get(start..series.end).unwrap_or_default());
        let body = take_entry(&mut rest);
        let end = series.end - rest.len();
        let decoded = body.and_then(|body| self.decode(body, labels, chunks));
        decoded.map_err(|reason| damage(start..end.max(start + 1), reason))
    }

    /// A body whose checksum is right.
    fn decode(&self, body: &[u8], labels: &mut Vec<u8>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Reason> {
        let mut body = Decoder::new(body);
        labels.clear();
        take_labels(&mut body, |name, value| self.put_label(name, value, labels))?;
        take_chunks(&mut body, chunks)
    }

    /// Append a label, told by its symbols, to a packed label set.
    pub(super) fn put_label(&self, name: u64, value: u64, labels: &mut Vec<u8>) -> Result<(), Reason> {
        let text = |symbol| self.symbols.get(&self.blob, symbol).ok_or(Reason::NoSymbol(symbol));
        let (name, value) = (text(name)?, text(value)?);
        if name.is_empty() {
            return Err(Reason::LabelOrder);
        }
        // A label without a value is none to Prometheus.
        if !value.is_empty() {
            put_prefixed(labels, name.as_bytes());
            put_prefixed(labels, value.as_bytes());
        }
        Ok(())
    }
}
