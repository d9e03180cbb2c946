//! Blocks: what is written is read again, damage is told and never believed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod damage;
mod promtool;
mod sealed;
mod version1;
mod write;

use engine::blob::Blob;
use engine::block::{ChunkFiles, ChunkMeta, Finished, Index, Refusal, Writer};
use engine::chunk::xor::{Appender, Samples};
use engine::chunk::{Chunk, Encoding};
use engine::labels::{pack, Labels};

/// Packed labels.
fn labels(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut pairs.to_vec(), &mut out).unwrap();
    out
}

/// A chunk of floats that equal their times.
fn chunk(times: &[i64]) -> Chunk {
    let mut appender = Appender::new(times[0], times[0] as f64);
    times[1..].iter().for_each(|t| appender.append(*t, *t as f64));
    Chunk {
        mint: times[0],
        maxt: times[times.len() - 1],
        encoding: Encoding::Xor,
        data: appender.into_bytes().into_vec().into(),
    }
}

/// The samples of a chunk of floats.
fn floats(chunk: &Chunk) -> Vec<(i64, f64)> {
    Samples::new(&chunk.data).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The files of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Files {
    index: Vec<u8>,
    chunks: Vec<Vec<u8>>,
    held: Option<Vec<u8>>,
}

impl Files {
    /// What a writer has left to write, behind what was drained before.
    fn finish(mut self, writer: Writer) -> Self {
        let Finished {
            chunks,
            mut index,
            held,
            ..
        } = writer.finish().unwrap();
        self.append(chunks);
        while let Some(piece) = index.next_piece().unwrap() {
            self.index.extend_from_slice(&piece);
        }
        self.held = held;
        self
    }

    fn append(&mut self, pieces: Vec<engine::block::Piece>) {
        for piece in pieces {
            self.chunks
                .resize(self.chunks.len().max(piece.file as usize), Vec::new());
            self.chunks[piece.file as usize - 1].extend_from_slice(&piece.bytes);
        }
    }

    fn index(&self) -> Index {
        Index::open(self.index.clone().into()).unwrap()
    }

    fn chunk_files(&self) -> ChunkFiles {
        ChunkFiles::open(self.chunks.iter().cloned().map(Blob::from).collect()).unwrap()
    }
}

type Row = (Vec<u8>, Vec<Chunk>);

/// The files of a block with these series.
fn write(rows: &[Row]) -> Result<Files, Refusal> {
    let mut writer = Writer::new(&[])?;
    let mut files = Files::default();
    for (labels, chunks) in rows {
        writer.add(Labels::trusted(labels), chunks, None)?;
        files.append(writer.drain());
    }
    Ok(files.finish(writer))
}

/// Labels, and for each chunk its samples.
type Series = (Vec<u8>, Vec<Vec<(i64, f64)>>);

/// All series of a block.
fn read(files: &Files) -> Vec<Series> {
    let (index, chunk_files) = (files.index(), files.chunk_files());
    let (mut labels, mut metas): (_, Vec<ChunkMeta>) = (Vec::new(), Vec::new());
    let mut all = Vec::new();
    for reference in index.all().unwrap() {
        index.series(reference, &mut labels, &mut metas).unwrap();
        let chunks = metas.iter().map(|meta| floats(&chunk_files.chunk(meta).unwrap()));
        all.push((labels.clone(), chunks.collect()));
    }
    all
}
