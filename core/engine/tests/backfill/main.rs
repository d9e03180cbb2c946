//! Text into blocks, read back through the block's own index and chunks.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod line_protocol;
mod openmetrics;
mod windows;

use engine::backfill::{Buffer, Drain, Drained, Step};
use engine::block::{ChunkFiles, Index};
use engine::chunk::xor;
use engine::labels::{format_labels, Labels};

/// A block's lines, `labels value time`, and what its drain tells.
struct Dumped {
    lines: Vec<String>,
    drained: Drained,
}

/// Take the window at `start` out and read the block that it becomes.
fn dump(buffer: &mut Buffer, start: i64) -> Dumped {
    let window = buffer.take(start).unwrap();
    let mut drain = Drain::new(window, buffer).unwrap();
    let (mut chunks, mut index) = (Vec::<Vec<u8>>::new(), Vec::new());
    let drained = loop {
        match drain.step(buffer, 100).unwrap() {
            Step::Chunks(pieces) => {
                for piece in pieces {
                    chunks.resize(chunks.len().max(piece.file as usize), Vec::new());
                    chunks[piece.file as usize - 1].extend(piece.bytes);
                }
            }
            Step::Index(piece) => index.extend(piece),
            Step::Done(drained) => break drained,
        }
    };
    let index = Index::open(index.into()).unwrap();
    let chunks = ChunkFiles::open(chunks.into_iter().map(Into::into).collect()).unwrap();
    let (mut lines, mut labels, mut metas) = (Vec::new(), Vec::new(), Vec::new());
    for reference in index.all().unwrap() {
        index.series(reference, &mut labels, &mut metas).unwrap();
        let mut text = String::new();
        format_labels(Labels::checked(&labels).unwrap(), &mut text);
        for meta in &metas {
            let chunk = chunks.chunk(meta).unwrap();
            for sample in xor::Samples::new(&chunk.data).unwrap() {
                let (t, value) = sample.unwrap();
                lines.push(format!("{text} {value} {t}"));
            }
        }
    }
    Dumped { lines, drained }
}

/// The lines of all windows, oldest first.
fn dump_all(buffer: &mut Buffer) -> Vec<String> {
    let starts: Vec<i64> = buffer.windows().map(|(start, _)| start).collect();
    starts.into_iter().flat_map(|start| dump(buffer, start).lines).collect()
}
