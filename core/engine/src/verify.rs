//! Reading every byte of what is not in blocks: the log, and the files of head chunks. Blocks have their own, see
//! [`crate::block::verify`].
//!
//! Damage does not end the search. A log is picked up again at the next page from which records can be read; behind a damaged
//! head chunk nothing can be found again, for nothing says where the next one begins.

use ahash::RandomState;
use hashbrown::HashSet;

use crate::blob::Blob;
use crate::chunk::{self, Chunk};
use crate::head_chunks::Entries;
use crate::sample::Value;
use crate::wal::{self, BatchReader, LogBatch, SeriesRef, PAGE_SIZE};

/// A range of a file that cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Where it begins.
    pub offset: usize,
    /// Bytes in it, trailing zeros of the file left out.
    pub length: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a log, segment by segment: first a checkpoint's, then those behind it.
#[derive(Debug, Default)]
pub struct LogVerifier {
    known: HashSet<SeriesRef, RandomState>,
    batch: LogBatch,
    /// Samples read.
    pub samples: u64,
    /// Samples of series that no record has introduced.
    pub orphans: u64,
}

impl LogVerifier {
    /// Read the next segment.
    pub fn segment(&mut self, segment: &[u8]) -> Vec<Damaged> {
        let used = segment.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let (mut damaged, mut start) = (Vec::new(), 0);
        while let Err(wal::Damage { offset, reason }) = self.read(segment, start) {
            start = (offset / PAGE_SIZE + 1) * PAGE_SIZE;
            while start < used && BatchReader::new(segment, start).next_batch(&mut self.batch).is_err() {
                start += PAGE_SIZE;
            }
            damaged.push(Damaged {
                offset,
                length: start.min(used).saturating_sub(offset),
                reason: reason.to_string(),
            });
            if start >= used {
                break;
            }
        }
        damaged
    }

    fn read(&mut self, segment: &[u8], start: usize) -> Result<(), wal::Damage> {
        let mut reader = BatchReader::new(segment, start);
        while reader.next_batch(&mut self.batch)? {
            let Self { known, batch, .. } = self;
            known.extend(batch.series().map(|(reference, _)| reference));
            let references = batch.in_order.series().chain(batch.late.series());
            self.orphans += references.filter(|reference| !known.contains(reference)).count() as u64;
            self.samples += self.batch.samples() as u64;
        }
        Ok(())
    }
}

/// Read a file of head chunks; how many chunks it has, and the ranges that cannot be believed.
pub fn head_chunks(file: &Blob) -> (u64, Vec<Damaged>) {
    let (mut chunks, mut damaged) = (0, Vec::new());
    let used = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let result = Entries::new(file.clone()).and_then(|mut entries| {
        while let Some(entry) = entries.next_entry()? {
            chunks += 1;
            if let Err(reason) = check_samples(&entry.chunk) {
                damaged.push(Damaged {
                    offset: entry.offset,
                    length: entries.offset() - entry.offset,
                    reason: reason.into(),
                });
            }
        }
        Ok(())
    });
    if let Err(damage) = result {
        damaged.push(Damaged {
            offset: damage.offset,
            length: used.saturating_sub(damage.offset),
            reason: damage.reason.to_string(),
        });
    }
    (chunks, damaged)
}

/// Samples must ascend, and begin and end when the chunk says.
fn check_samples(chunk: &Chunk) -> Result<(), &'static str> {
    const UNDECODABLE: &str = "the checksum is right, but the samples do not decode";
    let (mut first, mut last) = (None::<i64>, None::<i64>);
    for sample in chunk::samples(chunk.encoding, &chunk.data).map_err(|_| UNDECODABLE)? {
        let (t, _): (i64, Value) = sample.map_err(|_| UNDECODABLE)?;
        if last.is_some_and(|last| last >= t) {
            return Err("samples are not in ascending order of time");
        }
        first = first.or(Some(t));
        last = Some(t);
    }
    if (first, last) == (Some(chunk.mint), Some(chunk.maxt)) {
        Ok(())
    } else {
        Err("samples do not begin and end when the chunk says")
    }
}
