//! Building a block: series in label order go in, pieces of files come out.
//!
//! Chunks leave while series are added, so what stays is one series' chunks, the texts of the labels, some bytes for each
//! series, and at the end the postings: a block of a million series needs no more than twice its index.

use std::cmp::Ordering;

use super::chunk_writer::{ChunkWriter, SEGMENT_SIZE};
use super::dictionary::Dictionary;
use super::held::HeldWriter;
use super::index_writer::{IndexPieces, PIECE};
use super::series::{put_chunks, ChunkMeta};
use super::Refusal;
use crate::bytes::put_uvarint;
use crate::chunk::{Chunk, Encoding};
use crate::labels::{compare, format_labels, Labels};

/// Bytes to be appended to chunk file `file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Number of the file, from 1.
    pub file: u32,
    /// What comes next in it.
    pub bytes: Vec<u8>,
}

/// What `meta.json` tells of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series.
    pub series: u64,
    /// Chunks.
    pub chunks: u64,
    /// Samples of chunks of floats.
    pub float_samples: u64,
    /// Samples of chunks of native histograms.
    pub histogram_samples: u64,
    /// Times of the first and the last sample, ms, both inclusive; `None` without samples.
    pub range: Option<(i64, i64)>,
}

impl Stats {
    /// Samples of both kinds.
    pub fn samples(&self) -> u64 {
        self.float_samples + self.histogram_samples
    }

    /// Count a chunk in.
    pub(super) fn count(&mut self, encoding: Encoding, mint: i64, maxt: i64, samples: u16) {
        self.chunks += 1;
        match encoding {
            Encoding::Xor | Encoding::Xor2 => self.float_samples += u64::from(samples),
            _ => self.histogram_samples += u64::from(samples),
        }
        let (first, last) = self.range.unwrap_or((mint, maxt));
        self.range = Some((first.min(mint), last.max(maxt)));
    }
}

/// A block that is being written.
pub struct Writer {
    dictionary: Dictionary,
    /// Per series `labels uv, pair uv.., bytes uv, chunks as in the index`; in parts, each of which is freed once it is written.
    series: Vec<Vec<u8>>,
    labels_total: u64,
    chunks: ChunkWriter,
    held: HeldWriter,
    stats: Stats,
    last: Vec<u8>,
    metas: Vec<ChunkMeta>,
    encoded: Vec<u8>,
}

/// A block whose series are all there.
pub struct Finished {
    /// The last pieces of chunk files.
    pub chunks: Vec<Piece>,
    /// The index, to be drained.
    pub index: IndexPieces,
    /// The file `held`; `None` when no series is held.
    pub held: Option<Vec<u8>>,
    /// For `meta.json`.
    pub stats: Stats,
}

impl Writer {
    /// A block without series. `ticks`: the ascending times of the hold ticks whose samples will be in it, see [`super::Held`].
    pub fn new(ticks: &[i64]) -> Result<Self, Refusal> {
        Self::with_segment_size(ticks, SEGMENT_SIZE)
    }

    /// The same with chunk files of another size, so that tests need not write 512 MiB.
    pub fn with_segment_size(ticks: &[i64], segment_size: u64) -> Result<Self, Refusal> {
        Ok(Self {
            dictionary: Dictionary::new()?,
            series: Vec::new(),
            labels_total: 0,
            chunks: ChunkWriter::new(segment_size.min(u32::MAX.into())),
            held: HeldWriter::new(ticks)?,
            stats: Stats::default(),
            last: Vec::new(),
            metas: Vec::new(),
            encoded: Vec::new(),
        })
    }

