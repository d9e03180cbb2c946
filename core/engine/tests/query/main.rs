//! The head and blocks, read as one store.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod federation;
mod histograms;
mod limits;
mod lines;
mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::batch::Batch;
use engine::blob::Blob;
use engine::block::Block;
use engine::compact::{Builder, Merge, Rows, Step};
use engine::head::Head;
use engine::labels::pack;
use engine::merge::{SeriesStream, Window};
use engine::query::{select, BlockSeries, Columns, Limits};
use engine::regex::Matcher;
use engine::sample::{Sample, Value};

/// All of time.
const EVER: Window = Window {
    mint: i64::MIN,
    maxt: i64::MAX,
    held: false,
};

/// `{__name__="m", i="<name>"}`, packed.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut [("__name__", "m"), ("i", name)], &mut out).unwrap();
    out
}

/// The files of a block.
#[derive(Default)]
struct Files {
    index: Vec<u8>,
    chunks: Vec<Vec<u8>>,
    held: Option<Vec<u8>>,
}

impl Files {
    /// What `merge` gives, in steps of about `step` bytes.
    fn build(merge: Merge, step: usize, segment_size: u64) -> Self {
        let mut builder = Builder::new(merge, segment_size).unwrap();
        let mut files = Self::default();
        loop {
            match builder.step(step).unwrap() {
                Step::Chunks(pieces) => {
                    for piece in pieces {
                        files
                            .chunks
                            .resize((piece.file as usize).max(files.chunks.len()), Vec::new());
                        files.chunks.last_mut().unwrap().extend(piece.bytes);
                    }
                }
                Step::Index(bytes) => files.index.extend(bytes),
                Step::Done => break,
            }
        }
        files.held = builder.outcome().held;
        files
    }

    fn open(self, tombstones: Option<Vec<u8>>) -> Arc<Block> {
        let chunks = self.chunks.into_iter().map(Blob::from).collect();
        let opened = Block::open(
            self.index.into(),
            chunks,
            tombstones.map(Blob::from),
            self.held.map(Blob::from),
        );
        Arc::new(opened.unwrap())
    }
}

type Rowset = BTreeMap<Vec<u8>, Vec<Sample>>;

fn block(rows: Rowset) -> Arc<Block> {
    let merge = Merge::new(vec![Box::new(Rows::new(rows))], i64::MIN, i64::MAX);
    Files::build(merge, 1000, 1 << 20).open(None)
}

fn head(rows: &Rowset, held: bool) -> Head {
    let mut head = Head::new();
    let mut all: Vec<(&[u8], &Sample)> = rows
        .iter()
        .flat_map(|(l, s)| s.iter().map(|s| (l.as_slice(), s)))
        .collect();
    all.sort_by_key(|(_, (t, _))| *t);
    for (labels, (t, value)) in all {
        let mut batch = Batch::new(*t);
        batch.held = held;
        batch.arena().extend_from_slice(labels);
        match value {
            Value::Float(value) => batch.push_float(*t, *value),
            Value::Histogram(value) => batch.push_histogram(*t, value.clone()),
        }
        let staged = head.stage(&batch).unwrap();
        head.commit(staged.id).unwrap();
    }
    head
}

/// All series of `blocks` and `head` that match.
fn places(
    blocks: &[Arc<Block>],
    head: Option<&Head>,
    matchers: &[Matcher],
    window: Window,
) -> Vec<Box<dyn SeriesStream>> {
    let mut places: Vec<Box<dyn SeriesStream>> = Vec::new();
    for block in blocks {
        places.push(Box::new(BlockSeries::new(block.clone(), matchers, window).unwrap()));
    }
    if let Some(head) = head {
        places.push(Box::new(head.entries(matchers, window, &Limits::default()).unwrap()));
    }
    places
}

fn read(blocks: &[Arc<Block>], head: Option<&Head>, window: Window) -> Columns {
    select(places(blocks, head, &[], window), window, &Limits::default()).unwrap()
}

/// The floats by series.
fn floats(columns: &Columns) -> BTreeMap<Vec<u8>, Vec<(i64, f64)>> {
    let series = (0..columns.len()).map(|n| {
        let range = columns.offsets()[n] as usize..columns.offsets()[n + 1] as usize;
        let times = columns.timestamps()[range.clone()].iter().copied();
        let samples = times.zip(columns.values()[range].iter().copied()).collect();
        (columns.labels(n).unwrap().packed().to_vec(), samples)
    });
    series.collect()
}
