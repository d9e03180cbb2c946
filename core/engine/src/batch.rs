//! A batch: what an edge hands to the store, and what becomes visible as a whole or not at all.

mod notes;
mod subject;

pub use notes::{Exemplar, FamilyMetadata};
pub use subject::{Key, KeySeeds, Place, Subject};

use std::sync::Arc;

use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::sample::Value;
use subject::Spot;

/// A row whose time is the batch's own time, settled when the head stages it.
pub const BATCH_TIME: i64 = i64::MIN;

/// The bits by which a series says that it has ended (Prometheus `value.StaleNaN`).
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// True for the stale marker, which is a NaN with bits of its own.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// Samples of many series, their label sets packed into one arena: no allocation a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    arena: Vec<u8>,
    subjects: subject::Subjects,
    floats: Vec<FloatRow>,
    histograms: Vec<HistogramRow>,
    notes: notes::Notes,
    /// The time given to rows at [`BATCH_TIME`], ms. The head moves it forward until it is newer than every touched
    /// series' last sample, so two pushes in one millisecond are two samples.
    pub time: i64,
    /// What an edge wants to find again in the log, atomically with the samples (a push's group change). Opaque here.
    pub event: Option<Arc<[u8]>>,
    /// The rows belong to push groups: between them their values are held for local queries.
    pub held: bool,
    /// Rows that break a rule of the head are left out and counted, instead of refusing the batch: for protocols whose
    /// clients send the same batch again and again until it is taken.
    pub partial: bool,
    /// A row that is stored already breaks no rule, whatever has come after it: for protocols whose clients send a batch
    /// again when its answer was lost. Partial batches have this anyway.
    pub resent: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct FloatRow {
    place: Spot,
    start: bool,
    t: i64,
    value: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct HistogramRow {
    place: Spot,
    start: bool,
    t: i64,
    value: Arc<Histogram>,
}

/// A sample of a batch.
#[derive(Debug, Clone)]
pub struct Row<'b> {
    /// Whose it is.
    pub subject: Subject<'b>,
    /// ms, or [`BATCH_TIME`].
    pub t: i64,
    /// What it holds.
    pub value: Value,
    /// The series began here. Not a sample that anybody counts: where the series is known to have begun earlier, it is left out
    /// without a word.
    pub start: bool,
}

/// A sample of a batch without what it holds.
#[derive(Debug, Clone, Copy)]
pub struct RowHead<'b> {
    /// Whose it is.
    pub subject: Subject<'b>,
    /// ms, or [`BATCH_TIME`].
    pub t: i64,
    /// See [`Row::start`].
    pub start: bool,
    /// It is a histogram,
    pub histogram: bool,
    /// and the log would give it back.
    pub sound: bool,
}

impl Batch {
    /// An empty batch at `time` ms.
    pub fn new(time: i64) -> Self {
        Self {
            time,
            ..Self::default()
        }
    }

    /// Room for packed label bytes; a caller appends one label set to it and then calls [`Self::push_float`] or
    /// [`Self::push_histogram`], which own everything appended since the last call.
    pub fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.arena
    }

    /// A float sample of the label set just appended to the arena.
    pub fn push_float(&mut self, t: i64, value: f64) {
        self.claim();
        self.add_float(t, value);
    }

    /// A native-histogram sample of the label set just appended to the arena.
    pub fn push_histogram(&mut self, t: i64, value: Arc<Histogram>) {
        self.claim();
        self.add_histogram(t, value);
    }

    /// A float sample of the same series as the last row, or of the one that [`Self::begin`] or [`Self::begin_known`] named since.
    pub fn add_float(&mut self, t: i64, value: f64) {
        let place = self.subjects.current;
        let start = false;
        self.floats.push(FloatRow { place, start, t, value });
    }

    /// The same for a native-histogram sample.
    pub fn add_histogram(&mut self, t: i64, value: Arc<Histogram>) {
        let place = self.subjects.current;
        let start = false;
        self.histograms.push(HistogramRow { place, start, t, value });
    }

    /// That series began at `t`, with nothing.
    pub fn add_start(&mut self, t: i64) {
        let (place, start, value) = (self.subjects.current, true, 0.0);
        self.floats.push(FloatRow { place, start, t, value });
    }

    /// That series began at `t`, with an empty histogram.
    pub fn add_histogram_start(&mut self, t: i64, value: Arc<Histogram>) {
        let (place, start) = (self.subjects.current, true);
        self.histograms.push(HistogramRow { place, start, t, value });
    }

    /// What tells two batches of different label sets apart: the packed sets, and where each ends. Floats come first.
    pub fn label_sets(&self) -> impl std::hash::Hash + '_ {
        struct Sets<'b>(&'b Batch);
        impl std::hash::Hash for Sets<'_> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                state.write(&self.0.arena);
                state.write_usize(self.0.floats.len());
                self.0.floats.iter().for_each(|row| row.place.hash(state));
                self.0.histograms.iter().for_each(|row| row.place.hash(state));
            }
        }
        Sets(self)
    }

    /// (labels, time or [`BATCH_TIME`], value) in insertion order; no labels for a series of the head's own.
    pub fn floats(&self) -> impl ExactSizeIterator<Item = (Labels<'_>, i64, f64)> {
        self.floats
            .iter()
            .map(|r| (self.subject(r.place).labels(), r.t, r.value))
    }

    /// The same of histograms.
    pub fn histograms(&self) -> impl ExactSizeIterator<Item = (Labels<'_>, i64, &Arc<Histogram>)> {
        self.histograms
            .iter()
            .map(|r| (self.subject(r.place).labels(), r.t, &r.value))
    }

    /// All rows without their values: floats in insertion order, then histograms.
    pub fn heads(&self) -> impl Iterator<Item = RowHead<'_>> {
        let floats = self.floats.iter().map(|row| RowHead {
            subject: self.subject(row.place),
            t: row.t,
            start: row.start,
            histogram: false,
            sound: true,
        });
        floats.chain(self.histograms.iter().map(|row| RowHead {
            subject: self.subject(row.place),
            t: row.t,
            start: row.start,
            histogram: true,
            sound: row.value.is_sound(),
        }))
    }

    /// All rows: floats in insertion order, then histograms.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let row = |place: Spot, start, t, value| Row {
            subject: self.subject(place),
            t,
            value,
            start,
        };
        let floats = self
            .floats
            .iter()
            .map(move |r| row(r.place, r.start, r.t, Value::Float(r.value)));
        let histograms = self.histograms.iter();
        floats.chain(histograms.map(move |r| row(r.place, r.start, r.t, Value::Histogram(r.value.clone()))))
    }

    /// Samples of either kind.
    pub fn len(&self) -> usize {
        self.floats.len() + self.histograms.len()
    }

    /// True when there is nothing to store, not even an event or a note.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.event.is_none() && self.has_no_notes()
    }
}
