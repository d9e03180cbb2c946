//! Closed chunks leave memory: they are written to files, and from then on read from there.

use super::series::Series;
use super::Head;
use crate::blob::Blob;
use crate::chunk::Chunk;
use crate::head_chunks;
use crate::wal::SeriesRef;

/// Chunks to be written to a file.
#[derive(Debug, Default)]
pub struct ClosedChunks {
    /// Their entries.
    pub bytes: Vec<u8>,
    entries: Vec<Closed>,
}

#[derive(Debug)]
struct Closed {
    slot: u32,
    series: SeriesRef,
    chunk: Chunk,
    out_of_order: bool,
    /// In the bytes.
    offset: usize,
}

impl ClosedChunks {
    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Head {
    /// The chunks that have waited longest, until their entries have `size` bytes. They stay as they are: when the entries cannot be
    /// written, nothing is to be done, and the same chunks come with the next call.
    pub fn closed_chunks(&self, size: usize) -> ClosedChunks {
        let mut found = ClosedChunks::default();
        for &slot in &self.to_map {
            let Some(series) = self.series.get(slot as usize) else {
                continue;
            };
            let in_order = series.in_order().closed().iter().map(|chunk| (chunk, false));
            let late = series.late().into_iter().flat_map(|late| late.closed());
            for (chunk, out_of_order) in in_order.chain(late.map(|chunk| (chunk, true))) {
                if found.bytes.len() >= size {
                    return found;
                }
                let offset = found.bytes.len();
                head_chunks::encode(series.reference(), chunk, out_of_order, &mut found.bytes);
                found.entries.push(Closed {
                    slot,
                    series: series.reference(),
                    chunk: chunk.clone(),
                    out_of_order,
                    offset,
                });
            }
        }
        found
    }

    /// Read `written` from now on from file `number`, in whose `bytes` it stands at `offset`.
    pub fn mapped(&mut self, written: &ClosedChunks, number: u32, offset: usize, bytes: Blob) {
        self.files.map(number, bytes);
        for entry in &written.entries {
            let series = self.series.get_mut(entry.slot as usize);
            let series = series.filter(|series| series.reference() == entry.series);
            let (Some(series), Some(mapped)) = (series, self.files.take(number, offset + entry.offset)) else {
                continue;
            };
            match series.swap(&entry.chunk, entry.out_of_order, mapped) {
                Some(freed) => self.stats.bytes -= freed,
                None => self.files.release(mapped),
            }
        }
        while let Some(&slot) = self.to_map.front() {
            if self.series.get_mut(slot as usize).is_some_and(Series::stays_queued) {
                break;
            }
            self.to_map.pop_front();
        }
    }

    /// Forget the oldest files, those that the head needs nothing of and that come before file `end`: their numbers, for they can
    /// be deleted. A reader that still has a part of one keeps its bytes.
    pub fn forget_files(&mut self, end: u32) -> Vec<u32> {
        self.files.drop_unused(end)
    }
}
