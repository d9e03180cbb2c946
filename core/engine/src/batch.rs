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
#[derive(Debug, Clone, Default)]
pub struct Batch {
    arena: Vec<u8>,
    subjects: subject::Subjects,
    /// In the order in which they were given, which is the one in which samples of a series are judged.
    rows: Vec<OwnRow>,
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

#[derive(Debug, Clone)]
struct OwnRow {
    place: Spot,
    start: bool,
    t: i64,
    value: Value,
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
        self.add(false, t, Value::Float(value));
    }

    /// The same for a native-histogram sample.
    pub fn add_histogram(&mut self, t: i64, value: Arc<Histogram>) {
        self.add(false, t, Value::Histogram(value));
    }

    /// That series began at `t`, with nothing.
    pub fn add_start(&mut self, t: i64) {
        self.add(true, t, Value::Float(0.0));
    }

    /// That series began at `t`, with an empty histogram.
    pub fn add_histogram_start(&mut self, t: i64, value: Arc<Histogram>) {
        self.add(true, t, Value::Histogram(value));
    }

    fn add(&mut self, start: bool, t: i64, value: Value) {
        let place = self.subjects.current;
        self.rows.push(OwnRow { place, start, t, value });
    }

    /// What tells two batches of different label sets apart: the packed sets, and where each ends.
    pub fn label_sets(&self) -> impl std::hash::Hash + '_ {
        struct Sets<'b>(&'b Batch);
        impl std::hash::Hash for Sets<'_> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                state.write(&self.0.arena);
                self.0.rows.iter().for_each(|row| row.place.hash(state));
            }
        }
        Sets(self)
    }

    /// (labels, time or [`BATCH_TIME`], value) in insertion order; no labels for a series of the head's own.
    pub fn floats(&self) -> impl Iterator<Item = (Labels<'_>, i64, f64)> {
        self.rows.iter().filter_map(|row| match &row.value {
            Value::Float(value) => Some((self.subject(row.place).labels(), row.t, *value)),
            Value::Histogram(_) => None,
        })
    }

    /// The same of histograms.
    pub fn histograms(&self) -> impl Iterator<Item = (Labels<'_>, i64, &Arc<Histogram>)> {
        self.rows.iter().filter_map(|row| match &row.value {
            Value::Float(_) => None,
            Value::Histogram(value) => Some((self.subject(row.place).labels(), row.t, value)),
        })
    }

    /// All rows without their values, in insertion order.
    pub fn heads(&self) -> impl Iterator<Item = RowHead<'_>> {
        self.rows.iter().map(|row| {
            let (histogram, sound) = match &row.value {
                Value::Float(_) => (false, true),
                Value::Histogram(value) => (true, value.is_sound()),
            };
            RowHead {
                subject: self.subject(row.place),
                t: row.t,
                start: row.start,
                histogram,
                sound,
            }
        })
    }

    /// All rows in insertion order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|row| Row {
            subject: self.subject(row.place),
            t: row.t,
            value: row.value.clone(),
            start: row.start,
        })
    }

    /// Samples of either kind.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is nothing to store, not even an event or a note.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.event.is_none() && self.has_no_notes()
    }
}
