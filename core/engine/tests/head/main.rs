//! The head: what it accepts, shows, keeps and finds again in its log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod append;
mod known;
mod leave;
mod life;
mod model;
mod notes;
mod partial;
mod read;
mod replay;

use engine::batch::Batch;
use engine::head::{Head, Window};
use engine::labels::pack;
use engine::regex::{Matcher, Operator};
use engine::sample::Value;
use engine::wal::{Compression, Framer};

/// All of time.
const EVER: Window = Window {
    mint: i64::MIN,
    maxt: i64::MAX,
    held: false,
};

/// Add a float of the series `{__name__="m", i="<name>"}`.
fn push(batch: &mut Batch, name: &str, t: i64, value: f64) {
    pack(&mut [("__name__", "m"), ("i", name)], batch.arena()).unwrap();
    batch.push_float(t, value);
}

/// A batch of (series, time, value).
fn batch(rows: &[(&str, i64, f64)]) -> Batch {
    let mut batch = Batch::new(0);
    rows.iter()
        .for_each(|(name, t, value)| push(&mut batch, name, *t, *value));
    batch
}

/// Stage and commit.
fn append(head: &mut Head, batch: &Batch) {
    let staged = head.stage(batch).unwrap();
    head.commit(staged.id).unwrap();
}

/// A head and the log that a store would have written of it.
struct Logged {
    head: Head,
    framer: Framer,
    /// Offset after each batch.
    ends: Vec<usize>,
}

impl Logged {
    fn new(compression: Compression) -> Self {
        Self {
            head: Head::new(),
            framer: Framer::new(0, usize::MAX, compression),
            ends: Vec::new(),
        }
    }

    fn append(&mut self, batch: &Batch) {
        let staged = self.head.stage(batch).unwrap();
        assert!(self.framer.add(&staged.records));
        self.ends.push(self.framer.offset());
        self.head.commit(staged.id).unwrap();
    }
}

/// Everything in the head as text.
fn dump(head: &Head, matchers: &[Matcher], window: Window) -> String {
    let mut dump = head.dump(matchers, window);
    let mut out = String::new();
    head.dump_piece(&mut dump, &mut out, usize::MAX);
    out
}

/// Samples of one series of [`push`].
fn samples(head: &Head, name: &str, window: Window) -> Vec<(i64, f64)> {
    let wanted = Matcher::new("i", Operator::Equal, name).unwrap();
    let found = head.select(&[wanted], window, 0);
    let samples = found.iter().flat_map(|series| &series.samples);
    samples
        .map(|(t, value)| match value {
            Value::Float(value) => (*t, *value),
            Value::Histogram(histogram) => (*t, histogram.sum),
        })
        .collect()
}
