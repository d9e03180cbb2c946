//! Mapped chunks at a start: they are there before the log is replayed, and save replaying what they hold.

use ahash::RandomState;
use hashbrown::HashMap;

use super::mapped::Mapped;
use super::replay::MAX_REF;
use super::Head;
use crate::blob::Blob;
use crate::head_chunks::{Damage, Entries, Reason};
use crate::sample::Sample;
use crate::wal::SeriesRef;

/// What waits for the log to be replayed.
#[derive(Default)]
pub(super) struct Recovery {
    /// Chunks by series, oldest first, until the log tells whose reference that is.
    chunks: HashMap<SeriesRef, Vec<Mapped>, RandomState>,
    /// The newest value of held series before the time of the head, by slot.
    pub standing: HashMap<u32, Sample, RandomState>,
}

/// What a file held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attached {
    /// Chunks that the head can use.
    pub chunks: usize,
    /// Where the last one ends.
    pub end: usize,
}

impl Head {
    /// Read the chunks of file `number` in place of the log. Files must come in order, all of them before the log.
    ///
    /// Of a damaged file nothing is used, for the log has all of it. Chunks of samples that came out of order are left to the log too:
    /// no samples are skipped for them.
    pub fn attach(&mut self, number: u32, bytes: Blob) -> Result<Attached, Damage> {
        let mut entries = Entries::new(bytes.clone())?;
        let mut found: Vec<(SeriesRef, usize)> = Vec::new();
        let mut ends: HashMap<SeriesRef, i64, RandomState> = HashMap::default();
        while let Some(entry) = entries.next_entry()? {
            self.last_ref = self.last_ref.max(entry.series.0.min(MAX_REF));
            if entry.out_of_order || entry.chunk.maxt < self.accepts.min_valid {
                continue;
            }
            let earlier = || Some(self.recovery.chunks.get(&entry.series)?.last()?.maxt);
            let end = ends.get(&entry.series).copied().or_else(earlier);
            if end.is_some_and(|end| entry.chunk.mint <= end) {
                let (offset, reason) = (entry.offset, Reason::Order);
                return Err(Damage { offset, reason });
            }
            ends.insert(entry.series, entry.chunk.maxt);
            found.push((entry.series, entry.offset));
        }
        self.files.map(number, bytes);
        for (series, offset) in &found {
            if let Some(mapped) = self.files.take(number, *offset) {
                self.recovery.chunks.entry(*series).or_default().push(mapped);
            }
        }
        Ok(Attached {
            chunks: found.len(),
            end: entries.offset(),
        })
    }

    /// The log tells that `reference` is the series at `slot`: chunks that wait for it are its own.
    pub(super) fn claim(&mut self, reference: SeriesRef, slot: u32) {
        let Some(chunks) = self.recovery.chunks.remove(&reference) else {
            return;
        };
        let Some(series) = self.series.get_mut(slot as usize) else {
            return;
        };
        let was_empty = series.is_empty();
        if !series.attach(&chunks, &self.files) {
            chunks.into_iter().for_each(|chunk| self.files.release(chunk));
            return;
        }
        if was_empty {
            self.stats.series += 1;
            self.stats.bytes += series.overhead();
        }
        self.stats.chunks += chunks.len();
        self.stats.bytes += chunks.len() * size_of::<Mapped>();
        if let (Some(first), Some(last)) = (chunks.first(), chunks.last()) {
            self.extend_range(first.mint, last.maxt);
        }
    }

    /// Forget chunks whose series the log does not tell; how many.
    pub(super) fn forget_unclaimed(&mut self) -> usize {
        let unclaimed = std::mem::take(&mut self.recovery).chunks;
        let chunks = unclaimed.into_values().flatten();
        chunks.map(|chunk| self.files.release(chunk)).count()
    }
}
