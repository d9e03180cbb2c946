//! The samples of one series that came after newer ones: a small buffer, and the chunks that it became each time it was full.

use super::in_order::size;
use super::mapped::{ChunkFiles, Mapped};
use crate::chunk::{Chunk, Sequence};
use crate::sample::{Sample, Value};

/// Samples that are kept uncompressed, so that one more can be put between them.
const BUFFER: usize = 32;

/// Chunks in the order in which they were closed. They may overlap each other and those of the samples that came in order.
#[derive(Debug, Default)]
pub struct OutOfOrder {
    /// By time, no time twice.
    buffer: Vec<Sample>,
    /// Waiting to be mapped; closed after those that are.
    closed: Vec<Chunk>,
    mapped: Vec<Mapped>,
}

impl OutOfOrder {
    /// Number of chunks; the buffer counts as one.
    pub fn len(&self) -> usize {
        self.closed_len() + usize::from(!self.buffer.is_empty())
    }

    /// Number of chunks that take no more samples.
    pub fn closed_len(&self) -> usize {
        self.mapped.len() + self.closed.len()
    }

    /// Chunks that wait to be mapped, oldest first.
    pub fn closed(&self) -> &[Chunk] {
        &self.closed
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        let closed: usize = self.closed.iter().map(size).sum();
        size_of::<Self>() + self.buffer.len() * size_of::<Sample>() + closed + self.mapped.len() * size_of::<Mapped>()
    }

    /// Add a sample. One whose time is in the buffer already says nothing new.
    pub fn insert(&mut self, t: i64, value: Value) {
        if let Err(place) = self.buffer.binary_search_by_key(&t, |(t, _)| *t) {
            self.buffer.insert(place, (t, value));
        }
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Let the buffer become chunks.
    pub fn flush(&mut self) {
        let chunks = encode(&self.buffer);
        self.closed.extend(chunks);
        self.buffer.clear();
    }

    /// The chunks with samples in `mint..=maxt`.
    pub fn chunks(&self, mint: i64, maxt: i64, files: &ChunkFiles) -> Vec<Chunk> {
        let mapped = self
            .mapped
            .iter()
            .filter(|chunk| chunk.maxt >= mint && chunk.mint <= maxt);
        let mapped = mapped.filter_map(|mapped| files.chunk(*mapped));
        let memory = self.closed.iter().cloned().chain(encode(&self.buffer));
        mapped
            .chain(memory.filter(|chunk| chunk.maxt >= mint && chunk.mint <= maxt))
            .collect()
    }

    /// Swap the oldest chunk in memory, which must be `chunk`, for its place in a file; false when it is another.
    pub fn swap(&mut self, chunk: &Chunk, mapped: Mapped) -> bool {
        let same = self
            .closed
            .first()
            .is_some_and(|first| std::ptr::eq(&*first.data, &*chunk.data));
        if same {
            self.closed.remove(0);
            self.mapped.push(mapped);
        }
        same
    }

    /// Drop the first `count` chunks, which a block has.
    pub fn drop_first(&mut self, count: usize, files: &mut ChunkFiles) {
        let mapped = count.min(self.mapped.len());
        self.mapped.drain(..mapped).for_each(|chunk| files.release(chunk));
        self.closed.drain(..(count - mapped).min(self.closed.len()));
    }
}

/// Chunks of samples that are in order.
pub fn encode(samples: &[Sample]) -> Vec<Chunk> {
    let mut sequence = Sequence::default();
    let full = samples.iter().filter_map(|(t, value)| sequence.append(*t, value));
    let mut chunks: Vec<Chunk> = full.collect();
    chunks.extend(sequence.finish());
    chunks
}
