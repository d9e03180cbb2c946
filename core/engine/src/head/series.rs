//! One series: its labels, its samples, and the newest of them that is staged.

use std::sync::Arc;

use super::in_order::{decoded, Dropped, InOrder};
use super::mapped::{ChunkFiles, Mapped};
use super::out_of_order::OutOfOrder;
use crate::chunk::Chunk;
use crate::labels::Labels;
use crate::sample::{Sample, Value};
use crate::wal::SeriesRef;

/// A series.
#[derive(Debug)]
pub struct Series {
    reference: SeriesRef,
    /// Shared with readers that are under way.
    labels: Arc<[u8]>,
    in_order: InOrder,
    /// Boxed: most series have none.
    late: Option<Box<OutOfOrder>>,
    /// What the next sample is checked against: the newest one, staged ones included.
    last: Option<Sample>,
    held: bool,
    /// In the head's queue of series with chunks to be mapped.
    queued: bool,
}

impl Series {
    /// A series without samples.
    pub fn new(reference: SeriesRef, labels: Labels<'_>) -> Self {
        Self {
            reference,
            labels: labels.packed().into(),
            in_order: InOrder::default(),
            late: None,
            last: None,
            held: false,
            queued: false,
        }
    }

    /// What the log calls it.
    pub fn reference(&self) -> SeriesRef {
        self.reference
    }

    /// Let the log call it `reference`; what it was called.
    pub fn rename(&mut self, reference: SeriesRef) -> SeriesRef {
        std::mem::replace(&mut self.reference, reference)
    }

    /// Its labels.
    pub fn labels(&self) -> Labels<'_> {
        Labels::trusted(&self.labels)
    }

    /// Its packed labels, to be kept.
    pub fn shared_labels(&self) -> Arc<[u8]> {
        self.labels.clone()
    }

    /// Memory beside its samples.
    pub fn overhead(&self) -> usize {
        size_of::<Self>() + self.labels.len()
    }

    /// The newest sample that came in order, staged ones included.
    pub fn last(&self) -> Option<&Sample> {
        self.last.as_ref()
    }

    /// Let `last` be what the next sample is checked against; what was so before.
    pub fn set_last(&mut self, last: Option<Sample>) -> Option<Sample> {
        std::mem::replace(&mut self.last, last)
    }

    /// Let the newest visible sample be what the next one is checked against.
    pub fn reset_last(&mut self, files: &ChunkFiles) {
        self.last = self.in_order.last(files);
    }

    /// Values are repeated at hold ticks.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Once a push has touched a series, it stays held.
    pub fn hold(&mut self, held: bool) {
        self.held |= held;
    }

    /// Number of chunks.
    pub fn chunks(&self) -> usize {
        self.in_order.len() + self.late().map_or(0, OutOfOrder::len)
    }

    /// True when there is no visible sample.
    pub fn is_empty(&self) -> bool {
        self.chunks() == 0
    }

    /// The samples that came in order.
    pub fn in_order(&self) -> &InOrder {
        &self.in_order
    }

    /// The samples that came late.
    pub fn late(&self) -> Option<&OutOfOrder> {
        self.late.as_deref()
    }

    /// Chunks and bytes of the samples that came late.
    pub fn late_size(&self) -> (usize, usize) {
        self.late().map_or((0, 0), |late| (late.len(), late.bytes()))
    }

    /// The samples that came late, to be changed; made when there are none.
    pub fn late_mut(&mut self) -> &mut OutOfOrder {
        self.late.get_or_insert_default()
    }

    /// Forget that samples came late, when none is left.
    pub fn tidy_late(&mut self) {
        self.late = self.late.take().filter(|late| late.len() > 0);
    }

    /// Append a visible sample, newer than all others; the bytes that it takes.
    pub fn append(&mut self, t: i64, value: &Value) -> usize {
        self.in_order.append(t, value)
    }

    /// True when a chunk waits to be mapped.
    fn waits(&self) -> bool {
        !self.in_order.closed().is_empty() || self.late().is_some_and(|late| !late.closed().is_empty())
    }

    /// True when it has a chunk to be mapped and is to be put into the queue for that, where it is not yet.
    pub fn enqueue(&mut self) -> bool {
        !self.queued && {
            self.queued = self.waits();
            self.queued
        }
    }

    /// True when it stays in the queue, for it has more chunks to be mapped.
    pub fn stays_queued(&mut self) -> bool {
        self.queued = self.waits();
        self.queued
    }

    /// Take over chunks of a file; false when they do not follow the samples that are there, or do not end in a sample.
    pub fn attach(&mut self, mapped: &[Mapped], files: &ChunkFiles) -> bool {
        let last = mapped.last().and_then(|last| decoded(&files.chunk(*last)?).pop());
        let fits = last.is_some() && self.in_order.attach(mapped);
        if fits {
            self.last = last;
        }
        fits
    }

    /// Swap a chunk in memory for its place in a file; the memory that this gives back.
    pub fn swap(&mut self, chunk: &Chunk, out_of_order: bool, mapped: Mapped) -> Option<usize> {
        if !out_of_order {
            return self.in_order.swap(chunk, mapped);
        }
        let late = self.late.as_mut()?;
        let before = late.bytes();
        late.swap(chunk, mapped).then(|| before - late.bytes())
    }

    /// Drop chunks that end before `mint`; of late ones none, for they go when they are in a block. A held value that stands at
    /// `mint` stays: readers and blocks from there on begin with it.
    pub fn truncate(&mut self, mint: i64, files: &mut ChunkFiles) -> Dropped {
        let ended = || self.in_order.maxt() < Some(mint) && self.last().is_some_and(|(_, value)| value.is_stale());
        let cut = if self.held && !ended() {
            self.in_order.last_before(mint)
        } else {
            mint
        };
        self.in_order.truncate(cut, files)
    }

    /// Chunks of late samples in `mint..=maxt`; with `before`, older ones too.
    pub fn late_in(&self, mint: i64, maxt: i64, before: bool, files: &ChunkFiles) -> Vec<Chunk> {
        let mint = if before { i64::MIN } else { mint };
        self.late()
            .map(|late| late.chunks(mint, maxt, files))
            .unwrap_or_default()
    }

    /// All visible chunks with samples in `mint..=maxt`; with `before`, also that with the last sample before `mint`. Those of samples
    /// that came late stand at the end and may overlap the others.
    pub fn chunks_in(&self, mint: i64, maxt: i64, before: bool, files: &ChunkFiles) -> Vec<Chunk> {
        let mut chunks = self.in_order.chunks(mint, maxt, before, files);
        chunks.extend(self.late_in(mint, maxt, before, files));
        chunks
    }

    /// Visible samples at `t`.
    pub fn samples_at(&self, t: i64, files: &ChunkFiles) -> impl Iterator<Item = Sample> {
        let chunks = self.chunks_in(t, t, false, files).into_iter();
        let samples = chunks.flat_map(|chunk| decoded(&chunk));
        samples.filter(move |(u, _)| *u == t)
    }
}