    /// Append a series, greater than all before it, and its chunks, ascending and apart. For a held series `exceptions` are
    /// the ticks at which it has a real sample. A series that is refused leaves the block as it was.
    pub fn add(&mut self, labels: Labels<'_>, chunks: &[Chunk], exceptions: Option<&[i64]>) -> Result<(), Refusal> {
        self.check_labels(labels)?;
        let mut stats = self.stats;
        check_chunks(labels, chunks, &mut stats)?;
        let ordinal =
            u32::try_from(stats.series).map_err(|_| Refusal::TooLarge("the number of series", u32::MAX.into()))?;
        let held = exceptions.map(|times| self.held.entry(ordinal, times)).transpose()?;

        self.encoded.clear();
        put_uvarint(&mut self.encoded, labels.count() as u64);
        for (name, value) in labels.iter() {
            let pair = self.dictionary.count_pair(name, value)?;
            put_uvarint(&mut self.encoded, pair.into());
            self.labels_total += 1;
        }
        self.metas.clear();
        for chunk in chunks {
            let reference = self.chunks.add(chunk);
            self.metas.push(ChunkMeta {
                mint: chunk.mint,
                maxt: chunk.maxt,
                reference,
            });
        }
        let mut told = Vec::with_capacity(16 * chunks.len());
        put_chunks(&mut told, &self.metas);
        put_uvarint(&mut self.encoded, told.len() as u64);
        self.encoded.extend_from_slice(&told);
        self.keep_encoded();

        if let Some(entry) = held {
            self.held.push(entry);
        }
        stats.series += 1;
        self.stats = stats;
        self.last.clear();
        self.last.extend_from_slice(labels.packed());
        Ok(())
    }

    /// Bytes of chunk files that wait to be drained.
    pub fn pending(&self) -> usize {
        self.chunks.pending()
    }

    /// Take the bytes of chunk files so far. Drain now and then, or they stay in memory.
    pub fn drain(&mut self) -> Vec<Piece> {
        self.chunks.drain()
    }

    /// What has been added so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// No more series come.
    pub fn finish(mut self) -> Result<Finished, Refusal> {
        Ok(Finished {
            chunks: self.chunks.drain(),
            index: IndexPieces::new(self.dictionary, self.series, self.stats.series, self.labels_total)?,
            held: self.held.finish(),
            stats: self.stats,
        })
    }

    fn check_labels(&self, labels: Labels<'_>) -> Result<(), Refusal> {
        if labels.packed().is_empty() {
            return Err(Refusal::NoLabels);
        }
        let last = Labels::trusted(&self.last);
        if compare(labels, last) != Ordering::Greater {
            return Err(Refusal::Unsorted(text(labels), text(last)));
        }
        Ok(())
    }

    fn keep_encoded(&mut self) {
        match self
            .series
            .last_mut()
            .filter(|part| part.len() + self.encoded.len() <= PIECE)
        {
            Some(part) => part.extend_from_slice(&self.encoded),
            None => {
                let mut part = Vec::with_capacity(PIECE.max(self.encoded.len()));
                part.extend_from_slice(&self.encoded);
                self.series.push(part);
            }
        }
    }
}

fn check_chunks(labels: Labels<'_>, chunks: &[Chunk], stats: &mut Stats) -> Result<(), Refusal> {
    if chunks.is_empty() {
        return Err(Refusal::NoChunks(text(labels)));
    }
    let mut last: Option<i64> = None;
    for chunk in chunks {
        if chunk.maxt < chunk.mint || last.is_some_and(|last| chunk.mint <= last) {
            return Err(Refusal::ChunkTimes(text(labels), chunk.mint, chunk.maxt));
        }
        last = Some(chunk.maxt);
        match chunk.count() {
            Ok(samples @ 1..) => stats.count(chunk.encoding, chunk.mint, chunk.maxt, samples),
            _ => return Err(Refusal::EmptyChunk(text(labels))),
        }
        if u32::try_from(chunk.data.len()).is_err() {
            return Err(Refusal::TooLarge("the size of a chunk", u32::MAX.into()));
        }
    }
    Ok(())
}

fn text(labels: Labels<'_>) -> String {
    let mut text = String::new();
    format_labels(labels, &mut text);
    text
}
