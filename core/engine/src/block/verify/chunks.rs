//! The chunks of a block, in the order of the series that name them, which is the order of the files.

use crate::blob::Blob;
use crate::block::chunk_files::{place, read_chunk};
use crate::block::{ChunkMeta, Damage, File, Reason, CHUNKS_HEADER};
use crate::chunk::{BadChunk, Chunk};

use super::Verification;

/// Chunks of the head do not lie on both sides of a multiple of this, ms.
const HEAD_RANGE: i64 = 2 * 60 * 60 * 1000;

/// Where the walk through the files stands.
pub(super) struct ChunkWalk<'a> {
    files: &'a [Blob],
    /// From 0.
    file: usize,
    /// Where the next chunk must begin; `None` after a chunk whose length cannot be believed.
    next: Option<u64>,
}

impl<'a> ChunkWalk<'a> {
    pub(super) fn new(files: &'a [Blob]) -> Self {
        Self {
            files,
            file: 0,
            next: Some(CHUNKS_HEADER as u64),
        }
    }

    /// Check the chunks of one series; `none` is what to report when it has none.
    pub(super) fn visit_series(&mut self, chunks: &[ChunkMeta], none: Damage, found: &mut Verification) {
        if chunks.is_empty() {
            found.report(none);
        }
        let mut last: Option<i64> = None;
        for meta in chunks {
            if last.is_some_and(|last| meta.mint <= last) {
                found.report(Damage {
                    reason: Reason::Overlap,
                    ..none
                });
            }
            last = Some(meta.maxt);
            self.visit(meta, found);
        }
    }

    fn visit(&mut self, meta: &ChunkMeta, found: &mut Verification) {
        let (file, offset) = place(meta.reference);
        if file > self.file && file < self.files.len() {
            self.end_files(file, found);
        }
        if file == self.file {
            match self.next {
                Some(next) if offset < next => found.report(damage(file, offset, 0, Reason::ChunkOrder)),
                Some(next) if offset > next => found.report(damage(file, next, offset - next, Reason::Unreferenced)),
                _ => {}
            }
        } else if file < self.file {
            found.report(damage(file, offset, 0, Reason::ChunkOrder));
        }
        let end = match read_chunk(self.files, meta) {
            Ok((chunk, end)) => {
                check_chunk(&chunk, damage(file, offset, end - offset, Reason::Samples), found);
                Some(end)
            }
            Err(damage) => {
                found.report(damage);
                None
            }
        };
        if file == self.file {
            self.next = end;
        }
    }

    /// No more chunks come in the files before `file`.
    fn end_files(&mut self, file: usize, found: &mut Verification) {
        while self.file < file {
            let size = self.files.get(self.file).map_or(0, |file| file.len() as u64);
            if let Some(next) = self.next.filter(|next| *next < size) {
                found.report(damage(self.file, next, size - next, Reason::Unreferenced));
            }
            self.file += 1;
            self.next = Some(CHUNKS_HEADER as u64);
        }
    }

    /// All series have been seen.
    pub(super) fn finish(&mut self, found: &mut Verification) {
        self.end_files(self.files.len(), found);
    }

    /// The index is lost: go by the lengths of the chunks.
    pub(super) fn without_index(&mut self, found: &mut Verification) {
        for (number, file) in self.files.iter().enumerate() {
            let mut offset = CHUNKS_HEADER as u64;
            while offset < file.len() as u64 {
                let reference = (number as u64) << 32 | offset;
                // Times are the index' to tell: all are allowed.
                let meta = ChunkMeta {
                    mint: i64::MIN,
                    maxt: i64::MAX,
                    reference,
                };
                match read_chunk(self.files, &meta) {
                    Ok((chunk, end)) => {
                        check_chunk(&chunk, damage(number, offset, end - offset, Reason::Samples), found);
                        offset = end;
                    }
                    Err(damage) => {
                        found.report(damage);
                        offset += damage.length.max(1);
                    }
                }
            }
        }
    }
}

fn damage(file: usize, offset: u64, length: u64, reason: Reason) -> Damage {
    Damage {
        file: File::Chunks((file as u32).saturating_add(1)),
        offset,
        length,
        reason,
    }
}

/// Decode a chunk. `at` is its place.
fn check_chunk(chunk: &Chunk, at: Damage, found: &mut Verification) {
    match read_times(chunk) {
        Ok((samples, first, last)) => {
            if first.div_euclid(HEAD_RANGE) != last.div_euclid(HEAD_RANGE) {
                found.crossing += 1;
            }
            found.stats.count(chunk.encoding, first, last, samples);
        }
        Err(reason) => found.report(Damage { reason, ..at }),
    }
}

/// Samples, time of the first and of the last.
fn read_times(chunk: &Chunk) -> Result<(u16, i64, i64), Reason> {
    let count = chunk.count().map_err(|BadChunk| Reason::Samples)?;
    let mut range: Option<(i64, i64)> = None;
    for sample in chunk.samples().map_err(|BadChunk| Reason::Samples)? {
        let (t, _value) = sample.map_err(|BadChunk| Reason::Samples)?;
        range = match range {
            Some((_, last)) if t <= last => return Err(Reason::SampleOrder),
            Some((first, _)) => Some((first, t)),
            None => Some((t, t)),
        };
    }
    let (first, last) = range.ok_or(Reason::EmptyChunk)?;
    if first < chunk.mint || last > chunk.maxt {
        return Err(Reason::OutsideTimes);
    }
    Ok((count, first, last))
}
