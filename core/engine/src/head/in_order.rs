//! The samples of one series that came in order of their times: chunks in files, then in memory, then the open one.

use super::mapped::{ChunkFiles, Mapped};
use crate::chunk::{Chunk, Sequence};
use crate::sample::{Sample, Value};

/// Chunks in time order, without overlap.
#[derive(Debug, Default)]
pub struct InOrder {
    mapped: Vec<Mapped>,
    /// Waiting to be mapped.
    closed: Vec<Chunk>,
    open: Sequence,
}

/// What went away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Chunks.
    pub chunks: usize,
    /// Bytes of memory.
    pub bytes: usize,
}

impl std::ops::AddAssign for Dropped {
    fn add_assign(&mut self, other: Self) {
        self.chunks += other.chunks;
        self.bytes += other.bytes;
    }
}

/// Memory of a closed chunk that is not mapped yet.
pub fn size(chunk: &Chunk) -> usize {
    size_of::<Chunk>() + chunk.data.len()
}

/// Samples of a chunk, up to the first that does not decode: a chunk of the head was checked when it came in.
pub fn decoded(chunk: &Chunk) -> Vec<Sample> {
    chunk.samples().into_iter().flatten().map_while(Result::ok).collect()
}

impl InOrder {
    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.mapped.len() + self.closed.len() + usize::from(!self.open.is_empty())
    }

    /// Chunks that wait to be mapped, oldest first.
    pub fn closed(&self) -> &[Chunk] {
        &self.closed
    }

    /// Append a sample newer than all others; the memory that it takes.
    pub fn append(&mut self, t: i64, value: &Value) -> usize {
        let before = self.open.bytes();
        let full = self.open.append(t, value);
        let closed = full.as_ref().map_or(0, size);
        self.closed.extend(full);
        (closed + self.open.bytes()).saturating_sub(before)
    }

    /// Time of the first sample.
    pub fn mint(&self) -> Option<i64> {
        let mapped = self.mapped.first().map(|chunk| chunk.mint);
        let closed = || self.closed.first().map(|chunk| chunk.mint);
        mapped.or_else(closed).or_else(|| self.open.first_time())
    }

    /// Time of the last sample.
    pub fn maxt(&self) -> Option<i64> {
        let open = self.open.last_time();
        let closed = || self.closed.last().map(|chunk| chunk.maxt);
        open.or_else(closed).or_else(|| Some(self.mapped.last()?.maxt))
    }

    /// The last sample.
    pub fn last(&self, files: &ChunkFiles) -> Option<Sample> {
        let closed = || self.closed.last().cloned();
        let mapped = || files.chunk(*self.mapped.last()?);
        let chunk = || closed().or_else(mapped);
        self.open.last().or_else(|| decoded(&chunk()?).pop())
    }

    /// The chunks with samples in `mint..=maxt`; with `before`, also the one in which the last sample before `mint` is.
    pub fn chunks(&self, mint: i64, maxt: i64, before: bool, files: &ChunkFiles) -> Vec<Chunk> {
        let mint = if before { self.last_before(mint) } else { mint };
        let mapped = self
            .mapped
            .get(self.mapped.partition_point(|chunk| chunk.maxt < mint)..);
        let mapped = mapped.unwrap_or_default().iter().take_while(|chunk| chunk.mint <= maxt);
        let closed = self
            .closed
            .iter()
            .filter(|chunk| chunk.maxt >= mint && chunk.mint <= maxt);
        let is_open = self.open.first_time() <= Some(maxt) && self.open.last_time() >= Some(mint);
        let open = is_open.then(|| self.open.chunk()).flatten();
        let mapped = mapped.filter_map(|mapped| files.chunk(*mapped));
        mapped.chain(closed.cloned()).chain(open).collect()
    }

    /// `mint`, or the end of the chunk with the last sample before it when that chunk ends before it.
    pub fn last_before(&self, mint: i64) -> i64 {
        let open = self.open.first_time().filter(|first| *first < mint);
        let open = open.and_then(|_| self.open.last_time());
        let closed = || Some(self.closed.iter().rfind(|chunk| chunk.mint < mint)?.maxt);
        let mapped = || Some(self.mapped.iter().rfind(|chunk| chunk.mint < mint)?.maxt);
        open.or_else(closed).or_else(mapped).map_or(mint, |maxt| maxt.min(mint))
    }

    /// Take over chunks of a file, which must be newer than all samples here; false when they are not.
    pub fn attach(&mut self, mapped: &[Mapped]) -> bool {
        let Some(first) = mapped.first() else { return true };
        let fits = self.closed.is_empty() && self.open.is_empty() && self.maxt().is_none_or(|maxt| maxt < first.mint);
        if fits {
            self.mapped.extend_from_slice(mapped);
        }
        fits
    }

    /// Swap the oldest closed chunk, which must be `chunk`, for its place in a file; the memory that this gives back.
    pub fn swap(&mut self, chunk: &Chunk, mapped: Mapped) -> Option<usize> {
        let same = self
            .closed
            .first()
            .is_some_and(|first| std::ptr::eq(&*first.data, &*chunk.data));
        if !same {
            return None; // it was truncated meanwhile
        }
        let freed = size(&self.closed.remove(0)) - size_of::<Mapped>();
        if self.closed.is_empty() {
            self.closed = Vec::new();
        }
        self.mapped.push(mapped);
        Some(freed)
    }

    /// Drop chunks that end before `mint`.
    pub fn truncate(&mut self, mint: i64, files: &mut ChunkFiles) -> Dropped {
        let mut dropped = Dropped::default();
        let old = self.mapped.partition_point(|chunk| chunk.maxt < mint);
        for chunk in self.mapped.drain(..old) {
            files.release(chunk);
            dropped += Dropped {
                chunks: 1,
                bytes: size_of::<Mapped>(),
            };
        }
        let old = self.closed.partition_point(|chunk| chunk.maxt < mint);
        for chunk in self.closed.drain(..old) {
            dropped += Dropped {
                chunks: 1,
                bytes: size(&chunk),
            };
        }
        if self.open.last_time().is_some_and(|last| last < mint) {
            dropped += Dropped {
                chunks: 1,
                bytes: self.open.bytes(),
            };
            self.open = Sequence::default();
        }
        self.mapped.shrink_to(2 * self.mapped.len());
        dropped
    }
}
