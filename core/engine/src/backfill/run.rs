//! The samples of one series in one window.

use std::mem::size_of;

use super::buffer::SeriesNumber;
use crate::chunk::{xor, Chunk, Sequence};

/// Chunks of what came in order, and what did not.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) series: SeriesNumber,
    closed: Vec<Chunk>,
    open: Sequence,
    /// Samples that came behind a newer one, or at the same time: in the order in which they came.
    late: Vec<(i64, f64)>,
}

/// Samples of a run that are not in its chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Doublets {
    pub(super) repeated: u64,
    pub(super) contradicting: u64,
}

/// What a closed chunk needs beside its bytes: the keeper of them has two counters and a vector.
const CHUNK_BYTES: usize = size_of::<Chunk>() + 64;

impl Run {
    /// What a run needs before it closes a chunk, by a rough guess at its open one.
    pub(super) const FIXED_BYTES: usize = size_of::<Self>() + 400;

    pub(super) fn new(series: SeriesNumber) -> Self {
        Self {
            series,
            closed: Vec::new(),
            open: Sequence::default(),
            late: Vec::new(),
        }
    }

    /// Add a sample; the memory that it takes.
    pub(super) fn append(&mut self, t: i64, value: f64) -> usize {
        if self.open.last_time().is_some_and(|last| t <= last) {
            self.late.push((t, value));
            return size_of::<(i64, f64)>();
        }
        let Some(chunk) = self.open.append_float(t, value) else {
            return 0;
        };
        let bytes = CHUNK_BYTES + chunk.data.len();
        self.closed.push(chunk);
        bytes
    }

    /// The chunks of all samples. Where two have the same time, the one that came first stays.
    pub(super) fn finish(mut self) -> (Vec<Chunk>, Doublets) {
        self.closed.extend(self.open.finish());
        if self.late.is_empty() {
            return (self.closed, Doublets::default());
        }
        // What came in order came before what was late for its time, and a stable sort keeps that.
        let mut samples: Vec<(i64, f64)> = self.closed.iter().flat_map(samples).collect();
        samples.append(&mut self.late);
        samples.sort_by_key(|(t, _)| *t);
        encode(&samples)
    }
}

/// Of a chunk that was made here, so none of them is bad.
fn samples(chunk: &Chunk) -> impl Iterator<Item = (i64, f64)> + '_ {
    xor::Samples::new(&chunk.data).into_iter().flatten().flatten()
}

fn encode(samples: &[(i64, f64)]) -> (Vec<Chunk>, Doublets) {
    let (mut chunks, mut open, mut doublets) = (Vec::new(), Sequence::default(), Doublets::default());
    let mut last: Option<(i64, f64)> = None;
    for (t, value) in samples {
        match last.filter(|(last, _)| last == t) {
            Some((_, first)) if first.to_bits() == value.to_bits() => doublets.repeated += 1,
            Some(_) => doublets.contradicting += 1,
            None => {
                chunks.extend(open.append_float(*t, *value));
                last = Some((*t, *value));
            }
        }
    }
    chunks.extend(open.finish());
    (chunks, doublets)
}
