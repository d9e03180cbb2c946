//! Chunks that stand in head-chunk files instead of memory.

use std::collections::BTreeMap;

use crate::blob::Blob;
use crate::chunk::Chunk;
use crate::head_chunks::chunk_at;

/// A chunk in a file, small enough for a series to have many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Time of the first sample, ms.
    pub mint: i64,
    /// Time of the last sample, ms.
    pub maxt: i64,
    file: u32,
    offset: u32,
}

/// The files, by number. Counts for each how many of its chunks the head still has.
#[derive(Default)]
pub struct ChunkFiles {
    files: BTreeMap<u32, File>,
}

struct File {
    bytes: Blob,
    chunks: usize,
}

impl ChunkFiles {
    /// Let `bytes` be what file `number` holds so far.
    pub fn map(&mut self, number: u32, bytes: Blob) {
        let chunks = self.files.get(&number).map_or(0, |file| file.chunks);
        self.files.insert(number, File { bytes, chunks });
    }

    /// A chunk at `offset` of file `number`; none when there is no such chunk.
    pub fn take(&mut self, number: u32, offset: usize) -> Option<Mapped> {
        let file = self.files.get_mut(&number)?;
        let Chunk { mint, maxt, .. } = chunk_at(&file.bytes, offset)?;
        let offset = u32::try_from(offset).ok()?;
        file.chunks += 1;
        Some(Mapped {
            mint,
            maxt,
            file: number,
            offset,
        })
    }

    /// The head has no more use for `mapped`.
    pub fn release(&mut self, mapped: Mapped) {
        if let Some(file) = self.files.get_mut(&mapped.file) {
            file.chunks -= 1;
        }
    }

    /// The chunk, sharing the file's bytes.
    pub fn chunk(&self, mapped: Mapped) -> Option<Chunk> {
        chunk_at(&self.files.get(&mapped.file)?.bytes, mapped.offset as usize)
    }

    /// Forget the files at the front of which the head has no chunk left, up to but without file `end`: their numbers.
    /// Later ones stay even when they are empty, for numbers must follow each other.
    pub fn drop_unused(&mut self, end: u32) -> Vec<u32> {
        let unused = self.files.range(..end).take_while(|(_, file)| file.chunks == 0);
        let unused: Vec<u32> = unused.map(|(number, _)| *number).collect();
        unused.iter().for_each(|number| drop(self.files.remove(number)));
        unused
    }
}
