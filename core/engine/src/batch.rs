//! A batch: what an edge hands to the store, and what becomes visible as a whole or not at all.

mod notes;

pub use notes::Exemplar;

use std::ops::Range;
use std::sync::Arc;

use crate::histogram::Histogram;
use crate::labels::Labels;

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
    floats: Vec<FloatRow>,
    histograms: Vec<HistogramRow>,
    notes: notes::Notes,
    /// The label set of the last row.
    claimed: Range<u32>,
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
}

#[derive(Debug, Clone, PartialEq)]
struct FloatRow {
    labels: Range<u32>,
    t: i64,
    value: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct HistogramRow {
    labels: Range<u32>,
    t: i64,
    value: Arc<Histogram>,
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

    fn claim(&mut self) -> Range<u32> {
        self.claimed = self.claimed.end..self.arena.len() as u32;
        self.claimed.clone()
    }

    /// The label set just appended to the arena, else the last row's.
    fn subject(&mut self) -> Range<u32> {
        if self.arena.len() as u32 > self.claimed.end {
            self.claim();
        }
        self.claimed.clone()
    }

    /// A float sample of the label set just appended to the arena.
    pub fn push_float(&mut self, t: i64, value: f64) {
        let labels = self.claim();
        self.floats.push(FloatRow { labels, t, value });
    }

    /// A native-histogram sample of the label set just appended to the arena.
    pub fn push_histogram(&mut self, t: i64, value: Arc<Histogram>) {
        let labels = self.claim();
        self.histograms.push(HistogramRow { labels, t, value });
    }

    fn labels(&self, range: &Range<u32>) -> Labels<'_> {
        Labels::trusted(
            self.arena
                .get(range.start as usize..range.end as usize)
                .unwrap_or_default(),
        )
    }

    /// What tells two batches of different label sets apart: the packed sets, and where each ends. Floats come first.
    pub fn label_sets(&self) -> impl std::hash::Hash + '_ {
        struct Sets<'b>(&'b Batch);
        impl std::hash::Hash for Sets<'_> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                state.write(&self.0.arena);
                state.write_usize(self.0.floats.len());
                self.0.floats.iter().for_each(|row| state.write_u32(row.labels.end));
                self.0.histograms.iter().for_each(|row| state.write_u32(row.labels.end));
            }
        }
        Sets(self)
    }

    /// (labels, time or [`BATCH_TIME`], value) in insertion order.
    pub fn floats(&self) -> impl ExactSizeIterator<Item = (Labels<'_>, i64, f64)> {
        self.floats.iter().map(|r| (self.labels(&r.labels), r.t, r.value))
    }

    /// (labels, time or [`BATCH_TIME`], value) in insertion order.
    pub fn histograms(&self) -> impl ExactSizeIterator<Item = (Labels<'_>, i64, &Arc<Histogram>)> {
        self.histograms.iter().map(|r| (self.labels(&r.labels), r.t, &r.value))
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
