//! The head: what it accepts, shows, keeps and finds again in its log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod append;
mod kinds;
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
use engine::merge::SeriesStream;
use engine::query::{self, Columns, Dump, Limits};
use engine::regex::{Matcher, Operator};
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

/// What the head has, as one place of many.
fn place(head: &Head, matchers: &[Matcher], window: Window) -> Vec<Box<dyn SeriesStream>> {
    let entries = head.entries(matchers, window, &Limits::default()).unwrap();
    vec![Box::new(entries)]
}

/// Everything in the head, decoded.
fn select(head: &Head, matchers: &[Matcher], window: Window) -> Columns {
    query::select(place(head, matchers, window), window, &Limits::default()).unwrap()
}

/// Everything in the head as text.
fn dump(head: &Head, matchers: &[Matcher], window: Window) -> String {
    let mut dump = Dump::new(place(head, matchers, window), window);
    let mut out = String::new();
    dump.piece(&mut out, usize::MAX).unwrap();
    out
}

/// Samples of one series of [`push`]; of histograms the sums.
fn samples(head: &Head, name: &str, window: Window) -> Vec<(i64, f64)> {
    let wanted = Matcher::new("i", Operator::Equal, name).unwrap();
    let found = select(head, &[wanted], window);
    let floats = found.timestamps().iter().copied().zip(found.values().iter().copied());
    let sums = found.histograms().iter().map(|(t, histogram)| (*t, histogram.sum));
    let mut samples: Vec<_> = floats.chain(sums).collect();
    samples.sort_by_key(|(t, _)| *t);
    samples
}
